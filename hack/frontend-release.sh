#!/usr/bin/env bash
# Builds and publishes the frontend image as a release does, with bake and the whole Dockerfile, but to the registry on
# loopback and with an image of this machine's Go. PLATFORMS=linux/amd64,… builds fewer than all.
source "$(dirname "$0")/lib/place.sh"

cd "$ROOT"
export REPOSITORY=$PACKFILE_REGISTRY/packfile/frontend VERSION=${VERSION:-0.0.0}
export GO_IMAGE=$PACKFILE_GO_IMAGE CA_CERTIFICATES=$PACKFILE_CA_CERTIFICATES

# The scanner that writes the SBOM is an image from outside, which need not be in reach.
options=(--progress=plain --set '*.attest=type=sbom,disabled=true')
if [ -n "${PLATFORMS:-}" ]; then options+=(--set "*.platform=$PLATFORMS"); fi
if [ -n "$CA_CERTIFICATES" ]; then options+=(--allow "fs.read=$CA_CERTIFICATES"); fi

say "image $REPOSITORY:$VERSION"
buildx bake frontend-release "${options[@]}"
buildx imagetools inspect "$REPOSITORY:$VERSION"
