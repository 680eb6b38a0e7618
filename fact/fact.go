// Package fact holds what a build asks and finds out by running steps and looking up sources: questions, the states that answer
// them, and the answers.
// It is for the packages that ask (group, graph, image) and for the frontend, which solves the states. It does not know who asks,
// or what follows from an answer.
package fact

import (
	"maps"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/step"
)

// Kind is what a question asks about a layer.
type Kind string

const (
	Required Kind = "require" // does the require script want the layer, and with which metadata?
	Detected Kind = "detect"  // does a buildpack want to take part, and with which build plan?
	Inputs   Kind = "inputs"  // the digest of the files that inputs names
	Tested   Kind = "test"    // which version does the test settle on?
	LookedUp Kind = "look-up" // what are the images, repositories and named contexts among its deps now?
	Fetched  Kind = "fetch"   // which checksums do its deps have that nothing else identifies?
	Built    Kind = "built"   // what did the run step leave?
	Copied   Kind = "copied"  // what is the diff id of a layer that can only be copied out of the previous image?
	Timed    Kind = "timed"   // what is its diff id in the image, when files have another time there?
	Part     Kind = "part"    // what is the diff id of a layer of the image that is not the packfile's?
)

// Question asks something about a layer, a buildpack, or a part of the image that only a step, or a look-up, can answer.
type Question struct {
	Layer string // its id; MODULE@VERSION of a buildpack
	Kind  Kind
}

// Answer is a step's answer to a question, and where it is. Steps that use the answer mount it, so that a cache export takes
// along the step that gave it.
type Answer struct {
	step.Result
	Tree      bk.State
	File      string    // in Tree
	Selection Selection // of a question about files: these files
	// Found are the sources of LookedUp by NAME@VERSION of the dep. Such an answer has no Result and no Tree.
	Found map[string]Found

	detection *Detection // of a question to a buildpack; nil when it has not been read
}

// Found is a source that was looked up: its content, and what it came to.
type Found struct {
	source.Resolved
	Content bk.State
}

// Facts are answered questions. They are a value: With returns other facts.
type Facts map[Question]Answer

// With returns these facts and some more.
func (f Facts) With(more Facts) Facts {
	all := make(Facts, len(f)+len(more))
	maps.Copy(all, f)
	maps.Copy(all, more)
	return all
}

// Inquiry is a state with the answers to some questions.
type Inquiry struct {
	State bk.State
	Files map[Question]string // path of the step.Result that answers the question

	Selections map[Question]Selection // of questions about files: which these are

	// Wanted are the sources to look up for the only question of Files, by NAME@VERSION of the dep. It is nil when State answers the
	// questions.
	Wanted map[string]source.Source
}

// Answer returns a step's result for one of the questions, as a fact.
func (in Inquiry) Answer(q Question, r step.Result) Answer {
	a := Answer{Result: r, Tree: in.State, File: in.Files[q], Selection: in.Selections[q]}
	if q.Kind == Detected {
		d := readDetection(r) // decoded once: a buildpack may be in many groups
		a.detection = &d
	}
	return a
}
