package convert

import (
	"encoding/json"

	"github.com/packfile/frontend/packfile"
)

// An image says of its layers what the next build has to know, in its config, which goes to BuildKit in one message of at most
// 16 MiB with those of all platforms, and which everyone downloads who asks for the image.
const (
	// MaxSaid is how much an image may say of them, in bytes of its config.
	MaxSaid = 4 << 20
	// MaxMounted is how many layers an image may have that others can be built on: container runtimes mount no more than 127 or
	// 128 folders over one another, of which a container has one or two.
	MaxMounted = 125
)

// checkDeclared is an error, at the layer that is too much, if packfiles have more layers than an image may have, or say more of
// them. Nothing needs to have been built for it.
func checkDeclared(layers []*layer) error {
	said := 0
	for i, l := range layers {
		if i == packfile.MaxLayers {
			return l.module.Fail(l.Range(), "there are more than %d layers in this build, of which this is the first too many (a layer can hold many folders)", packfile.MaxLayers)
		}
		said += encoded(l.metadata)
		for _, list := range [][]packfile.EnvVar{l.Provide.Env.Both, l.Provide.Env.Build, l.Provide.Env.Launch} {
			for _, v := range list {
				said += encoded([]string{v.Name, v.Value, v.Delim})
			}
		}
		for _, dep := range l.Provide.Deps {
			said += encoded([]any{dep.Name, dep.Version, dep.URI, dep.SHA, dep.Metadata})
		}
		if said > MaxSaid {
			return tooMuchSaid(l, said)
		}
	}
	return nil
}

// checkSaid is the same for what is known by now: before anything is built, and again when layers have been described.
func (s steps) checkSaid() error {
	said := 0
	for _, l := range s.layers {
		if s.facts.status(l) == dropped {
			continue
		}
		how, err := s.recipe(l)
		if err != nil {
			return err
		}
		r := how.record
		if seen := s.described(l); seen != nil {
			r.Metadata = seen.metadata
		}
		said += encoded(r)
		if l.Export {
			said += encoded(r.Metadata) // the lifecycle's label has it too
		}
		if said > MaxSaid {
			return tooMuchSaid(l, said)
		}
	}
	return nil
}

// encoded is how much of a config a value takes: labels are JSON in JSON.
func encoded(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return 0 // it is an error where it is used
	}
	if data, err = json.Marshal(string(data)); err != nil {
		return 0
	}
	return len(data)
}

func tooMuchSaid(l *layer, said int) error {
	return l.module.Fail(l.Range(), "layer %q is too much for the image: with it metadata, variables and deps of layers take %d bytes "+
		"of the image's config, more than the %d that they may (write what is large into the layer, and its digest into $MD)", l.Name, said, MaxSaid)
}

// Unmountable is how many layers the image has, 0 when that is no more than MaxMounted.
func (img *Image) Unmountable() int {
	n := len(img.layers)
	if img.Base != nil {
		n += len(img.Base.RootFS.DiffIDs)
	}
	if n <= MaxMounted {
		return 0
	}
	return n
}
