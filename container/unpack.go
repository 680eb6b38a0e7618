package container

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// UnpackedPath is the path of an archive's content in the state of an Unpack.
const UnpackedPath = OutDir + "/" + step.UnpackedDir

// Unpack returns a step that checks and unpacks a module's archive. name is the name of its vertex. The step is not told where
// the archive comes from, so that it runs once for each archive.
func (n Native) Unpack(a module.Archive, name string, opts ...bk.ConstraintsOpt) (bk.State, error) {
	mount := llb.Mount{Dest: step.ArchiveDir, Tree: a.Tree, Source: a.Path, Kind: llb.ReadOnly}
	if !a.Folder {
		mount.Source = "/archive"
		to := path.Join(mount.Source, path.Base(a.Path))
		mount.Tree = bk.Scratch().File(bk.Copy(a.Tree, a.Path, to, &bk.CopyInfo{CreateDestPath: true, CreatedTime: &DefaultTime}),
			bk.WithCustomName("[internal] archive "+path.Base(a.Path)))
	}
	return n.run(step.Unpack{}, mount, append([]bk.ConstraintsOpt{bk.WithCustomName(name)}, opts...)...)
}

// run returns what a task of the step program leaves that sees one mount, and neither an app nor a network.
func (n Native) run(task step.Task, mount llb.Mount, opts ...bk.ConstraintsOpt) (bk.State, error) {
	files, id, err := (&Files{}).tree(step.Spec{Contract: step.Contract, Task: task}, bk.WithCustomName("[internal] "+string(task.Kind())+" definition"))
	if err != nil {
		return bk.State{}, err
	}
	out := llb.Exec{
		Root: bk.Scratch(),
		Args: []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:  "/",
		Mounts: []llb.Mount{
			{Dest: step.BinDir, Tree: n.Tools, Source: toolsStepDir, Kind: llb.ReadOnly},
			{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
			{Dest: step.OutDir, Tree: newOutput(), Source: OutDir, Kind: llb.Output},
			mount,
		},
		NetMode: pb.NetMode_NONE,
		Options: append([]bk.ConstraintsOpt{bk.Platform(n.Platform)}, opts...),
	}.Run()
	return out[step.OutDir], nil
}

// newOutput returns an empty folder for what a step of root leaves.
func newOutput() bk.State {
	return llb.EmptyDir(OutDir, llb.Owner{}, bk.WithCustomName("[internal] new output"))
}
