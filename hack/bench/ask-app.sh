#!/usr/bin/env bash
# Runs an image, and fails when its answer does not have a text:
#   ask-app.sh REF PATH TEXT ARGUMENTS
# The answer is what it says over HTTP to PATH on a free port, @PORT@ in ARGUMENTS and $PORT; without PATH what it prints.
source "$(dirname "$0")/../lib/place.sh"

ref=$1 path=$2 text=$3
port=$((20000 + RANDOM % 10000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
read -ra arguments <<<"${4//@PORT@/$port}"

if [ -z "$path" ]; then
	"$ROOT/hack/run-image.sh" "$ref" "${arguments[@]}" | grep -F "$text"
	exit
fi
"$ROOT/hack/run-image.sh" -e PORT="$port" "$ref" "${arguments[@]}" &
container=$!
trap 'kill "$container" 2>/dev/null; wait "$container" || true' EXIT
for _ in {1..600}; do
	if curl -fsS "http://127.0.0.1:$port$path" 2>/dev/null | grep -F "$text"; then exit; fi
	kill -0 "$container" || die "it has ended"
	sleep 0.1
done
die "no answer"
