package frontend

import (
	"context"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/packfile/frontend/llb"
)

// app is the main context of the build.
type app struct {
	tree bk.State
	// stable is the same without a session, for keyed views: two builds have equal definitions of it. Only local folders
	// have one. A Git commit, an archive or an input of bake is known by its content instead, which needs no sending.
	stable *bk.State
}

// startApp finds the app, unless that is done, and has it sent: everything needs it, so it may be on its way while images and
// modules are looked up. Whether it arrives, before ctx of the whole build ends, is told to whoever asks next.
func (b *build) startApp(ctx, whole context.Context) (err error) {
	if b.app != nil {
		return nil
	}
	if b.app, err = b.findApp(ctx); err != nil {
		return err
	}
	go func() { _, _ = b.solve(whole, b.app.tree) }()
	return nil
}

// findApp finds the main context: a local folder, a Git repository, an archive, or an input of bake.
func (b *build) findApp(ctx context.Context) (*app, error) {
	st, err := b.ui.MainContext(ctx)
	if err != nil {
		return nil, err
	}
	if st.Output() == nil {
		return nil, llb.ErrEmptyView
	}
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	name, _, err := localSource(def)
	if err != nil || name == "" || len(def.Def) != 2 {
		return &app{tree: b.selected(*st)}, err
	}
	excludes, err := b.ui.DockerIgnorePatterns(ctx)
	if err != nil {
		return nil, err
	}
	// The same options as dockerui's but the session: equal options make one transfer serve both.
	stable := b.selected(bk.Local(name,
		bk.ExcludePatterns(excludes),
		bk.SharedKeyHint(name),
		dockerui.WithInternalName("load build context")))
	return &app{tree: b.selected(*st), stable: &stable}, nil
}

// selected is what a project descriptor leaves of the app's files.
func (b *build) selected(st bk.State) bk.State {
	if b.project == nil || len(b.project.Include)+len(b.project.Exclude) == 0 {
		return st
	}
	return bk.Scratch().File(bk.Copy(st, "/", "/", &bk.CopyInfo{
		CopyDirContentsOnly: true, IncludePatterns: b.project.Include, ExcludePatterns: b.project.Exclude,
	}), dockerui.WithInternalName("files of the app that "+b.source.Filename+" selects"))
}
