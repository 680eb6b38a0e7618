package container

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// UnpackedPath is the path of an archive's content in the state of an Unpack.
const UnpackedPath = OutDir + "/" + step.UnpackedDir

// Archive is a file of a tree, or a folder that holds an OCI layout.
type Archive struct {
	Tree   bk.State
	Path   string // absolute
	Folder bool
}

// Unpack returns a step that checks and unpacks a module's archive. name is the name of its vertex. The step is not told where
// the archive comes from, so that it runs once for each archive.
func (n Native) Unpack(a Archive, name string, opts ...bk.ConstraintsOpt) (bk.State, error) {
	mount := llb.Mount{Dest: step.ArchiveDir, Tree: a.Tree, Source: a.Path, Kind: llb.ReadOnly}
	if !a.Folder {
		mount.Source = "/archive"
		to := path.Join(mount.Source, path.Base(a.Path))
		mount.Tree = bk.Scratch().File(bk.Copy(a.Tree, a.Path, to, &bk.CopyInfo{CreateDestPath: true, CreatedTime: &DefaultTime}),
			bk.WithCustomName("[internal] archive "+path.Base(a.Path)))
	}
	files, id, err := (&Files{}).tree(step.Spec{Contract: step.Contract, Task: step.Unpack{}}, bk.WithCustomName("[internal] unpack definition"))
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
			{Dest: step.OutDir, Tree: llb.EmptyDir(OutDir, llb.Owner{}, bk.WithCustomName("[internal] new output")), Source: OutDir, Kind: llb.Output},
			mount,
		},
		NetMode: pb.NetMode_NONE,
		Options: append([]bk.ConstraintsOpt{bk.Platform(n.Platform), bk.WithCustomName(name)}, opts...),
	}.Run()
	return out[step.OutDir], nil
}
