package module

import (
	"context"
	"fmt"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
)

// readBuildpack makes a module of a buildpack with programs of its own. It fails when bin/detect or bin/build is missing.
func (l *loader) readBuildpack(ctx context.Context, m *Module, about *buildpack.File, info buildpack.Info) error {
	name := info.ID + "@" + info.Version
	programs := map[string]*fstypes.Stat{}
	bin, _, err := m.folder.Stat(ctx, "bin")
	if err == nil && bin != nil {
		programs, err = m.folder.Entries(ctx, "bin")
	}
	if err != nil {
		return fmt.Errorf("the programs of %s: %w", name, err)
	}
	if programs["detect"] == nil || programs["build"] == nil {
		return m.Fail(info.At("id"), "%s has neither a packfile nor an order nor programs (bin/detect, bin/build)", name)
	}
	oldest, newest := api.OldestToday, api.Newest // a buildpack with programs is for today's lifecycles
	speaks, err := api.Parse(about.API)
	switch {
	case about.API == "":
		return m.Fail(about.Range(), "%s does not say which Buildpack API it speaks: known are %s to %s", name, oldest, newest)
	case err != nil || !speaks.Within(oldest, newest):
		return m.Fail(about.At("api"), "%s speaks Buildpack API %s: known are %s to %s", name, about.API, oldest, newest)
	}
	m.Packfile = &packfile.Packfile{
		API:    about.API,
		Config: packfile.Config{Table: info.Table, ID: info.ID, Version: info.Version, Homepage: info.Homepage},
	}
	m.Buildpack = &Buildpack{API: about.API, ClearEnv: info.ClearEnv, Targets: about.For()}
	m.Own = true
	m.tree, err = treeID(ctx, m.folder)
	return err
}

// treeID returns an id of a folder, by where the folder comes from. Equal folders from two places have two ids.
func treeID(ctx context.Context, f tree.Folder) (string, error) {
	dgst, err := llb.DefinitionDigest(ctx, f.State)
	return dgst.String() + f.Path(""), err
}
