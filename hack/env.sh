#!/usr/bin/env bash
# Makes a buildx builder of our buildkitd, and writes .dev/env, which names all that is running:
#   . .dev/env && docker buildx build …
source "$(dirname "$0")/lib/place.sh"

registry=$(cat "$DEV/run/registry.addr")
socket=$(socket buildkitd)
docker=$DEV/docker

# The system's CA bundle: steps get it as a secret, so that they reach the network from behind a private authority.
ca=
for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
	if [ -f "$file" ]; then
		ca=$file
		break
	fi
done

cat >"$DEV/env.new" <<EOF
# Written by hack/env.sh. The development environment, for a shell to source.
export BUILDKIT_HOST='unix://$socket'
export BUILDX_BUILDER=packfile-dev
export BUILDX_CONFIG='$docker/buildx'
export DOCKER_CONFIG='$docker'
export PACKFILE_REGISTRY=$registry
export PACKFILE_FRONTEND=$registry/packfile/frontend:dev
export PACKFILE_BUILD_IMAGE=$registry/packfile/build:bookworm
export PACKFILE_RUN_IMAGE=$registry/packfile/run:bookworm
export PACKFILE_GO_IMAGE=$registry/packfile/go:bookworm
export PACKFILE_DEBIAN_IMAGE=$registry/packfile/debian:bookworm
export PACKFILE_BUSYBOX_IMAGE=$registry/packfile/busybox:latest
export PACKFILE_EMPTY_IMAGE=$registry/packfile/empty:latest
export PACKFILE_NATIVE_PLATFORMS=$(native_platforms)
export PACKFILE_CA_CERTIFICATES='$ca'
case :\$PATH: in :'$BIN':*) ;; *) export PATH='$BIN':"\$PATH" ;; esac
EOF
if cmp -s "$DEV/env.new" "$DEV/env"; then
	rm "$DEV/env.new"
	exit 0
fi

# A docker command line, where there is one, finds buildx as its plugin; buildx on its own works as well.
mkdir -p "$docker/cli-plugins"
echo '{}' >"$docker/config.json"
ln -sf "$BIN/buildx" "$docker/cli-plugins/docker-buildx"
rm -rf "$docker/buildx"
DOCKER_CONFIG=$docker BUILDX_CONFIG=$docker/buildx \
	quietly "$DEV/log/buildx.log" "$BIN/buildx" create --name packfile-dev --driver remote --use "unix://$socket"
mv "$DEV/env.new" "$DEV/env"
say "wrote .dev/env"
