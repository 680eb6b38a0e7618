package frontend

import (
	"context"
	"fmt"
	"path"
	"strings"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/node"
)

// checkPlaces tells the user what the app has where a layer has a symbolic link, and so is left out. It fails when the link would
// be below a file of the app. It asks for nothing but entries of folders of the app.
func (s *selections) checkPlaces(ctx context.Context) error {
	for _, p := range s.places {
		above, found, err := s.links.along(ctx, p.Path)
		if err != nil {
			return err
		}
		at := node.Diagnostic{Range: p.At}
		switch {
		case above != "":
			at.Message = fmt.Sprintf("app-symlinks: the link %q of layer %s would be below %q, which is no folder of the app", p.Path, p.Layer, above)
			return &node.Error{Filename: p.Filename, Diagnostics: []node.Diagnostic{at}}
		case found != nil:
			at.Message = fmt.Sprintf("app-symlinks: the app's own %q is left out: layer %s has a link there", p.Path, p.Layer)
			at.Hint = "name it in .dockerignore, or remove it"
			s.build.warnOnce(ctx, p.Filename, []node.Diagnostic{at})
		}
	}
	return nil
}

// along returns what the app has at a path, whether anybody sees it or not, nil when it has nothing. above is the first entry
// above the path that is no folder, "" when there is none.
func (a *appLinks) along(ctx context.Context, name string) (above string, found *fstypes.Stat, err error) {
	dir := ""
	for rest := name; ; {
		first, below, more := strings.Cut(rest, "/")
		if !more {
			found, err = a.look(ctx, dir, first)
			return "", found, err
		}
		stat, err := a.entry(ctx, dir, first)
		if stat == nil || err != nil {
			return "", nil, err
		}
		if dir = path.Join(dir, first); !stat.IsDir() {
			return dir, nil, nil
		}
		rest = below
	}
}
