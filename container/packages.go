package container

import (
	"fmt"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// Packages are packages to install on an image.
type Packages struct {
	Base    Base
	Names   []string       // NAME or NAME=VERSION, in the order of the packfiles
	Files   Files          // the sources and keys
	Sources []string       // names in Files: NAME.list or NAME.sources
	Keys    []string       // names in Files: NAME.asc or NAME.gpg
	Refresh string         // changes when versions have become too old
	At      []module.Place // what asks for them, for errors
	Subject string         // of the vertex's name
	Name    string         // the rest of that name
	NoCache bool
}

// InstallPackages returns the image with packages installed, and the state with the step.Result at ResultPath. The step
// takes a network.
func (b *Builder) InstallPackages(p Packages) (root, result bk.State, err error) {
	out, err := b.packages(p, p.Base.State, false)
	return out["/"], out[step.OutDir], err
}

// PackagesLayer returns the layer that installing packages makes on an image, and the state with the step.Result at ResultPath. All
// its files have DefaultTime. The step takes a network.
func (b *Builder) PackagesLayer(p Packages) (layer, result bk.State, err error) {
	// With a folder that no layer gets, the root is another state than the image, which is mounted as well: see llb.Exec.
	root := p.Base.State.File(bk.Mkdir(path.Dir(step.BaseDir), 0o755, bk.WithParents(true)), bk.Platform(b.Platform),
		bk.WithCustomName(b.Name("", "image to install packages on")))
	out, err := b.packages(p, root, true,
		llb.Mount{Dest: step.BaseDir, Tree: p.Base.State, Kind: llb.ReadOnly},
		llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	return out[step.SealedDir], out[step.OutDir], err
}

// packages returns the outputs of a step that installs packages in root, by the paths where they are mounted.
func (b *Builder) packages(p Packages, root bk.State, layer bool, more ...llb.Mount) (map[string]bk.State, error) {
	spec := step.Spec{Contract: step.Contract, Task: step.Packages{
		Names: p.Names, Sources: p.Sources, Keys: p.Keys, Layer: layer, Refresh: p.Refresh, Time: step.DefaultTime,
	}}
	files, id, err := p.Files.tree(spec, bk.WithCustomName(b.Name(p.Subject, "packages definition")))
	if err != nil {
		return nil, err
	}
	faults := map[string]string{}
	for i, name := range p.Names {
		faults[fmt.Sprintf("%s.%d", HintKey, step.FirstName+i)] = name
	}
	opts := []bk.ConstraintsOpt{bk.Platform(b.Platform), bk.WithCustomName(b.Name(p.Subject, p.Name)), bk.WithDescription(faults)}
	for _, at := range p.At {
		opts = append(opts, at.Location())
	}
	if p.NoCache {
		opts = append(opts, bk.IgnoreCache)
	}
	return llb.Exec{
		Root: root,
		Args: []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:  "/",
		Mounts: append([]llb.Mount{
			{Dest: step.BinDir, Tree: b.Tools, Source: toolsStepDir, Kind: llb.ReadOnly},
			{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
			{Dest: step.OutDir, Tree: newOutput(), Source: OutDir, Kind: llb.Output},
			{Dest: step.AptDir, Tree: b.EmptyDir("/apt", llb.Owner{}, "new folder for apt"), Source: "/apt", Kind: llb.Discarded},
			{Dest: "/tmp", Tree: b.tmp, Source: "/tmp", Kind: llb.Discarded},
			{Dest: step.TrustDir, Kind: llb.Memory},
		}, more...),
		Secrets: []llb.Secret{{ID: step.CASecret, File: step.GivenCAFile, Optional: true}},
		NetMode: b.NetMode,
		Env:     p.Base.path(),
		Limits:  b.Limits,
		Options: opts,
	}.Run(), nil
}

// path returns PATH of the image's environment as a variable, nil when it has none.
func (base Base) path() []string {
	if base.Config != nil {
		for _, kv := range base.Config.Config.Env {
			if strings.HasPrefix(kv, "PATH=") {
				return []string{kv}
			}
		}
	}
	return nil
}
