package frontend

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
)

// check warns about patterns of a question that match no file, about exclusions that take nothing away, and about symlinks that
// lead nowhere. It fails when a version is the digest of no file at all: no change could ever rebuild the layer.
func (s *selections) check(ctx context.Context, q fact.Question, r step.Result, lost []lostLink) error {
	sel := s.of[q]
	list := chosen{
		appLinks: s.links, hidden: s.hidden, key: sel.Key, where: "of the app", globs: sel.Globs, at: sel.At, forms: sel.Chosen.Patterns,
		before: slices.Concat(sel.Chosen.Targets, sel.Chosen.Ways, sel.Away),
	}
	if inputs := s.of[fact.Question{Layer: q.Layer, Kind: fact.Inputs}]; sel.Narrow && inputs != nil {
		list.where, list.within = "that inputs name", inputs.List()
	}
	diags, wanted := []node.Diagnostic(nil), 0
	for i, glob := range sel.Globs {
		switch {
		case pattern.IsExclusion(glob):
			useless, err := list.useless(ctx, i)
			if err != nil {
				return err
			}
			diags = append(diags, useless...)
			continue
		case slices.Contains(r.Unmatched, i):
			unmatched, err := list.unmatched(ctx, i)
			if err != nil {
				return err
			}
			diags = append(diags, unmatched)
		}
		wanted++
	}
	if sel.Key == "match" && len(r.Unmatched) == wanted {
		return &node.Error{Filename: sel.Filename, Diagnostics: diags}
	}
	for i, l := range lost {
		if i == shownLost {
			diags = append(diags, node.Diagnostic{Message: fmt.Sprintf("%s: %d more symlinks lead nowhere", sel.Key, len(lost)-i), Range: sel.At[0]})
			break
		}
		diags = append(diags, node.Diagnostic{
			Message: fmt.Sprintf("%s: the symlink %q leads to %q, which %s%s", sel.Key, l.Path, l.to, l.why, s.hidden(l.to)), Range: sel.At[0],
		})
	}
	s.build.warnOnce(ctx, sel.Filename, diags)
	return nil
}

// shownLost is how many symlinks that lead nowhere a warning names.
const shownLost = 5

// hidden returns what keeps files of a path or pattern out of the app, behind a colon; "" when nothing does.
func (s *selections) hidden(glob string) string {
	for _, p := range s.places {
		if covers(llb.Literal(p.Path), glob) {
			return fmt.Sprintf(": a symbolic link to layer %s is in its place (app-symlinks)", p.Layer)
		}
	}
	if line, rule := hidingLine(s.app.Ignore.Data, glob); line > 0 {
		return fmt.Sprintf(": line %d of %s, %q, keeps it out", line, s.app.Ignore.Name, rule)
	}
	if s.build.project == nil {
		return ""
	}
	if key := hidingKey(s.build.project, glob); key != "" {
		return fmt.Sprintf(": %s in %s keeps it out", key, s.build.source.Filename)
	}
	return ""
}

// hidingLine returns the line of a .dockerignore file that hides the files of a packfile's pattern. It compares the texts of
// both, since the client never sent the files. The last line that matches decides. It returns 0 when there is none.
func hidingLine(data []byte, pattern string) (line int, rule string) {
	for i, text := range bytes.Split(data, []byte("\n")) {
		rules, err := ignorefile.ReadAll(bytes.NewReader(text))
		if err != nil || len(rules) == 0 || !covers(strings.TrimPrefix(rules[0], "!"), pattern) {
			continue
		}
		if line, rule = i+1, rules[0]; strings.HasPrefix(rule, "!") {
			line = 0
		}
	}
	return line, rule
}

// hidingKey returns the key of a project descriptor that hides the files of a pattern, "" for none.
func hidingKey(p *project.Project, pattern string) string {
	hidden, key := len(p.Include) > 0, "include"
	rules := p.Include
	if !hidden {
		key, rules = "exclude", p.Exclude
	}
	for _, r := range rules {
		rule, exception := strings.CutPrefix(r, "!")
		if covers(rule, pattern) {
			hidden = (key == "exclude") != exception
		}
	}
	if hidden {
		return key
	}
	return ""
}

// covers reports whether a rule matches the text of a pattern, or all that is in a folder of that name.
func covers(rule, pattern string) bool {
	for _, name := range []string{path.Clean(pattern), path.Clean(pattern) + "/?"} {
		if ok, err := patternmatcher.MatchesOrParentMatches(name, []string{rule}); ok && err == nil {
			return true
		}
	}
	return false
}
