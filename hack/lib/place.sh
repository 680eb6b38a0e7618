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

# native_platforms: what this machine runs without emulation, itself first. Images that only tests use are made for all of
# them, so that multi-platform builds are tried for real.
native_platforms() {
	case $(go env GOARCH) in
	amd64) echo linux/amd64,linux/386 ;;
	*) echo "linux/$(go env GOARCH)" ;;
	esac
}

# run_dir: the directory of sockets and of podman's state. A socket's path has at most 107 bytes and podman's at most 50,
# so a deeply nested clone has its own in /tmp.
run_dir() {
	local dir=$DEV/run
	if [ ${#dir} -gt 40 ]; then
		dir=/tmp/packfile-dev-$(id -u)-$(printf %s "$DEV" | sha256sum | cut -c1-8)
		mkdir -m 0700 "$dir" 2>/dev/null || [ -O "$dir" ] || die "not ours: $dir"
	fi
	printf '%s\n' "$dir"
}

socket() { printf '%s/%s.sock\n' "$(run_dir)" "$1"; }
