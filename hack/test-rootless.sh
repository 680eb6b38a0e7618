#!/usr/bin/env bash
# Runs the end-to-end tests against a buildkitd that an ordinary user runs, which is started for it and ended:
#   test-rootless.sh [ARGUMENT OF go test]...
source "$(dirname "$0")/lib/place.sh"

unset SOURCE_DATE_EPOCH # that of our own images; buildctl would pass it on
cd "$ROOT"
dir=$(mktemp -d /tmp/packfile-rootless-XXXXXX)
export PACKFILE_DAEMON_KIND=rootless-overlayfs BUILDKIT_HOST=unix://$dir/sock
export BUILDX_CONFIG=$DEV/rootless/buildx BUILDX_BUILDER=packfile-rootless

# The daemon lives as long as this script holds the other end of its standard input.
exec {hold}> >(exec "$ROOT/hack/daemon.sh" "$PACKFILE_DAEMON_KIND" "$dir")
daemon=$!
leave() {
	exec {hold}>&-
	wait "$daemon" || true
	rm -rf "$DEV/rootless"
}
trap leave EXIT

tries=300
until "$BIN/buildctl" debug workers >/dev/null 2>&1; do
	tries=$((tries - 1))
	if [ "$tries" -le 0 ] || ! kill -0 "$daemon" 2>/dev/null; then die "no rootless buildkitd: $(tail -n 20 "$dir/log")"; fi
	sleep 0.1
done
quietly "$DEV/log/buildx-rootless.log" "$BIN/buildx" create --name "$BUILDX_BUILDER" --driver remote "$BUILDKIT_HOST"
go run ./hack/slowest -count=1 -timeout 60m "$@" ./e2e {hold}>&-
