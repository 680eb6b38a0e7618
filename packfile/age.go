package packfile

import (
	"strings"

	"github.com/packfile/frontend/node"
)

// age is the time when a packfile was written, as far as its words tell: one form of script had one meaning in 2019's
// notes, and another from February 2020 on.
type age struct {
	old   string // a word that only 2019's notes had, "" when there is none
	later bool   // there is a word that they did not have
}

// of2019 reports whether the packfile is of 2019. A word of 2019 decides, even when later words stand beside it.
func (a age) of2019() bool { return a.old != "" }

// isUnknown reports whether the packfile may be of either time.
func (a age) isUnknown() bool { return a.old == "" && !a.later }

// Words that only one of the two times had, by the table that they stand in.
var (
	wordsOf2019 = map[string][]string{
		"process": {"name"},
		"layer":   {"image", "cache", "recover", "launch"},
		"section": {"use", "with", "build"},
		"link":    {"write", "cache", "for-test"},
	}
	laterWords = map[string][]string{
		"":        {"api", "stacks", "buildpacks", "order", "tests"},
		"config":  {"description", "homepage", "licenses", "labels", "build-image", "run-image", "launcher", "user", "network", "image", "env", "app", "args", "build-packages", "run-packages", "apt"},
		"process": {"type", "default", "working-dir"},
		"layer":   {"restore"},
		"section": {"run", "lock-app", "app-symlinks", "inputs", "secrets", "ssh", "args"},
		"test":    {"full-env", "match", "refresh", "network", "secrets", "ssh", "args"},
		"require": {"network", "secrets", "ssh", "args"},
		"link":    {"link-content"},
		"dep":     {"metadata", "platform"},
		"var":     {"op", "delim"},
	}
)

// ageOf returns the age of a packfile by all its words. YAML came in March 2020.
func (m *modernizer) ageOf(root *node.Node) age {
	a := age{later: m.Format == node.YAML}
	look := func(table string, n *node.Node) {
		if n == nil {
			return
		}
		for _, word := range wordsOf2019[table] {
			if n.Find(m.Key(word)) != nil && a.old == "" {
				a.old = m.Key(word)
			}
		}
		for _, word := range laterWords[table] {
			a.later = a.later || n.Find(m.Key(word)) != nil
		}
	}
	look("", root)
	look("config", m.table(root, "config"))
	for _, process := range m.tables(root, "processes") {
		look("process", process)
	}
	for _, layer := range m.tables(root, "layers") {
		look("layer", layer)
		look("require", m.table(layer, "require"))
		for _, name := range []string{"provide", "build"} {
			section := m.table(layer, name)
			look("section", section)
			if m.tables(section, "env") != nil && a.old == "" {
				a.old = "env" // that is a list, and not a table of them
			}
			look("test", m.table(section, "test"))
			for _, list := range []string{"links", "use", "with"} {
				for _, link := range m.tables(section, list) {
					look("link", link)
				}
			}
			for _, dep := range m.tables(section, "deps") {
				look("dep", dep)
				for _, e := range dep.Entries {
					a.later = a.later || strings.Contains(e.Value.Text, "{{.")
				}
			}
			for _, list := range []string{"build", "launch", "both"} {
				for _, v := range m.tables(m.table(section, "env"), list) {
					look("var", v)
					for _, e := range v.Entries {
						a.later = a.later || strings.Contains(e.Value.Text, "{{.")
					}
				}
			}
		}
	}
	return a
}
