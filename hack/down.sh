#!/usr/bin/env bash
# Stops the daemons that up.sh started. What they have stored stays in .dev.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/daemon.sh"

stop buildkitd
stop registry
