package packfile

import (
	"strconv"
	"strings"

	"github.com/packfile/frontend/node"
)

// Place returns where the packfile has a condition of the test that a step names: keys and indexes joined by dots, as in
// files.0.content.matches.1. It returns the place of the nearest table when a key was not given.
func (t *ImageTest) Place(key string) node.Range {
	head, rest, _ := strings.Cut(key, ".")
	switch {
	case head == "files":
		index, rest, _ := strings.Cut(rest, ".")
		i, err := strconv.Atoi(index)
		if err != nil || i < 0 || i >= len(t.Files) {
			return t.At("files")
		}
		f := &t.Files[i]
		if inner, ok := strings.CutPrefix(rest, "content."); ok && f.Content != nil {
			return f.Content.place(inner)
		}
		return f.At(rest)
	case head == "stdout" && rest != "" && t.Stdout != nil:
		return t.Stdout.place(rest)
	case head == "stderr" && rest != "" && t.Stderr != nil:
		return t.Stderr.place(rest)
	case head != "" && t.Has(head):
		return t.At(head)
	case t.Has("process"):
		return t.At("process")
	}
	return t.At("command")
}

// place returns where a condition of a text stands: a key, or the key of a list and an index.
func (c *Content) place(key string) node.Range {
	list, index, _ := strings.Cut(key, ".")
	if i, err := strconv.Atoi(index); err == nil {
		return c.Item(list, i)
	}
	return c.At(list)
}
