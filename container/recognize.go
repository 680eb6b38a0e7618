package container

import (
	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// Recognize returns a step that tells the user when the app of a module had another identity on this builder. names are those of
// its layers and caches, and cacheNS is Input.CacheNS. The step runs once for each identity, and nothing else sees what it
// remembers of other projects.
func (n Native) Recognize(module, identity string, names []string, cacheNS string) (bk.State, error) {
	cache := layerkey.Digest([]byte("identity\x00" + module))
	if cacheNS != "" {
		cache = cacheNS + "/" + cache
	}
	task := step.Recognize{Identity: layerkey.Digest([]byte(identity)), Names: names}
	mount := llb.Mount{Dest: step.KnownDir, Tree: newOutput(), Source: OutDir, Kind: llb.Cache, CacheID: cache}
	return n.run(task, mount, bk.WithCustomName("[identity] of the app"))
}
