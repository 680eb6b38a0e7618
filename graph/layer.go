package graph

import (
	"errors"
	"fmt"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// Layer is a layer of a packfile with its place in the graph.
type Layer struct {
	*packfile.Layer
	Module         *module.Module
	ID             string // unique among all layers that may exist: its path, with the version of its module if there are several
	Export, Expose bool   // its own packfile, or a module that requires it, says so

	required []requirement  // who requires it, in group order; without any it is not created
	metadata metadata.Table // its metadata before its test
	maker    maker          // whose run step makes it
	madeBy   *Layer         // for a required layer: the layer that makes it, itself or that of another module; nil when it is not required
	links    []link
	index    int // in Graph.Layers

	standsIn   bool     // for the layers of its maker, which are not known yet
	together   []*Layer // that its maker makes, itself among them
	looksInto  []link   // to layers whose content its run step sees; no two go to the same layer
	lookedInto []use    // by layers whose run steps see its content

	noCache  bool // its steps run whatever is cached
	affected bool // it is noCache, or it links such a layer, directly or not
}

// Path returns MODULE/NAME, or NAME when the packfile has no id.
func (l *Layer) Path() string { return l.Module.LayerPath(l.Name) }

// Dir returns LAYER.
func (l *Layer) Dir() string { return l.Module.LayerDir(l.Name) }

// Linked returns the layers that the packfile of a layer names in its links, as far as they are in the build.
func (l *Layer) Linked() (named []*Layer) {
	for _, k := range l.links {
		if k.layer != nil && !k.exposed {
			named = append(named, k.layer)
		}
	}
	return named
}

// requirement is what a module requires of a layer.
type requirement struct {
	by       *Layer         // its own layer of that name; nil for a buildpack
	metadata metadata.Table // without the flags that go with it
}

// link is one resolved link: to a layer or to a cache.
type link struct {
	*packfile.Link
	layer   *Layer // nil for a cache, or for a layer of another module that is not required this time
	cache   *packfile.Cache
	exposed bool // an earlier module exposes it, and the packfile does not name it
}

// use is a link of a layer.
type use struct {
	layer *Layer
	link  link
}

// shown returns the name of a link in messages.
func (k link) shown() string {
	if k.exposed {
		return k.layer.Path()
	}
	return k.Name
}

// seesEnvironment reports whether a step of the layer sees what earlier modules expose.
func (l *Layer) seesEnvironment() bool { return l.maker.runsScripts() || l.maker.fullEnv() }

// testScript returns the layer's test script. It returns nil when the layer has no test, or only a match.
func (l *Layer) testScript() *packfile.Script {
	if l.Provide.Test == nil {
		return nil
	}
	return l.Provide.Test.Script
}

// facts are what is known of layers.
type facts fact.Facts

// status is how much is known of a layer under the facts so far.
type status int

const (
	open    status = iota // questions are left
	settled               // its version is known
	dropped               // nobody requires it this time, or its test said not to create it
)

// status returns how much is known of a layer: it is dropped when nobody requires it or an answer refuses it, and settled when
// all questions are answered.
func (f facts) status(l *Layer) status {
	if len(l.required) == 0 {
		return dropped
	}
	for _, kind := range l.maker.questions(f) {
		result, ok := f[fact.Question{Layer: l.maker.id(), Kind: kind}]
		if !ok {
			return open
		}
		if result.NotWanted {
			return dropped
		}
	}
	return settled
}

// metadata returns the metadata of a layer before kind is asked; with kind "", before the layer is run. It starts with what is
// required of the layer. Every script that has run since has left all of the metadata as they should be now.
func (f facts) metadata(l *Layer, kind fact.Kind) metadata.Table {
	md := l.metadata
	for _, earlier := range l.maker.questions(f) {
		if earlier == kind {
			break
		}
		r, ok := f[fact.Question{Layer: l.maker.id(), Kind: earlier}]
		switch {
		case !ok:
		case earlier == fact.LookedUp, earlier == fact.Fetched:
		case earlier == fact.Tested && l.testScript() == nil:
			md = md.Merged(r.Metadata)
		case earlier != fact.Inputs:
			md = r.Metadata
		case md[metadata.Version] == nil:
			// When nothing gave a version before, the digest of the inputs is the version.
			md = md.Merged(r.Metadata)
		}
	}
	return md.Merged(nil)
}

// version returns the version of a settled layer, "" when it has none.
func (f facts) version(l *Layer) string {
	return f.metadata(l, "").Text(metadata.Version)
}

// inLayer returns an error of the layer for a packfile.Diagnostic about a part of it.
func (l *Layer) inLayer(err error) error {
	var d node.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	d.Message = fmt.Sprintf("layer %q: %s", l.Name, d.Message)
	return &node.Error{Filename: l.Module.Filename, Diagnostics: []node.Diagnostic{d}}
}
