package container

import (
	"path"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// UnpackedPath is where the state of an Unpack has what was in the archive.
const UnpackedPath = OutDir + "/" + step.UnpackedDir

// Archive is a file of a tree, or a folder that holds an OCI layout.
type Archive struct {
	Tree   bk.State
	Path   string // absolute
	Folder bool
}

// Unpack is a module's archive, checked and unpacked by a step; name is what the vertex is called. The step is told nothing of
// where the archive comes from, so that it runs once for each that there is.
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
