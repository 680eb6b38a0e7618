#!/usr/bin/env bash
# Starts the benchmark with .dev/env sourced, as `make bench` does. What it measures: docs/benchmarks.md.
source "$(dirname "$0")/../lib/place.sh"

cd "$ROOT"
exec go run ./hack/bench "$@"
