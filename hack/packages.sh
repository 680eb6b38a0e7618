#!/usr/bin/env bash
# Installs the system packages that the development environment needs, when they are missing.
source "$(dirname "$0")/lib/place.sh"

packages=(
	ca-certificates curl git jq xz-utils # everyday
	runc                                 # buildkitd runs steps with it
	rootlesskit uidmap                   # buildkitd of an ordinary user
	docker-registry                      # the registry on loopback
	mmdebstrap debian-archive-keyring    # the build and run images
	skopeo umoci podman                  # images, looked into and run
	busybox-static                       # containers of the tests
	shellcheck                           # make lint
)

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || die "these Debian packages are needed, and there is no apt-get here: ${missing[*]}"
say "installing system packages: ${missing[*]}"
quietly "$DEV/log/apt.log" as_root apt-get update
# No service is started by an install: the environment runs its own daemons.
quietly "$DEV/log/apt.log" as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
	apt-get install -y --no-install-recommends "${missing[@]}"
