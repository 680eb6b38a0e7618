#!/usr/bin/env bash
# Makes the frontend image for this machine and pushes it to the registry on loopback: binaries built here, which is
# quick, put into the image by the Dockerfile's last stage. It has what apps for other platforms need, too, but no frontend
# for them. frontend-release.sh builds all of it as a release does.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/stamp.sh"

cd "$ROOT"
ref=$(cat "$DEV/run/registry.addr")/packfile/frontend:dev
build=$DEV/frontend
platforms=$(native_platforms)
mapfile -t others < <(tr , '\n' <<<"${platforms#"${platforms%%,*}"}" | sed '/^$/d'; echo linux/arm64)

hack/binaries.sh "$build/out"
made_of=("$ref" Dockerfile hack/frontend.sh "$build"/out/{packfile-frontend,step/packfile-step,launcher})
for other in "${others[@]}"; do
	TARGETARCH=${other#linux/} hack/binaries.sh "$build/${other#linux/}/out" packfile-step launcher
	made_of+=("$build/${other#linux/}"/out/{step/packfile-step,launcher})
done
digest=$(digest_of "${made_of[@]}")
if fresh frontend "$digest"; then exit 0; fi

# one PLATFORM FOLDER: the image for one platform, by the name $ref-ARCH.
one() {
	quietly "$DEV/log/frontend.log" "$BIN/buildctl" --addr "unix://$(socket buildkitd)" build --progress plain \
		--frontend dockerfile.v0 --local dockerfile=. --local context=. --opt platform="$1" \
		--opt context:build=local:build --local build="$2" \
		--output type=image,name="$ref-${1#linux/}",push=true,compression=zstd,compression-level=19,force-compression=true
}

say "image $ref"
one "${platforms%%,*}" "$build"
for other in "${others[@]}"; do one "$other" "$build/${other#linux/}"; done
all=("${platforms%%,*}" "${others[@]}")
quietly "$DEV/log/frontend.log" "$BIN/buildx" imagetools create --tag "$ref" "${all[@]/#linux\//$ref-}"
made frontend "$digest"
