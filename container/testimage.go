package container

import (
	"encoding/json"
	"path"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// ImageTest is one run of a test of the finished image.
type ImageTest struct {
	Task     step.TestImage
	Image    bk.State // its files
	ReadOnly bool     // the command cannot change them
	Network  string   // that the test wants; "" is none
	At       module.Place
	Name     string // of the test, for its vertex
	NoCache  bool
}

// TestImage returns a step that succeeds when the image passes the test. The container is the image's own, with our programs and the
// spec of the step in it. Nothing of the user's is: no secret, no cache, no build argument.
//
// No two tests share a tree, since several may fail: BuildKit v0.34.2 takes what a second process that fails shares with the first one
// for something that was released twice, and reports that instead of the failure (registerResultIDs in frontend/gateway/gateway.go).
func (b *Builder) TestImage(t ImageTest) (bk.State, error) {
	data, err := json.MarshalIndent(step.Spec{Contract: step.Contract, Task: t.Task}, "", "  ")
	if err != nil {
		return bk.State{}, err
	}
	id := layerkey.Digest([]byte(PlatformString(b.Platform) + "\x00" + string(data)))
	own := bk.WithCustomName(b.Name("", "for test "+t.Name))
	image := t.Image.File(bk.Mkdir(step.SpecDir, 0o755, bk.WithParents(true)).
		Mkfile(path.Join(step.SpecDir, step.SpecFile), 0o644, data), own)
	tools := b.Tools.File(bk.Mkfile("/"+id, 0o644, nil), own)
	out := OutDir + "-" + id
	network := pb.NetMode_NONE
	if t.Network == "default" && t.At.Module.Packfile.Config.Network != "none" && b.Root.Packfile.Config.Network != "none" {
		network = b.NetMode
	}
	options := []bk.ConstraintsOpt{bk.Platform(b.Platform), bk.WithCustomName(b.Name("test", t.Name)), t.At.Location()}
	if t.NoCache {
		options = append(options, bk.IgnoreCache)
	}
	outputs := llb.Exec{
		Root:  image,
		Fixed: t.ReadOnly,
		Args:  []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:   "/",
		Mounts: []llb.Mount{
			{Dest: step.BinDir, Tree: tools, Source: toolsStepDir, Kind: llb.ReadOnly},
			{Dest: step.OutDir, Tree: llb.EmptyDir(out, llb.Owner{}, own), Source: out, Kind: llb.Output},
		},
		NetMode: network,
		Limits:  b.Limits,
		Options: options,
	}.Run()
	return outputs[step.OutDir], nil
}

// ReportCommand returns the command that prints the report of a step that failed, with its program at the path that it has in the tree
// that was mounted at step.BinDir.
func ReportCommand() []string {
	return []string{path.Join(toolsStepDir, step.StepBinary), "", step.ShowReport}
}
