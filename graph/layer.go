package graph

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// Layer is a layer of a packfile with its place in the graph.
type Layer struct {
	*packfile.Layer
	Module         *module.Module
	ID             string // of all layers that there may be: its path, with the version of its module if there are several
	Export, Expose bool   // as its own packfile or someone who requires it says

	required []requirement  // who requires it, in group order; it is not created when there is nobody
	metadata map[string]any // that it has before its test
	maker    maker          // whose run step makes it
	madeBy   *Layer         // of one that is required: who makes it, itself or that of another module; nil when it is not required
	links    []link
	index    int // among the layers of the group

	noCache  bool // its steps run whatever is cached
	affected bool // that, or it links such a layer, directly or not
}

// Path is MODULE/NAME, or NAME of a packfile that has no id.
func (l *Layer) Path() string { return l.Module.LayerPath(l.Name) }

// Dir is LAYER.
func (l *Layer) Dir() string { return l.Module.LayerDir(l.Name) }

// Linked are the layers that the packfile of a layer names in its links, and that are there.
func (l *Layer) Linked() (named []*Layer) {
	for _, k := range l.links {
		if k.layer != nil && !k.exposed {
			named = append(named, k.layer)
		}
	}
	return named
}

// requirement is what a module wants of a layer.
type requirement struct {
	by       *Layer         // its own layer of that name; nil when it is a buildpack
	metadata map[string]any // without the flags that go with it
}

// link is one resolved link: to a layer or to a cache.
type link struct {
	*packfile.Link
	layer   *Layer // nil when it is a cache, or a layer of another module that is not required this time
	cache   *packfile.Cache
	exposed bool // the packfile does not name it: an earlier module exposes it
}

// shown is what a link is called in messages.
func (k link) shown() string {
	if k.exposed {
		return k.layer.Path()
	}
	return k.Name
}

// looksInto are the links to layers whose content the run step of the layer sees. No two go to one layer.
func (l *Layer) looksInto() []link {
	if !l.maker.runsScripts() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.links), func(k link) bool { return k.layer == nil })
}

// seesEnvironment says whether a step of the layer sees what earlier modules expose.
func (l *Layer) seesEnvironment() bool { return l.maker.runsScripts() || l.maker.fullEnv() }

// testScript is nil when the layer has no test, or only a match.
func (l *Layer) testScript() *packfile.Script {
	if l.Provide.Test == nil {
		return nil
	}
	return l.Provide.Test.Script
}

// facts are what is known of layers.
type facts fact.Facts

// status of a layer under the facts so far.
type status int

const (
	open    status = iota // questions are left
	settled               // its version is known
	dropped               // nobody requires it this time, or its test said not to create it
)

func (f facts) status(l *Layer) status {
	if len(l.required) == 0 {
		return dropped
	}
	for _, kind := range l.maker.questions() {
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

// metadata of a layer before kind is asked; with kind "" before it is run. What is required of it comes first, and every
// script that has run since has left all of it as it should be now.
func (f facts) metadata(l *Layer, kind fact.Kind) map[string]any {
	md := map[string]any{}
	maps.Copy(md, l.metadata)
	for _, earlier := range l.maker.questions() {
		if earlier == kind {
			break
		}
		r, ok := f[fact.Question{Layer: l.maker.id(), Kind: earlier}]
		switch {
		case !ok:
		case earlier == fact.Fetched:
		case earlier == fact.Tested && l.testScript() == nil:
			md["version"] = r.Metadata["version"]
		case earlier != fact.Inputs:
			md = maps.Clone(r.Metadata)
		case md["version"] == nil:
			// The inputs' digest is the version when nobody gave one before.
			md["version"] = r.Metadata["version"]
		}
		if md == nil {
			md = map[string]any{}
		}
	}
	return md
}

// version of a settled layer, "" when it has none.
func (f facts) version(l *Layer) string {
	v, _ := f.metadata(l, "")["version"].(string)
	return v
}

// linksSettled says whether versions and metadata of all layers that l links are known. A test sees those of layers that its
// packfile names.
func (f facts) linksSettled(l *Layer) bool {
	for _, k := range l.links {
		if k.layer != nil && !k.exposed && f.status(k.layer) == open {
			return false
		}
	}
	return true
}

// inLayer is a packfile.Diagnostic about a part of a layer as an error of that layer.
func (l *Layer) inLayer(err error) error {
	var d packfile.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	d.Message = fmt.Sprintf("layer %q: %s", l.Name, d.Message)
	return &packfile.Error{Filename: l.Module.Filename, Diagnostics: []packfile.Diagnostic{d}}
}
