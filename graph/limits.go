package graph

import (
	"encoding/json"

	"github.com/packfile/frontend/packfile"
)

// MaxSaid is how much an image may say of its layers, in bytes of its config. The next build has to know these things. But the
// config goes to BuildKit in one message of at most 16 MiB with the configs of all platforms, and everyone who asks for the image
// downloads it.
const MaxSaid = 4 << 20

// Said is how much an image says of its layers, in bytes of its config.
type Said int

// Add adds the size of a value: labels are JSON in JSON. A value that cannot be JSON adds nothing: it is an error where it is
// used.
func (s *Said) Add(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		return
	}
	if data, err = json.Marshal(string(data)); err != nil {
		return
	}
	*s += Said(len(data))
}

// Check fails when the image would say too much. The error points at the layer that was added last.
func (s Said) Check(l *Layer) error {
	if s <= MaxSaid {
		return nil
	}
	return l.Module.Fail(l.Range(), "layer %q is too much for the image: with it metadata, variables and deps of layers take %d bytes "+
		"of the image's config, more than the %d that they may (write what is large into the layer, and its digest into $MD)", l.Name, s, MaxSaid)
}

// checkDeclared fails when packfiles have more layers than an image may have, or say too much of them. The error points at the
// first layer too many. It needs nothing to have been built.
func checkDeclared(layers []*Layer) error {
	var said Said
	for i, l := range layers {
		if i == packfile.MaxLayers {
			return l.Module.Fail(l.Range(), "there are more than %d layers in this build, of which this is the first too many (a layer can hold many folders)", packfile.MaxLayers)
		}
		said.Add(l.metadata)
		for _, list := range [][]packfile.EnvVar{l.Provide.Env.Both, l.Provide.Env.Build, l.Provide.Env.Launch} {
			for _, v := range list {
				said.Add([]string{v.Name, v.Value, v.Delim})
			}
		}
		for _, dep := range l.Provide.Deps {
			said.Add([]any{dep.Name, dep.Version, dep.URI, dep.SHA, dep.Metadata})
		}
		if err := said.Check(l); err != nil {
			return err
		}
	}
	return nil
}
