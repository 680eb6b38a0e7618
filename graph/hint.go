package graph

import (
	"slices"
	"strings"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/text"
)

// hiddenFromTest returns the layers whose content the run script of a layer sees and its test script does not.
func (l *Layer) hiddenFromTest() (paths []string) {
	if l.testScript() == nil || l.Provide.Test.FullEnv {
		return nil
	}
	for _, k := range l.links {
		if k.layer != nil {
			paths = append(paths, k.layer.Path())
		}
	}
	return paths
}

// fullEnvHint returns what makes a test find programs of these layers.
func (l *Layer) fullEnvHint(hidden []string) string {
	const most = 5
	if len(hidden) > most {
		hidden = append(slices.Clone(hidden[:most]), "…")
	}
	word := "full-env = true"
	if strings.HasSuffix(l.Module.Filename, ".yaml") || strings.HasSuffix(l.Module.Filename, ".yml") {
		word = "fullEnv: true"
	}
	return "without " + word + " a test has nothing of the layers that run sees: " + strings.Join(hidden, ", ")
}

// NotFound is a test that called programs which are not there.
type NotFound struct {
	Filename string // of its packfile
	At       node.Range
	Layer    string
	Programs []string
	Hint     string
}

// NotFound returns the tests that called programs which are not there, and which they might find with full-env.
func (d *Decisions) NotFound() (found []NotFound) {
	for _, l := range d.Layers {
		if answer := d.facts[fact.Question{Layer: l.ID, Kind: fact.Tested}]; len(answer.NotFound) > 0 {
			programs := make([]string, len(answer.NotFound))
			for i, p := range answer.NotFound {
				programs[i] = text.Short(p)
			}
			at := container.ScriptRange(l.Provide.Test.Script)
			found = append(found, NotFound{l.Module.Filename, at, l.Path(), programs, l.fullEnvHint(l.hiddenFromTest())})
		}
	}
	return found
}
