package convert

import (
	"strings"

	"github.com/packfile/frontend/module"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
)

// viewKey is the key under which a layer's run step sees the app. With the app's identity in it two projects with equal
// layer keys never see each other's files.
func viewKey(layerKey, project string) string {
	return digestOf([]byte("view\x00" + layerKey + "\x00" + project))
}

// cacheID of a cache mount. A cache belongs to one project, and to one user of it; a shared one to all projects of the
// builder that have the module.
func (b *Build) cacheID(m *module.Module, kind, name string, shared bool) string {
	project := b.in.Project
	if shared {
		kind, project = "shared "+kind, "" // another kind, so that no project can be named like all of them
	}
	id := digestOf([]byte(strings.Join([]string{
		kind, project, m.ID(), name, platformString(b.in.Platform), b.in.Owner.String(),
	}, "\x00")))
	if b.in.CacheNS != "" {
		return b.in.CacheNS + "/" + id
	}
	return id
}

func digestOf(text []byte) string { return layerkey.Digest(text) }

func platformString(p ocispecs.Platform) string { return platforms.Format(platforms.Normalize(p)) }
