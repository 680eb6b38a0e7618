package frontend

import (
	"context"
	"fmt"
	"slices"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/packfile"
)

// atOnce are the warnings that a build passes on when it has read a packfile. Of deps without sha it has more to say when it has
// found them.
func atOnce(warnings []packfile.Diagnostic) []packfile.Diagnostic {
	return slices.DeleteFunc(slices.Clone(warnings), func(w packfile.Diagnostic) bool { return w.Rule == packfile.UnpinnedDep.Name })
}

// warnUnpinned says of each dep without sha what that costs, and which sha it has now.
func (b *build) warnUnpinned(ctx context.Context, conv *convert.Build, facts convert.Facts) error {
	deps, err := conv.Unpinned(facts)
	for _, d := range deps {
		message := fmt.Sprintf("%s:%d: dep %s has no sha: every build asks %q for it, and an empty builder downloads it; what it is now "+
			"is pinned by: sha = %q", d.Filename, d.At.Start.Line, d.Name, layerkey.Redact(d.URI), d.SHA)
		if b.unpinnedSays.add(message) {
			b.warn(ctx, message, packfile.UnpinnedDep.Description)
		}
	}
	return err
}
