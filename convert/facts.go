package convert

import (
	"maps"
	"slices"

	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// QuestionKind is what has to be found out about a layer.
type QuestionKind string

const (
	Required QuestionKind = "require" // does the require script want the layer, and with which metadata?
	Detected QuestionKind = "detect"  // does a buildpack want to take part, and with which build plan?
	Inputs   QuestionKind = "inputs"  // the digest of the files that inputs names
	Tested   QuestionKind = "test"    // which version does the test settle on?
	Fetched  QuestionKind = "fetch"   // which checksums do its deps have of which the packfile gives none?
	Built    QuestionKind = "built"   // what did the run step leave?
	Timed    QuestionKind = "timed"   // what is its diff id in the image, when files have another time there?
	Part     QuestionKind = "part"    // what is the diff id of a layer of the image that is not the packfile's?
)

// Question is something about a layer, a buildpack, or a part of the image, that only a step can answer.
type Question struct {
	Layer string // its id; MODULE@VERSION of a buildpack
	Kind  QuestionKind
}

// Facts are answered questions.
type Facts map[Question]step.Result

// layer is a layer of a packfile with its place in the graph.
type layer struct {
	*packfile.Layer
	module         *Module
	id             string // of all layers that there may be: its path, with the version of its module if there are several
	Export, Expose bool   // as its own packfile or someone who requires it says

	required []requirement  // who requires it, in group order; it is not created when there is nobody
	metadata map[string]any // that it has before its test
	madeBy   *layer         // of one that is required: who makes it, itself or that of another module; nil when it is not required
	links    []link
	index    int // among the layers of the group

	noCache  bool // its steps run whatever is cached
	affected bool // that, or it links such a layer, directly or not
}

// path is MODULE/NAME, or NAME of a packfile that has no id.
func (l *layer) path() string { return l.module.path(l.Name) }

// dir is LAYER.
func (l *layer) dir() string { return l.module.layerDir(l.Name) }

// requirement is what a module wants of a layer.
type requirement struct {
	by       *layer         // its own layer of that name; nil when it is a buildpack
	metadata map[string]any // without the flags that go with it
}

// link is one resolved link: to a layer or to a cache.
type link struct {
	*packfile.Link
	layer   *layer // nil when it is a cache, or a layer of another module that is not required this time
	cache   *packfile.Cache
	exposed bool // the packfile does not name it: an earlier module exposes it
}

// seesEnvironment says whether a step of the layer sees what earlier modules expose.
func (l *layer) seesEnvironment() bool {
	setUp := slices.ContainsFunc(l.links, func(k link) bool { return k.cache != nil && k.cache.Setup != nil })
	return l.Provide.Run != nil || setUp || l.fullEnv()
}

// fullEnv says whether the test sees all that the run step sees.
func (l *layer) fullEnv() bool { return l.testScript() != nil && l.Provide.Test.FullEnv }

// testScript is nil when the layer has no test, or only a match.
func (l *layer) testScript() *packfile.Script {
	if l.Provide.Test == nil {
		return nil
	}
	return l.Provide.Test.Script
}

// questions are those that have to be answered before the layer is settled, in the order in which they are asked.
func (l *layer) questions() []QuestionKind {
	var kinds []QuestionKind
	if l.Provide.Inputs != nil {
		kinds = append(kinds, Inputs)
	}
	if l.Provide.Test != nil {
		kinds = append(kinds, Tested)
	}
	if slices.ContainsFunc(l.Provide.Deps, unpinned) {
		kinds = append(kinds, Fetched)
	}
	return kinds
}

// status of a layer under the facts so far.
type status int

const (
	open    status = iota // questions are left
	settled               // its version is known
	dropped               // nobody requires it this time, or its test said not to create it
)

func (f Facts) status(l *layer) status {
	if len(l.required) == 0 {
		return dropped
	}
	for _, kind := range l.questions() {
		result, ok := f[Question{l.id, kind}]
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
func (f Facts) metadata(l *layer, kind QuestionKind) map[string]any {
	md := map[string]any{}
	maps.Copy(md, l.metadata)
	for _, earlier := range l.questions() {
		if earlier == kind {
			break
		}
		r, ok := f[Question{l.id, earlier}]
		switch {
		case !ok:
		case earlier == Fetched:
		case earlier == Tested && l.testScript() == nil:
			md["version"] = r.Metadata["version"]
		case earlier != Inputs:
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
func (f Facts) version(l *layer) string {
	v, _ := f.metadata(l, "")["version"].(string)
	return v
}

// Questions are those that can be asked now: they are not answered yet, and what they need is known. There is none when
// everything is decided.
func (b *Build) Questions(f Facts) ([]Question, error) {
	var qs []Question
	for _, l := range b.layers {
		var more []Question
		var err error
		if f.status(l) == open {
			more, err = b.openQuestions(l, f)
		} else {
			more, err = b.undecided(l, f)
		}
		if err != nil {
			return nil, err
		}
		for _, q := range more {
			if _, answered := f[q]; !answered && !slices.Contains(qs, q) {
				qs = append(qs, q)
			}
		}
	}
	return qs, nil
}

// openQuestions are the next ones to ask before a layer is settled.
func (b *Build) openQuestions(l *layer, f Facts) ([]Question, error) {
	for _, kind := range l.questions() {
		q := Question{l.id, kind}
		if _, ok := f[q]; ok {
			continue
		}
		if kind == Tested && l.testScript() != nil {
			if !f.linksSettled(l) {
				return nil, nil
			}
			if l.Provide.Test.FullEnv {
				if ready, err := b.linksDecided(l, f); !ready || err != nil {
					return nil, err
				}
				if building, err := b.needsBuilding(l, f); building && b.in.BuildNothing || err != nil {
					return nil, err
				}
			}
		}
		return []Question{q}, nil // the next one sees what this one says
	}
	return nil, nil
}

// undecided are the questions that a settled layer's decision waits for.
func (b *Build) undecided(l *layer, f Facts) ([]Question, error) {
	if d, err := b.decide(l, f); d != nil || err != nil || b.in.BuildNothing {
		return nil, err
	}
	var qs []Question
	for _, k := range l.links {
		if k.layer == nil {
			continue
		}
		d, err := b.decide(k.layer, f)
		if err != nil {
			return nil, err
		}
		if d != nil && d.Action == Made {
			qs = append(qs, Question{k.layer.id, Built})
		}
	}
	return qs, nil
}

// linksSettled says whether versions and metadata of all layers that l links are known. A test sees those of layers that its
// packfile names.
func (f Facts) linksSettled(l *layer) bool {
	for _, k := range l.links {
		if k.layer != nil && !k.exposed && f.status(k.layer) == open {
			return false
		}
	}
	return true
}
