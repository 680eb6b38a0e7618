#!/usr/bin/env bash
# Makes the frontend image for this machine and pushes it to the registry on loopback: binaries built here, which is
# quick, put into the image by the Dockerfile's last stage. frontend-release.sh builds all of it as a release does.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/stamp.sh"

cd "$ROOT"
ref=$(cat "$DEV/run/registry.addr")/packfile/frontend:dev
build=$DEV/frontend

hack/binaries.sh "$build/out"
digest=$(digest_of "$ref" Dockerfile hack/frontend.sh "$build"/out/{packfile-frontend,step/packfile-step,launcher})
if fresh frontend "$digest"; then exit 0; fi

say "image $ref"
quietly "$DEV/log/frontend.log" "$BIN/buildctl" --addr "unix://$(socket buildkitd)" build --progress plain \
	--frontend dockerfile.v0 --local dockerfile=. --local context=. \
	--opt context:build=local:build --local build="$build" \
	--output type=image,name="$ref",push=true,compression=zstd,compression-level=19,force-compression=true
made frontend "$digest"
