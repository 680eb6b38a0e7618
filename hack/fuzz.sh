#!/usr/bin/env bash
# Runs every fuzz test for FUZZTIME (10s), one after another.
source "$(dirname "$0")/lib/place.sh"

cd "$ROOT"
for package in $(go list ./...); do
	tests=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
	for test in $tests; do
		say "$package $test"
		go test -run '^$' -fuzz "^$test\$" -fuzztime "${FUZZTIME:-10s}" "$package"
	done
done
