package project

import (
	"strings"
	"testing"

	"github.com/moby/patternmatcher"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func FuzzParse(f *testing.F) {
	nodetest.Seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		p := nodetest.CheckParse(t, data, func() (*Project, []node.Diagnostic, error) { return Parse("project.toml", data) })
		if p == nil {
			return
		}
		for _, b := range p.Packfile.Buildpacks {
			if kind, location := b.Source(); kind == "" || location == "" {
				t.Fatalf("%q is nowhere", b.URI)
			}
		}
		if len(p.Packfile.Buildpacks) == 0 || p.Packfile.HasOwn() {
			t.Fatal("a project without modules, or with something of its own")
		}
		names := map[string]bool{}
		for _, v := range p.Env {
			if problem, _ := checkVariable(v.Name); problem != "" || names[v.Name] {
				t.Fatalf("variable %q", v.Name)
			}
			names[v.Name] = true
		}
	})
}

// FuzzGitignore checks that every pattern that is not refused is one that .dockerignore files have, inside the app.
func FuzzGitignore(f *testing.F) {
	for _, pattern := range []string{"*.log", "/docs/", "!a/**/b", `\#a`, "[!a]b", "a ", "# a"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, written string) {
		pattern, problem, _ := fromGitignore(written)
		if problem != "" || pattern == "" {
			return
		}
		m, err := patternmatcher.New([]string{pattern})
		if err != nil {
			t.Fatalf("%q became %q: %v", written, pattern, err)
		}
		if len(m.Patterns()) != 1 || m.Exclusions() != strings.HasPrefix(written, "!") {
			t.Fatalf("%q became %q", written, pattern)
		}
		if _, err := m.MatchesOrParentMatches("a/b"); err != nil && !m.Exclusions() {
			t.Fatalf("%q became %q: %v", written, pattern, err)
		}
	})
}

func FuzzCost(f *testing.F) {
	nodetest.Seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		nodetest.CheckCost(t, "a.toml", data, func(data []byte) { _, _, _ = Parse("a.toml", data) })
	})
}
