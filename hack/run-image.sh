#!/usr/bin/env bash
# Runs an image from the registry on loopback, on this machine's network, and exits with its status:
#   run-image.sh [OPTION OF podman run]... REF [ARGUMENT]...     e.g. run-image.sh -e PORT=8081 "$ref" web
# When it is told to end (TERM, INT), so is the container, at once.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/podman.sh"

name=packfile-$$-$RANDOM
trap 'containers rm --force --ignore --time 0 "$name" >/dev/null 2>&1' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# Without limits of ours, podman asks for more than a confined root may have.
containers run --name "$name" --rm --network host --tls-verify=false --pull always --quiet \
	--ulimit nofile=4096:4096 --ulimit nproc=4096:4096 "$@" &
wait $!
