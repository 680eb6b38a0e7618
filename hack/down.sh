#!/usr/bin/env bash
# Stops the daemons that up.sh started, and containers of run-image.sh that were left. What they have stored stays in .dev.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/daemon.sh"
source "$ROOT/hack/lib/podman.sh"

if [ -d "$DEV/podman" ]; then containers rm --all --force --time 0 >/dev/null; fi
stop buildkitd
stop registry
