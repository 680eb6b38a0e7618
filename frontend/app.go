package frontend

import (
	"context"
	"slices"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/source"
)

// app is the app being built.
type app struct {
	tree bk.State
	// stable is the same tree in a form that has an equal definition in every build, for keyed views. It is nil when there is
	// none: then the app is known by its content.
	stable *bk.State
	source.AppOrigin
}

// startApp finds the app and has it sent, unless that is done already. Everything needs the app, so it may be on its way while
// images and modules are looked up. The sending may outlive ctx, but not whole, the context of the build; whoever asks for the
// app next learns of an error.
func (b *build) startApp(ctx, whole context.Context) error {
	if b.apps != nil {
		return nil
	}
	apps := make([]*app, len(b.platforms()))
	var main *app
	for i, p := range b.platforms() {
		named := b.givenName(source.AppContext, p) != ""
		if !named && main != nil {
			apps[i] = main // it is the same for all platforms
			continue
		}
		found, err := b.findApp(ctx, p)
		if err != nil {
			return err
		}
		if apps[i] = found; !named {
			main = found
		}
		guard.Start(whole, func() error {
			_, err := b.solve(whole, found.tree)
			return err
		}, func(error) {})
	}
	b.apps = apps
	return nil
}

// findApp finds the app for a platform.
func (b *build) findApp(ctx context.Context, p ocispecs.Platform) (*app, error) {
	tree, is, err := b.sources.Resolve(ctx, source.App{Platform: p, KeepGitDir: b.opts.keepGitDir, Hidden: b.ownPlaces()})
	if err != nil {
		return nil, err
	}
	found := &app{tree: selected(b.project, b.source.Filename, tree), AppOrigin: is.App}
	if is.Stable != nil {
		stable := selected(b.project, b.source.Filename, *is.Stable)
		found.stable = &stable
	}
	return found, nil
}

// ownPlaces returns the places in the app where the packfile being built has symbolic links. It takes part in every group.
func (b *build) ownPlaces() (places []string) {
	for _, s := range b.pf.AppSymlinks() {
		places = append(places, s.Path)
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// selected returns the files of the app that a project descriptor includes and does not exclude.
func selected(p *project.Project, filename string, st bk.State) bk.State {
	if p == nil || len(p.Include)+len(p.Exclude) == 0 {
		return st
	}
	return bk.Scratch().File(bk.Copy(st, "/", "/", &bk.CopyInfo{
		CopyDirContentsOnly: true, IncludePatterns: p.Include, ExcludePatterns: p.Exclude,
	}), dockerui.WithInternalName("files of the app that "+filename+" selects"))
}
