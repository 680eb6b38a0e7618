#!/usr/bin/env bash
# Makes the build and run images that the project is tried on, from Debian packages, and pushes them to the registry on
# loopback. Each is made again only when what it is made from, or the registry's address, has changed.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/stamp.sh"

registry=$(cat "$DEV/run/registry.addr")
images=$DEV/images
arch=$(dpkg --print-architecture)
platforms=$(native_platforms)
platform=${platforms%%,*}

# rootfs NAME ARCH VARIANT PACKAGES: the root file system NAME.tar.
rootfs() {
	local digest
	digest=$(digest_of "$ROOT/hack/rootfs.sh" "$@")
	if [ -f "$images/$1.tar" ] && fresh "rootfs-$1" "$digest"; then return; fi
	say "Debian packages into $1.tar: $4"
	"$ROOT/hack/rootfs.sh" "$images/$1.tar" "${@:2}"
	made "rootfs-$1" "$digest"
}

# image TARGET TAG PLATFORMS ROOTFS... : builds and pushes packfile/TARGET:TAG, made from those root file systems.
image() {
	local target=$1 ref=$registry/packfile/$1:$2 digest part rewrite=false
	local from=("$ref" "$3" "$ROOT/hack/images.sh" "$ROOT/hack/images/Dockerfile")
	for part in "${@:4}"; do from+=("$DEV/stamp/rootfs-$part"); done
	if [ "$target" = go ]; then from+=("$(go env GOVERSION)"); fi
	digest=$(digest_of "${from[@]}")
	if fresh "image-$target" "$digest"; then return; fi
	# A root file system comes without a trace of today. What is added to it does not, and giving it the old date means
	# compressing everything twice, so only the small images, which are for any machine, get it.
	case $target in busybox | debian | empty) rewrite=true ;; esac
	say "image $ref"
	quietly "$DEV/log/image-$target.log" "$BIN/buildctl" --addr "$BUILDKIT_HOST" build --progress plain \
		--frontend dockerfile.v0 --opt target="$target" --opt platform="$3" \
		--opt build-arg:SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
		--local dockerfile="$ROOT/hack/images" --local context="$images" \
		--opt context:goroot=local:goroot --local goroot="$(go env GOROOT)" \
		--opt context:ca-certificates=docker-image://"$registry/packfile/build:bookworm" \
		--output type=image,name="$ref",push=true,rewrite-timestamp=$rewrite,compression-level=3
	made "image-$target" "$digest"
}

mkdir -p "$images"
BUILDKIT_HOST=unix://$(socket buildkitd)
printf 'root:x:0:0:root:/root:/bin/sh\ncnb:x:1000:1000:cnb:/home/cnb:/bin/sh\n' >"$images/passwd"
printf 'root:x:0:\ncnb:x:1000:\n' >"$images/group"

rootfs build "$arch" minbase bash,ca-certificates,curl,git,nodejs,npm,python3,xz-utils
rootfs debian "$arch" minbase apt
rootfs run "$arch" minbase ca-certificates,libstdc++6,nodejs,python3
busyboxes=()
mapfile -t natives < <(tr , '\n' <<<"$platforms")
for goarch in "${natives[@]#linux/}"; do
	case $goarch in
	386) busybox_arch=i386 ;;
	*) busybox_arch=$arch ;;
	esac
	rootfs "busybox-$goarch" "$busybox_arch" extract busybox-static
	busyboxes+=("busybox-$goarch")
done

image build bookworm "$platform" build
image run bookworm "$platform" run
image go bookworm "$platform" build
image debian bookworm "$platform" debian
image busybox latest "$platforms" "${busyboxes[@]}"
image empty latest "$platforms,linux/arm64" build # one more than this machine runs
