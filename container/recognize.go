package container

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// Recognize returns a step that tells the user when the app of a module had another identity on this builder. names are those of
// its layers and caches, and cacheNS is Input.CacheNS. The step runs once for each identity, and nothing else sees what it
// remembers of other projects.
func (n Native) Recognize(module, identity string, names []string, cacheNS string) (bk.State, error) {
	spec := step.Spec{Contract: step.Contract, Task: step.Recognize{Identity: layerkey.Digest([]byte(identity)), Names: names}}
	files, id, err := (&Files{}).tree(spec, bk.WithCustomName("[internal] identity definition"))
	if err != nil {
		return bk.State{}, err
	}
	cache := layerkey.Digest([]byte("identity\x00" + module))
	if cacheNS != "" {
		cache = cacheNS + "/" + cache
	}
	empty := llb.EmptyDir(OutDir, llb.Owner{}, bk.WithCustomName("[internal] new output"))
	out := llb.Exec{
		Root: bk.Scratch(),
		Args: []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:  "/",
		Mounts: []llb.Mount{
			{Dest: step.BinDir, Tree: n.Tools, Source: toolsStepDir, Kind: llb.ReadOnly},
			{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
			{Dest: step.OutDir, Tree: empty, Source: OutDir, Kind: llb.Output},
			{Dest: step.KnownDir, Tree: empty, Source: OutDir, Kind: llb.Cache, CacheID: cache},
		},
		NetMode: pb.NetMode_NONE,
		Options: []bk.ConstraintsOpt{bk.Platform(n.Platform), bk.WithCustomName("[identity] of the app")},
	}.Run()
	return out[step.OutDir], nil
}
