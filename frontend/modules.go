package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
)

// loadModules finds all modules. When the packfile names any, the app is sent at the same time.
func (b *build) loadModules(ctx context.Context) (err error) {
	load := func(ctx context.Context) (err error) {
		b.modules, err = module.Load(ctx, world{b}, b.root, b.ui.BuildPlatforms[0])
		return err
	}
	if len(b.pf.Buildpacks)+len(b.pf.Order) == 0 || b.opts.requestID != "" || b.rebasing() {
		return load(ctx)
	}
	eg, egCtx := guard.NewGroup(ctx)
	eg.Go(func() error { return b.startApp(egCtx, ctx) })
	eg.Go(func() error { return load(egCtx) })
	return eg.Wait()
}

// world is a build as the loader of modules sees it.
type world struct{ b *build }

var _ module.World = world{}

// Resolve returns the content of a source, and what it resolved to.
func (w world) Resolve(ctx context.Context, s source.Source) (bk.State, source.Resolved, error) {
	return w.b.sources.Resolve(ctx, s)
}

// HasContext reports whether the user gave a module's id as a named context. BuildKit itself would not look for every id, and
// some names are those of images.
func (w world) HasContext(id string) bool {
	return id != previousName && id != source.AppContext && !slices.Contains(namedImages, id) && w.b.client.BuildOpts().Opts["context:"+id] != ""
}

// Root returns the folder of the packfile being built, with the given paths.
func (w world) Root(ctx context.Context, paths []string) (tree.Folder, error) {
	// The user of steps must be able to execute programs of modules, whoever checked them out.
	st, _, err := w.b.sources.Resolve(ctx, source.Beside{Paths: paths, Mode: container.AppMode})
	if err != nil {
		return tree.Folder{}, err
	}
	ref, err := w.b.solve(ctx, st)
	return tree.Folder{State: st, Files: files{ref}}, err
}

// Fetch waits until a state is there, and returns its files. Its caller says where the state is named.
func (w world) Fetch(ctx context.Context, st bk.State) (tree.Folder, error) {
	ref, err := w.b.solve(ctx, st)
	if err != nil {
		return tree.Folder{}, errors.New(withoutPrefix(err.Error()))
	}
	return tree.Folder{State: st, Files: files{ref}}, nil
}

// Unpack returns the content of an archive, or an error that says why the archive is refused.
func (w world) Unpack(ctx context.Context, a module.Archive, name string) (none tree.Folder, err error) {
	native, err := w.b.nativeTools(ctx)
	if err != nil {
		return none, err
	}
	st, err := native.Unpack(a, name)
	if err != nil {
		return none, err
	}
	root, err := w.Fetch(ctx, st)
	if err != nil {
		return none, err
	}
	refused, _, err := root.Stat(ctx, strings.TrimPrefix(container.ResultPath, "/"))
	if err != nil {
		return none, err
	}
	if refused != nil { // an archive that was unpacked has no result
		result, err := readResult(ctx, root.Files, container.ResultPath)
		if err == nil {
			err = errors.New(result.Refused)
		}
		return none, err
	}
	return root.Sub(strings.TrimPrefix(container.UnpackedPath, "/")), nil
}

// Show adds a file that errors can show.
func (w world) Show(text *bk.SourceMap) { w.b.keepText(text) }

// Warn passes on what is questionable about a file. During a subrequest it does nothing: the answer has the warnings.
func (w world) Warn(ctx context.Context, filename string, warnings []node.Diagnostic) {
	switch {
	case w.b.opts.requestID != "":
	case filename == w.b.root.Filename:
		w.b.warnAboutSource(ctx, warnings)
	default:
		w.b.warnAbout(ctx, filename, warnings)
	}
}
