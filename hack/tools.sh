#!/usr/bin/env bash
# Builds into .dev/bin the Go tools that a module of tools pins.
#   tools.sh tools    buildkitd, buildctl, buildx
#   tools.sh linters  staticcheck, actionlint
#   tools.sh oracles  the lifecycle of Cloud Native Buildpacks, which tests ask what it makes of images
#   tools.sh oldest   buildkitd-oldest, the oldest BuildKit that the frontend supports
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/stamp.sh"

module=$1
command -v go >/dev/null || die "Go is needed: the version is in go.mod"
cd "$ROOT/hack/$module"

digest=$(digest_of go.mod go.sum "$ROOT/hack/tools.sh" "$(go env GOVERSION)")
if fresh "$module" "$digest"; then exit 0; fi

# Their own main packages print the version that the linker is told.
stamped=()
for dependency in github.com/moby/buildkit github.com/docker/buildx; do
	version=$(go list -m -f '{{.Version}}' "$dependency" 2>/dev/null) || continue
	stamped+=(-X "$dependency/version.Version=$version")
done

mapfile -t commands < <(go list tool)
say "building ${commands[*]##*/} (minutes the first time)"
built=$(mktemp -d "$DEV/built.XXXXXX")
trap 'rm -rf "$built"' EXIT
CGO_ENABLED=0 go build -o "$built/" -buildvcs=false -ldflags "-s -w ${stamped[*]}" "${commands[@]}"
for command in "$built"/*; do
	name=${command##*/}
	if [ "$module" = oldest ]; then name+=-oldest; fi
	mv "$command" "$BIN/$name"
done
made "$module" "$digest"
