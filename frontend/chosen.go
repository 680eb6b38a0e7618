package frontend

import (
	"context"
	"fmt"
	"slices"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
)

// chosen is a list of patterns of a packfile, and the files that it is about: what is said of patterns that choose nothing.
type chosen struct {
	*appLinks
	hidden func(glob string) string // what keeps files of a pattern out of the app, behind a colon; "" when nothing does
	key    string                   // whose value the list is
	where  string                   // which files it is about, in messages
	within []string                 // list of patterns that selects these; nil for all of the app
	globs  []string                 // as they stand in the packfile
	at     []node.Range
	forms  [][]string // of each pattern; see step.Selection
	before []string   // patterns that come before all of them: what symlinks lead to, or all files
}

// hasFile reports whether there is a file that each of the lists selects; see appLinks.
func (c *chosen) hasFile(ctx context.Context, lists ...[]string) (bool, error) {
	if c.within != nil {
		lists = append(lists, c.within)
	}
	return c.appLinks.hasFile(ctx, lists...)
}

// until returns the list without its patterns from i on.
func (c *chosen) until(i int) []string { return slices.Concat(c.before, slices.Concat(c.forms[:i]...)) }

// unmatched returns the warning about a pattern that chooses no file.
func (c *chosen) unmatched(ctx context.Context, i int) (node.Diagnostic, error) {
	say := func(format string, args ...any) node.Diagnostic {
		return node.Diagnostic{Message: c.key + ": " + fmt.Sprintf(format, args...), Range: c.at[i]}
	}
	if pattern.Excludes(c.globs) {
		if ok, err := c.hasFile(ctx, c.forms[i]); ok || err != nil {
			return say("exclusions take away every file %s that matches %q", c.where, c.globs[i]), err
		}
	}
	why, err := c.whyNot(ctx, c.globs[i])
	return say("no file %s matches %q%s", c.where, c.globs[i], why), err
}

// useless returns a warning about an exclusion that takes nothing away, none when it takes something away.
func (c *chosen) useless(ctx context.Context, i int) ([]node.Diagnostic, error) {
	var away []string
	for _, form := range c.forms[i] {
		rest, _ := pattern.CutExclusion(form)
		away = append(away, rest)
	}
	if ok, err := c.hasFile(ctx, c.until(i), away); ok || err != nil {
		return nil, err
	}
	rest, _ := pattern.CutExclusion(c.globs[i])
	why, err := c.whyNot(ctx, rest)
	return []node.Diagnostic{{Message: fmt.Sprintf("%s: %q takes nothing away%s", c.key, c.globs[i], why), Range: c.at[i]}}, err
}

// whyNot returns why a pattern matches no file, behind a colon; "" when that is not known.
func (c *chosen) whyNot(ctx context.Context, glob string) (string, error) {
	if literal := pattern.QuoteSets(glob); literal != glob {
		ok, err := c.hasFile(ctx, []string{literal})
		if ok || err != nil {
			return fmt.Sprintf(": brackets are a set of characters; the name is written %q", literal), err
		}
	}
	return c.hidden(pattern.Text(glob)), nil
}

// imageList returns a list that chooses files for the image. where says which files it is about.
func imageList(links *appLinks, hidden func(string) string, of *graph.Chooser, where string) *chosen {
	c := &chosen{appLinks: links, hidden: hidden, key: of.Key, where: where, globs: of.Globs, at: of.At}
	for _, g := range of.Globs {
		c.forms = append(c.forms, []string{pattern.Clean(g)})
	}
	return c
}

// check returns whether a list for the image chooses any file, and warnings about its patterns that choose nothing.
func (c *chosen) check(ctx context.Context) (some bool, diags []node.Diagnostic, err error) {
	all := c.until(len(c.forms))
	for i, glob := range c.globs {
		if pattern.IsExclusion(glob) {
			useless, err := c.useless(ctx, i)
			if err != nil {
				return false, nil, err
			}
			diags = append(diags, useless...)
			continue
		}
		ok, err := c.hasFile(ctx, all, c.forms[i])
		if err == nil && !ok {
			var d node.Diagnostic
			d, err = c.unmatched(ctx, i)
			diags = append(diags, d)
		}
		if err != nil {
			return false, nil, err
		}
	}
	some, err = c.hasFile(ctx, all)
	return some, diags, err
}

// checkImage warns about patterns of config.app, and of slices, that match no file. It fails when config.app leaves nothing.
func (s *selections) checkImage(ctx context.Context, d *graph.Decisions) error {
	whole, parts := d.ImageChoosers()
	if d.ChangesApp() {
		return nil // what they are about is known when the image is built: see checkChanged
	}
	where, within := "of the app", []string(nil)
	if whole != nil {
		if err := s.build.checkWhole(ctx, s.links, s.hidden, whole, d.WorkDirs()); err != nil {
			return err
		}
		where, within = "that "+configTable(s.build.project)+".app chooses", pattern.FromAll(whole.Globs)
	}
	for i := range parts {
		list := imageList(s.links, s.hidden, &parts[i], where)
		list.within = within
		_, diags, err := list.check(ctx)
		if err != nil {
			return err
		}
		s.build.warnOnce(ctx, parts[i].Filename, diags)
	}
	return nil
}

// checkChanged does for config.app what checkImage does, when lock-app layers change the app. The image must be built.
func (b *build) checkChanged(ctx context.Context, d *graph.Decisions) error {
	whole, _ := d.ImageChoosers()
	if whole == nil || !d.ChangesApp() {
		return nil
	}
	app, err := graph.Steps{Decisions: d}.LockedApp(ctx, nil)
	if err != nil {
		return err
	}
	return b.checkWhole(ctx, newAppLinks(b, app, step.AppDir, nil), func(string) string { return "" }, whole, d.WorkDirs())
}

// checkWhole warns about patterns of config.app that match no file, and about folders that processes start in and that the list takes
// away. It fails when the list leaves nothing.
func (b *build) checkWhole(ctx context.Context, links *appLinks, hidden func(string) string, whole *graph.Chooser, dirs []graph.WorkDir) error {
	list := imageList(links, hidden, whole, "of the app")
	if pattern.OnlyExcludes(whole.Globs) {
		list.before = []string{pattern.Everything}
	}
	some, diags, err := list.check(ctx)
	if err != nil {
		return err
	}
	if some {
		b.warnOnce(ctx, whole.Filename, diags)
		return b.checkWorkDirs(ctx, list, dirs)
	}
	nothing := node.Diagnostic{Message: "app: nothing of the app would be in the image", Range: whole.All}
	return &node.Error{Filename: whole.Filename, Diagnostics: append([]node.Diagnostic{nothing}, diags...)}
}

// checkWorkDirs warns about folders that processes start in and of which config.app leaves nothing. A folder that the app does not
// have is none of its business.
func (b *build) checkWorkDirs(ctx context.Context, list *chosen, dirs []graph.WorkDir) error {
	for _, dir := range dirs {
		in := []string{llb.Literal(dir.Path)}
		there, err := list.hasFile(ctx, in)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		left, err := list.hasFile(ctx, in, list.until(len(list.forms)))
		if err != nil {
			return err
		}
		if !left {
			b.warnOnce(ctx, dir.Filename, []node.Diagnostic{{
				Message: fmt.Sprintf("working-dir: %q is not in the image: app leaves nothing of it, so the process does not start", dir.Path), Range: dir.At,
			}})
		}
	}
	return nil
}
