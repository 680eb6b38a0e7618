package graph

import (
	"encoding/json"

	"github.com/packfile/frontend/packfile"
)

// MaxSaid is how much an image may say of its layers, in bytes of its config: it says what the next build has to know. The config goes
// to BuildKit in one message of at most 16 MiB with those of all platforms, and everyone downloads it who asks for the image.
const MaxSaid = 4 << 20

// Said is how much an image says of its layers, in bytes of its config.
type Said int

// Add adds what a value takes: labels are JSON in JSON. One that is no JSON takes nothing: it is an error where it is used.
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

// Check is an error at the layer that was added last, if it is too much.
func (s Said) Check(l *Layer) error {
	if s <= MaxSaid {
		return nil
	}
	return l.Module.Fail(l.Range(), "layer %q is too much for the image: with it metadata, variables and deps of layers take %d bytes "+
		"of the image's config, more than the %d that they may (write what is large into the layer, and its digest into $MD)", l.Name, s, MaxSaid)
}

// checkDeclared is an error, at the layer that is too much, if packfiles have more layers than an image may have, or say more of
// them. Nothing needs to have been built for it.
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
