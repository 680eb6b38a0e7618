package frontend

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/packfile"
)

// atOnce are the warnings that a build passes on when it has read a packfile. Of deps without sha it has more to say when it has
// found them.
func atOnce(warnings []packfile.Diagnostic) []packfile.Diagnostic {
	return slices.DeleteFunc(slices.Clone(warnings), func(w packfile.Diagnostic) bool { return w.Rule == packfile.UnpinnedDep.Name })
}

// emptyFile is the checksum of a file without content, which a server may send in place of an error.
var emptyFile = digest.FromBytes(nil).Encoded()

// warnOfFacts says of each dep without sha what that costs, and which sha it has now; and of each test which programs it did not
// find.
func (b *build) warnOfFacts(ctx context.Context, d *graph.Decisions) error {
	for _, n := range d.NotFound() {
		message := fmt.Sprintf("%s:%d: the test of layer %s did not find %s: %s", n.Filename, n.At.Start.Line, n.Layer,
			strings.Join(n.Programs, ", "), n.Hint)
		if b.factsSay.add(message) {
			b.warn(ctx, message, "The version that it settled on may lack what the program would have said.")
		}
	}
	deps, err := d.Unpinned()
	for _, dep := range deps {
		message := fmt.Sprintf("%s:%d: dep %s has no sha: every build asks %q for it, and an empty builder downloads it; what it is now "+
			"is pinned by: sha = %q", dep.Filename, dep.At.Start.Line, dep.Name, layerkey.Redact(dep.URI), dep.SHA)
		if dep.SHA == emptyFile {
			message += ", which is that of an empty file: see what the address gives"
		}
		if b.factsSay.add(message) {
			b.warn(ctx, message, packfile.UnpinnedDep.Description)
		}
	}
	return err
}
