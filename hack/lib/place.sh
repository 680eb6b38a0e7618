# shellcheck shell=bash
# Where things are, and how the scripts speak. Sourced by every script in hack/.
# Everything that the scripts make is under .dev, which git ignores.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DEV=$ROOT/.dev
BIN=$DEV/bin
mkdir -p "$BIN" "$DEV/log" "$DEV/run" "$DEV/stamp"

# A date that never changes makes images that never change: 2024-01-01T00:00:00Z.
export SOURCE_DATE_EPOCH=1704067200

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# as_root COMMAND...: runs it as root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo --preserve-env=SOURCE_DATE_EPOCH "$@"
	else
		die "must be root, or have sudo, to run: $*"
	fi
}

# quietly LOG COMMAND...: runs it with its output in LOG, and shows the end of LOG when it fails.
quietly() {
	local log=$1
	shift
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "failed: $* (all of its output: $log)"
	fi
}

# socket NAME: path of a unix socket. The kernel allows 107 bytes, so a deeply nested clone has its sockets in /tmp.
socket() {
	local path=$DEV/run/$1.sock
	if [ ${#path} -gt 100 ]; then
		local dir
		dir=/tmp/packfile-dev-$(id -u)-$(printf %s "$DEV" | sha256sum | cut -c1-12)
		mkdir -p -m 0700 "$dir"
		path=$dir/$1.sock
	fi
	printf '%s\n' "$path"
}
