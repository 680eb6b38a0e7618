# shellcheck shell=bash
# Stamps: what a product was last made from, so that it is made again only when that has changed.

# digest_of WORD_OR_FILE...: one digest of the words and of the content of the files among them.
digest_of() {
	local part
	for part in "$@"; do
		if [ -f "$part" ]; then sha256sum <"$part"; else printf '%s\n' "$part"; fi
	done | sha256sum | cut -d' ' -f1
}

# fresh NAME DIGEST: whether product NAME was last made from DIGEST.
fresh() { [ "$(cat "$DEV/stamp/$1" 2>/dev/null)" = "$2" ]; }

# made NAME DIGEST: remembers it.
made() { printf '%s\n' "$2" >"$DEV/stamp/$1"; }
