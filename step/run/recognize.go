package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/packfile/frontend/step"
)

// maxKnown is the largest number of identities that are remembered for one module id.
const maxKnown = 100

// recognize prints a message when another known identity has a layer or cache name in common with this one, and remembers
// this one. Only this kind of step ever sees KnownDir.
func (r *runner) recognize(task step.Recognize) error {
	entries, err := os.ReadDir(r.known)
	if err != nil {
		return err
	}
	seen := false
	for _, e := range entries {
		if e.Name() == task.Identity {
			return nil // without it there was no build before
		}
		names, err := os.ReadFile(filepath.Join(r.known, e.Name()))
		if err != nil {
			return err
		}
		seen = seen || slices.ContainsFunc(strings.Fields(string(names)), func(name string) bool { return slices.Contains(task.Names, name) })
	}
	if seen {
		fmt.Fprintf(os.Stderr, "%s: a packfile that means something else, with some of the same layers or caches, was built here before: "+
			"if that was this app, it is another one to this builder now, whose caches are empty and whose layers with a version are new. "+
			"An app that is in no Git repository with a remote is known by what its packfile means; "+
			"--build-arg PACKFILE_APP=NAME gives it a name that stays\n", step.StepBinary)
	}
	if len(entries) >= maxKnown {
		if err := removeContent(r.known); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(r.known, task.Identity), []byte(strings.Join(task.Names, "\n")), 0o644)
}
