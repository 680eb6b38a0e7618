// Package live resolves sources by asking the world: the client, registries and servers. It is for the frontend, which makes a
// Door for each build. Every call that makes or looks up a source of LLB is in this package; a test of package source finds calls
// elsewhere.
package live

import (
	"context"
	"fmt"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	scan "github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
)

// Door is a source.Resolver for one build.
type Door struct {
	client   gw.Client
	ui       *dockerui.Client
	solve    Solve
	packfile *dockerui.Source // nil until it is read
}

// Solve has BuildKit execute a definition, and returns the files of its result.
type Solve func(context.Context, *bk.Definition) (tree.Files, error)

// New returns a door that resolves sources for the client of a build.
func New(client gw.Client, ui *dockerui.Client, solve Solve) *Door {
	return &Door{client: client, ui: ui, solve: solve}
}

// Packfile reads the file being built. It comes before all sources: they are named in that file, or stand beside it.
func (d *Door) Packfile(ctx context.Context, language string) (file *dockerui.Source, err error) {
	d.packfile, err = d.ui.ReadEntrypoint(ctx, language, d.literalName()...)
	return d.packfile, err
}

// literalName returns an option that asks the client for the packfile when its name would be a pattern: dockerui asks for the
// name as it is, and clients read it as a pattern. It returns none for other names.
func (d *Door) literalName() []bk.LocalOption {
	name := d.client.BuildOpts().Opts["filename"]
	if patterns := similar("", []string{name, name + dockerui.DefaultDockerignoreName}); patterns[0] != name {
		return []bk.LocalOption{bk.FollowPaths(patterns)}
	}
	return nil
}

// Scanner looks up an SBOM generator for the builder's own platform. BuildKit itself makes a step of it.
func (d *Door) Scanner(ctx context.Context, generator string, params map[string]string) (scan.Scanner, error) {
	native := d.ui.BuildPlatforms[0]
	return scan.CreateSBOMScanner(ctx, d.client, generator, native, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &native, ResolveMode: d.ui.ImageResolveMode.String()},
	}, params)
}

// Resolve implements source.Resolver. It fails for a kind of source that it does not know.
func (d *Door) Resolve(ctx context.Context, s source.Source) (bk.State, source.Resolved, error) {
	switch s := s.(type) {
	case source.Image:
		return d.image(ctx, s)
	case source.Context:
		return d.namedContext(ctx, s)
	case source.App:
		return d.app(ctx, s)
	case source.AppTime:
		t, err := d.ui.ResolveMainContextSourceDateEpoch(ctx)
		return bk.Scratch(), source.Resolved{Time: t}, err
	case source.Beside:
		st, err := d.beside(ctx, s)
		return st, source.Resolved{}, err
	case source.Tools:
		st, err := d.tools(ctx, s)
		return st, source.Resolved{}, err
	case source.Git:
		if s.Pinned {
			return d.commit(ctx, s)
		}
	}
	st, err := Make(s)
	return st, source.Resolved{Digest: s.Wanted().Digest, Exact: s.Wanted().Digest != ""}, err
}

// files builds a state and returns its files.
func (d *Door) files(ctx context.Context, st bk.State) (tree.Folder, error) {
	def, err := llb.Marshal(ctx, st, bk.WithCaps(d.client.BuildOpts().LLBCaps))
	if err != nil {
		return tree.Folder{}, err
	}
	files, err := d.solve(ctx, def)
	return tree.Folder{State: st, Files: files}, err
}

// unknownKind returns the error for a kind of source that is new to this package.
func unknownKind(s source.Source) error { return fmt.Errorf("source %T is not known", s) }
