# docker buildx bake                     the frontend image for this machine
# docker buildx bake frontend-release    builds and publishes it: every platform, every tag of VERSION, with SBOM and
#                                        provenance; the images of a commit have the same digests every time

variable "REPOSITORY" {
  description = "where the image goes"
  default     = "registry.example.com/packfile/frontend"
}

variable "VERSION" {
  description = "of a release, without a leading v: 1.2.3 is tagged 1.2.3, 1.2 and 1"
  default     = "dev"
  validation {
    condition     = VERSION == "dev" || can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$", VERSION))
    error_message = "VERSION must be like 1.2.3 or 1.2.3-rc.1."
  }
}

variable "GO_IMAGE" {
  description = "image with Go to build with, in place of golang"
  default     = ""
}

variable "CA_CERTIFICATES" {
  description = "file with the CA bundle that downloads of Go modules need, behind a private authority"
  default     = ""
}

variable "GOPROXY" {
  description = "as Go knows it"
  default     = null
}

variable "SOURCE_DATE_EPOCH" {
  description = "time of the commit, in seconds: the age of every file in a release"
  default     = null
}

# A pre-release moves no shorter tag.
function "tags" {
  params = [version]
  result = [for tag in can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", version)) ? [
    version,
    join(".", slice(split(".", version), 0, 2)),
    split(".", version)[0],
  ] : [version] : "${REPOSITORY}:${tag}"]
}

group "default" {
  targets = ["frontend"]
}

target "frontend" {
  contexts = GO_IMAGE == "" ? {} : { golang = "docker-image://${GO_IMAGE}" }
  args = {
    GOPROXY = GOPROXY
    VERSION = VERSION
  }
  secret = CA_CERTIFICATES == "" ? [] : ["id=ca-certificates,src=${CA_CERTIFICATES}"]
  tags   = tags(VERSION)
}

target "frontend-release" {
  inherits  = ["frontend"]
  platforms = ["linux/amd64", "linux/arm64", "linux/386", "linux/arm/v7"]
  args      = { SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH }
  output    = ["type=registry,rewrite-timestamp=true,compression=zstd,compression-level=19,force-compression=true"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
}
