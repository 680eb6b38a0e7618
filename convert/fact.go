package convert

import (
	"maps"

	bk "github.com/moby/buildkit/client/llb"

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
	Copied   QuestionKind = "copied"  // what is the diff id of a layer that can only be copied out of the previous image?
	Timed    QuestionKind = "timed"   // what is its diff id in the image, when files have another time there?
	Part     QuestionKind = "part"    // what is the diff id of a layer of the image that is not the packfile's?
)

// Question is something about a layer, a buildpack, or a part of the image, that only a step can answer.
type Question struct {
	Layer string // its id; MODULE@VERSION of a buildpack
	Kind  QuestionKind
}

// Answer is what a step said to a question, and where that is: steps that use it are told of it in the graph, so that a cache
// export takes the step along that said it.
type Answer struct {
	step.Result
	tree      bk.State
	file      string    // in tree
	selection Selection // of a question about files: which these are
	detected  *detected // of a question to a buildpack; nil when it has not been read
}

// Facts are answered questions. They are a value: With makes others of them.
type Facts map[Question]Answer

// With returns these facts and some more.
func (f Facts) With(more Facts) Facts {
	all := make(Facts, len(f)+len(more))
	maps.Copy(all, f)
	maps.Copy(all, more)
	return all
}

// Inquiry is a state that has the answers to some questions.
type Inquiry struct {
	State bk.State
	Files map[Question]string // path of the step.Result that answers the question

	selections map[Question]Selection
}

// Answer returns what a step said to one of the questions, as a fact.
func (in Inquiry) Answer(q Question, r step.Result) Answer {
	a := Answer{Result: r, tree: in.State, file: in.Files[q], selection: in.selections[q]}
	if q.Kind == Detected {
		d := readDetected(r) // once: a buildpack may be in many groups
		a.detected = &d
	}
	return a
}
