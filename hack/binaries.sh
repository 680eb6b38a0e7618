#!/bin/sh
# Builds everything that is in the frontend image into OUT, laid out as in the image:
#   binaries.sh OUT
# For TARGETOS/TARGETARCH, where they are given (TARGETVARIANT as in v7), else for this machine.
set -eu

out=$1
export CGO_ENABLED=0
if [ -n "${TARGETOS:-}" ]; then export GOOS="$TARGETOS"; fi
if [ -n "${TARGETARCH:-}" ]; then export GOARCH="$TARGETARCH"; fi
if [ "${TARGETARCH:-}" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi

build() { go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$out/$1" "./cmd/$2"; }

build packfile-frontend packfile-frontend
build step/packfile-step packfile-step
build launcher launcher
ln -sf packfile-step "$out/step/get-dep"
