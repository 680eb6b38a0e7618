#!/usr/bin/env bash
# Brings up the development environment. Every step looks first whether its work is done, so a second run is quick; one
# run at a time.
source "$(dirname "$0")/lib/place.sh"

exec 9>"$DEV/lock"
flock 9
"$ROOT/hack/packages.sh"
"$ROOT/hack/tools.sh" tools
"$ROOT/hack/registry.sh"
"$ROOT/hack/buildkitd.sh"
"$ROOT/hack/images.sh"
"$ROOT/hack/env.sh"
"$ROOT/hack/frontend.sh"
say "up: source .dev/env to use it"
