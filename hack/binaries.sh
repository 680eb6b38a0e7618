#!/bin/sh
# Builds what is in the frontend image into OUT, laid out as in the image; with names of programs only those:
#   binaries.sh OUT [PROGRAM...]
# For TARGETOS/TARGETARCH, where they are given (TARGETVARIANT as in v7), else for this machine.
set -eu

out=$1
shift
programs=${*:-packfile-frontend packfile-step launcher}
export CGO_ENABLED=0
if [ -n "${TARGETOS:-}" ]; then export GOOS="$TARGETOS"; fi
if [ -n "${TARGETARCH:-}" ]; then export GOARCH="$TARGETARCH"; fi
if [ "${TARGETARCH:-}" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi

for program in $programs; do
	case $program in
	packfile-step) file=step/$program ;;
	*) file=$program ;;
	esac
	go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$out/$file" "./cmd/$program"
done
ln -sf packfile-step "$out/step/get-dep"
