package frontend

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	bk "github.com/moby/buildkit/client/llb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/tree"
)

// maxHops is how many symlinks may follow each other, as in Linux.
const maxHops = 40

// appLinks finds the symlinks of an app, and what they lead to. Patterns do not follow symlinks: to BuildKit a symlink is its
// text, and a symlink to a folder has no files. One goroutine uses it.
type appLinks struct {
	build  *build
	tree   bk.State
	dir    string   // folder of the app in tree
	hidden []string // see container.App
	app    *tree.Folder
	seen   map[string]*fstypes.Stat   // by path; nil for what is not there
	listed map[string][]*fstypes.Stat // entries by folder
}

func newAppLinks(b *build, tree bk.State, dir string, hidden []string) *appLinks {
	return &appLinks{build: b, tree: tree, dir: dir, hidden: hidden, seen: map[string]*fstypes.Stat{}, listed: map[string][]*fstypes.Stat{}}
}

// open returns the app's folder, which takes a solve. It is called only when a pattern has a folder in it or there are symlinks.
func (a *appLinks) open(ctx context.Context) (*tree.Folder, error) {
	if a.app == nil {
		ref, err := a.build.solve(ctx, a.tree)
		if err != nil {
			return nil, err
		}
		a.app = &tree.Folder{State: a.tree, Files: files{ref}, Dir: a.dir}
	}
	return a.app, nil
}

// entry returns what a folder of the app has under a name, nil when it has nothing, or nothing that anybody sees.
func (a *appLinks) entry(ctx context.Context, dir, name string) (*fstypes.Stat, error) {
	if a.isHidden(path.Join(dir, name)) {
		return nil, nil
	}
	return a.look(ctx, dir, name)
}

// isHidden reports whether a path of the app makes room for a symbolic link.
func (a *appLinks) isHidden(at string) bool {
	_, hidden := slices.BinarySearch(a.hidden, at)
	return hidden
}

// look returns what a folder of the app has under a name, whether anybody sees it or not; nil when it has nothing.
func (a *appLinks) look(ctx context.Context, dir, name string) (*fstypes.Stat, error) {
	at := path.Join(dir, name)
	stat, ok := a.seen[at]
	if ok {
		return stat, nil
	}
	app, err := a.open(ctx)
	if err == nil {
		stat, err = app.Entry(ctx, dir, name)
		a.seen[at] = stat
	}
	return stat, err
}

// entries returns the entries of a folder of the app, ordered by name. Each folder is asked for once.
func (a *appLinks) entries(ctx context.Context, dir string) ([]*fstypes.Stat, error) {
	if list, ok := a.listed[dir]; ok {
		return list, nil
	}
	app, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	found, err := app.Entries(ctx, dir)
	if err != nil {
		return nil, err
	}
	var list []*fstypes.Stat
	for name, e := range found {
		if !a.isHidden(path.Join(dir, name)) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(x, y *fstypes.Stat) int { return strings.Compare(x.Path, y.Path) })
	a.listed[dir] = list
	return list, nil
}

// destination is where a path of the app leads.
type destination struct {
	links  []string      // symlinks on the way
	passed []string      // folders that the way leaves again, upwards
	path   string        // without any of that, "" for the app's own folder
	stat   *fstypes.Stat // nil for that, and when it leads nowhere
	lost   string        // why it leads nowhere, "" when it leads somewhere
}

// addWay adds to a selection what must be there for the way to lead where it does, except its end and the folder where it begins.
// It reports whether any of that is new.
func (to destination) addWay(sel *fact.Selection, from string) (more bool) {
	for _, l := range to.links {
		more = sel.AddWay(l) || more
	}
	there := append(to.links[:len(to.links):len(to.links)], to.path, path.Join(from, "x"))
	for _, folder := range to.passed {
		if !slices.ContainsFunc(there, func(name string) bool { return strings.HasPrefix(name, folder+"/") }) {
			more = sel.AddTarget(folder) || more
		}
	}
	return more
}

// resolve follows a path that begins in a folder of the app, as the kernel does. A path that leads out of the app leads nowhere:
// the step that sees the symlink reports it as an error.
func (a *appLinks) resolve(ctx context.Context, dir, text string) (destination, error) {
	to := destination{path: dir}
	if path.IsAbs(text) {
		to.lost = "is outside of the app"
		return to, nil
	}
	rest := strings.Split(text, "/")
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch {
		case name == "" || name == ".":
			continue
		case name == ".." && to.path == "":
			to.lost = "is outside of the app"
			return to, nil
		case name == "..":
			to.passed = append(to.passed, to.path)
			to.path, to.stat = parent(to.path), nil
			continue
		case to.stat != nil && !to.stat.IsDir():
			to.lost = "is below a file"
			return to, nil
		case !utf8.ValidString(name):
			to.lost = "has a name that is not UTF-8"
			return to, nil
		}
		stat, err := a.entry(ctx, to.path, name)
		if err != nil {
			return to, err
		}
		at := path.Join(to.path, name)
		switch {
		case stat == nil:
			to.lost = "is not in the app"
			return to, nil
		case !tree.IsSymlink(stat):
			to.path, to.stat = at, stat
			continue
		}
		to.links = append(to.links, at)
		switch {
		case path.IsAbs(stat.Linkname):
			to.lost = "is outside of the app"
			return to, nil
		case len(to.links) > maxHops:
			to.lost = fmt.Sprintf("is behind more than %d symlinks, or behind itself", maxHops)
			return to, nil
		}
		to.stat = nil
		rest = append(strings.Split(stat.Linkname, "/"), rest...)
	}
	return to, nil
}

func parent(name string) string { return strings.TrimPrefix(path.Dir("/"+name), "/") }

// onTheWay adds to a selection the symlinks that stand for folders in its patterns. A ** follows no symlinks, like that of a
// shell.
func (a *appLinks) onTheWay(ctx context.Context, sel *fact.Selection) error {
	for i, glob := range sel.Globs {
		names, err := pattern.NamesOf(glob)
		if err != nil {
			return err
		}
		w := way{appLinks: a, sel: sel, index: i, been: map[string]bool{}}
		if err := w.walk(ctx, "", names); err != nil {
			return err
		}
	}
	return nil
}

// way is the walk along one pattern.
type way struct {
	*appLinks
	sel   *fact.Selection
	index int
	been  map[string]bool
}

// walk follows the names of a pattern through the folders below dir that match them. The symlinks on the way of an exclusion need
// not be there.
func (w *way) walk(ctx context.Context, dir string, names []pattern.Name) error {
	rest := pattern.Join(names)
	key := dir + "\x00" + rest
	if len(names) == 1 || names[0].Deep() || w.been[key] {
		return nil
	}
	w.been[key] = true
	folders, err := w.matching(ctx, dir, names[0])
	if err != nil {
		return err
	}
	glob := w.sel.Globs[w.index]
	for _, stat := range folders {
		at := path.Join(dir, path.Base(stat.Path))
		if tree.IsSymlink(stat) {
			to, err := w.resolve(ctx, dir, path.Base(stat.Path))
			if err != nil {
				return err
			}
			if !pattern.IsExclusion(glob) {
				to.addWay(w.sel, dir)
			}
			if to.lost != "" || to.stat != nil && !to.stat.IsDir() {
				continue
			}
			at = to.path
			w.sel.Add(w.index, pattern.Like(glob, path.Join(llb.Literal(at), pattern.Join(names[1:]))))
		} else if !stat.IsDir() {
			continue
		}
		if err := w.walk(ctx, at, names[1:]); err != nil {
			return err
		}
	}
	return nil
}

// matching returns the entries of a folder that match one name of a pattern.
func (a *appLinks) matching(ctx context.Context, dir string, name pattern.Name) ([]*fstypes.Stat, error) {
	if name.Literal() {
		stat, err := a.entry(ctx, dir, name.Text)
		if stat == nil || err != nil {
			return nil, err
		}
		return []*fstypes.Stat{stat}, nil
	}
	all, err := a.entries(ctx, dir)
	if err != nil {
		return nil, err
	}
	var found []*fstypes.Stat
	for _, e := range all {
		switch ok, err := name.Matches(path.Base(e.Path)); {
		case err != nil:
			return nil, err
		case ok:
			found = append(found, e)
		}
	}
	return found, nil
}

// lostLink is a symlink that leads nowhere.
type lostLink struct {
	step.Symlink
	to  string // path in the app
	why string
}

// excluded is why a symlink leads nowhere that leads to what an exclusion takes away.
const excluded = "is taken away by an exclusion"

// follow adds to a selection what the symlinks among its files lead to, as a step found them. It reports whether any of that is
// new, and returns the symlinks that lead nowhere.
func (a *appLinks) follow(ctx context.Context, sel *fact.Selection, r step.Result) (more bool, lost []lostLink, err error) {
	if len(r.Links) == 0 {
		return false, nil, nil
	}
	left, err := sel.Without()
	if err != nil {
		return false, nil, err
	}
	for _, link := range r.Links {
		dir := parent(link.Path)
		to, err := a.resolve(ctx, dir, link.Text)
		if err != nil {
			return false, nil, err
		}
		for _, at := range append(to.links[:len(to.links):len(to.links)], to.path) {
			if ok, err := left.Selects(at); err != nil {
				return false, nil, err
			} else if !ok && (to.lost == "" || to.lost == excluded) {
				to.lost = excluded
				sel.AddAway(at)
			}
		}
		if to.lost != excluded {
			more = to.addWay(sel, dir) || more
		}
		if to.lost != "" {
			lost = append(lost, lostLink{link, path.Join(dir, link.Text), to.lost})
			continue
		}
		more = sel.AddTarget(to.path) || more
	}
	return more, lost, nil
}
