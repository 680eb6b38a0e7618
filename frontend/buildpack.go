package frontend

import (
	"context"
	"fmt"
	"slices"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
)

// buildpackAPIs are the versions of the Buildpack API that a buildpack with programs may speak: those of today's lifecycles.
var buildpackAPIs = []string{"0.7", "0.8", "0.9", "0.10", "0.11", "0.12"}

// readBuildpack makes a unit of a buildpack with programs of its own.
func (l *loader) readBuildpack(ctx context.Context, u *unit, about *packfile.BuildpackTOML, info packfile.BuildpackInfo) error {
	name := info.ID + "@" + info.Version
	programs := map[string]*fstypes.Stat{}
	bin, _, err := u.folder.Stat(ctx, "bin")
	if err == nil && bin != nil {
		programs, err = u.folder.Entries(ctx, "bin")
	}
	if err != nil {
		return fmt.Errorf("the programs of %s: %w", name, err)
	}
	if programs["detect"] == nil || programs["build"] == nil {
		return u.errorAt(info.At("id"), "%s has neither a packfile nor an order nor programs (bin/detect, bin/build)", name)
	}
	oldest, newest := buildpackAPIs[0], buildpackAPIs[len(buildpackAPIs)-1]
	switch {
	case about.API == "":
		return u.errorAt(about.Range(), "%s does not say which Buildpack API it speaks: known are %s to %s", name, oldest, newest)
	case !slices.Contains(buildpackAPIs, about.API):
		return u.errorAt(about.At("api"), "%s speaks Buildpack API %s: known are %s to %s", name, about.API, oldest, newest)
	}
	u.Packfile = &packfile.Packfile{
		API:    about.API,
		Config: packfile.Config{Table: info.Table, ID: info.ID, Version: info.Version, Homepage: info.Homepage},
	}
	u.Buildpack = &module.Buildpack{API: about.API, ClearEnv: info.ClearEnv, Targets: about.For()}
	u.own = true
	u.tree, err = l.treeID(ctx, u.folder)
	return err
}

// treeID tells folders apart by where they come from. One that comes from two places has two.
func (b *build) treeID(ctx context.Context, f tree.Folder) (string, error) {
	dgst, err := definitionDigest(ctx, f.State)
	return dgst.String() + f.Path(""), err
}

// warnAboutPlans passes warnings about build plans on, each once for all platforms.
func (b *build) warnAboutPlans(ctx context.Context, warnings []group.PlanWarning) {
	for _, w := range warnings {
		text := fmt.Sprintf("%s: build plan: %s", w.Module.Name(), w.Message)
		if b.planSays.add(text) && b.opts.requestID == "" { // else the answer has it
			b.warn(ctx, text, "bin/detect of the buildpack wrote it.")
		}
	}
}
