package container

import (
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
)

// cacheID returns the id of a cache mount. A cache belongs to one project, and to one user of it. A shared cache belongs to all
// projects of the builder that have the module.
func (b *Builder) cacheID(m *module.Module, kind, name string, shared bool) string {
	project := b.Project
	if shared {
		kind, project = "shared "+kind, "" // another kind, so that no project's name can match it
	}
	id := layerkey.Digest([]byte(strings.Join([]string{
		kind, project, m.ID(), name, PlatformString(b.Platform), b.Owner.String(),
	}, "\x00")))
	if b.CacheNS != "" {
		return b.CacheNS + "/" + id
	}
	return id
}

// PlatformString returns a platform as text. Equal platforms have equal texts.
func PlatformString(p ocispecs.Platform) string { return platforms.Format(platforms.Normalize(p)) }
