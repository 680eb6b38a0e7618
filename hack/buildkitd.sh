#!/usr/bin/env bash
# Starts buildkitd, with all of its state in .dev/buildkit, and restarts it when its binary or its flags have changed.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/stamp.sh"
source "$ROOT/hack/lib/daemon.sh"

socket=$(socket buildkitd)
command=(
	"$BIN/buildkitd"
	--root "$DEV/buildkit"
	--addr "unix://$socket"
	--otel-socket-path "$(socket otel)"
	--group "$(id -g)"
	--containerd-worker=false
	--oci-worker-gc-keepstorage "5000,0,15000" # MB that are kept, that have to be free, and that it may grow to
	--oci-worker-binary "$(PATH=$PATH:/usr/sbin command -v runc)"
)
digest=$(digest_of "${command[@]}" "$DEV/stamp/tools")
if alive buildkitd && fresh buildkitd "$digest"; then exit 0; fi

stop buildkitd
start buildkitd "${command[@]}"
await buildkitd 30 "$BIN/buildctl" --addr "unix://$socket" debug workers
made buildkitd "$digest"
say "buildkitd on $socket"
