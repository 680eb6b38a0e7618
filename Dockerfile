# The frontend image: a gateway frontend of BuildKit, and what it mounts into steps and puts into app images.
#
#   docker buildx bake                      builds it, see docker-bake.hcl
#
# A base image other than golang is given by name: --build-context golang=docker-image://REF.
# Behind a private certificate authority: --secret id=ca-certificates,src=/path/of/ca-bundle.crt. Behind a module proxy:
# --build-arg GOPROXY=URL.
# Binaries that are built already, in DIR/out, are put into an image by --build-context build=DIR.

FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26 AS golang

FROM --platform=$BUILDPLATFORM golang AS build
WORKDIR /src
ARG GOPROXY GOSUMDB GONOSUMDB GOPRIVATE
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=secret,id=ca-certificates,target=/etc/ssl/certs/ca-certificates.crt \
    go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    hack/binaries.sh /out

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="packfile frontend" \
      org.opencontainers.image.description="Builds app images from a packfile.toml" \
      org.opencontainers.image.source="https://github.com/packfile/frontend" \
      org.opencontainers.image.version="${VERSION}" \
      moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring"
COPY --from=build /out/ /
ENTRYPOINT ["/packfile-frontend"]
