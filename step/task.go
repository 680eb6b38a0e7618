package step

import "fmt"

// Kind says which kind of Task a step has.
type Kind string

const (
	KindRequire   Kind = "require"
	KindTest      Kind = "test"
	KindRun       Kind = "run"
	KindMatch     Kind = "match"
	KindSeal      Kind = "seal"
	KindDescribe  Kind = "describe"
	KindMergeSBOM Kind = "merge-sbom"
	KindUnpack    Kind = "unpack"
	KindDigest    Kind = "digest"
	KindRecognize Kind = "recognize"
	KindDetect    Kind = "detect"
)

func (Require) Kind() Kind   { return KindRequire }
func (Test) Kind() Kind      { return KindTest }
func (Run) Kind() Kind       { return KindRun }
func (Match) Kind() Kind     { return KindMatch }
func (Seal) Kind() Kind      { return KindSeal }
func (Describe) Kind() Kind  { return KindDescribe }
func (MergeSBOM) Kind() Kind { return KindMergeSBOM }
func (Unpack) Kind() Kind    { return KindUnpack }
func (Digest) Kind() Kind    { return KindDigest }
func (Recognize) Kind() Kind { return KindRecognize }
func (Detect) Kind() Kind    { return KindDetect }

// decodeTask decodes the task of a kind.
func decodeTask(kind Kind, data []byte) (Task, error) {
	switch kind {
	case KindRequire:
		return decodeAs[Require](data)
	case KindTest:
		return decodeAs[Test](data)
	case KindRun:
		return decodeAs[Run](data)
	case KindMatch:
		return decodeAs[Match](data)
	case KindSeal:
		return decodeAs[Seal](data)
	case KindDescribe:
		return decodeAs[Describe](data)
	case KindMergeSBOM:
		return decodeAs[MergeSBOM](data)
	case KindUnpack:
		return decodeAs[Unpack](data)
	case KindDigest:
		return decodeAs[Digest](data)
	case KindRecognize:
		return decodeAs[Recognize](data)
	case KindDetect:
		return decodeAs[Detect](data)
	}
	return nil, fmt.Errorf("unknown kind of step %q", kind)
}

func decodeAs[T Task](data []byte) (Task, error) {
	var task T
	if err := decodeStrictly(data, &task); err != nil {
		return nil, fmt.Errorf("%s: %w", task.Kind(), err)
	}
	return task, nil
}

// Require runs a require script on APP read-only.
type Require struct {
	Given
	Script Script `json:"script"`
}

// Test runs a test script on APP, changes of which are discarded.
type Test struct {
	Given
	Seen
	Script  Script `json:"script"`
	Bare    bool   `json:"bare,omitempty"`    // the script has nothing of layers that the run script will have: say what it does not find
	Refresh string `json:"refresh,omitempty"` // changes when an answer of the network has become too old
}

// Run has APP and LAYER, and makes a layer of what its script leaves: the same with one time for all files. It runs as root, for
// that, and does all the rest as User.
type Run struct {
	Given
	Seen
	Script   *Script   `json:"script,omitempty"`  // absent for layers without a run script
	Key      string    `json:"key,omitempty"`     // key of the layer; a changed key is a changed step
	LayerDir string    `json:"layerDir"`          // LAYER
	Env      []EnvFile `json:"env,omitempty"`     // the layer's own environment, written into LAYER
	Profile  []string  `json:"profile,omitempty"` // files in SpecDir, copied to LAYER/profile.d in this order
	Deps     []Dep     `json:"deps,omitempty"`
	Setups   []Setup   `json:"setups,omitempty"`  // caches to set up before the script
	Restore  bool      `json:"restore,omitempty"` // LAYER starts from RestoreDir, and is left there on success
	Agents   []string  `json:"agents,omitempty"`  // sockets that User gets before the script, as paths
	User     User      `json:"user"`
	Time     int64     `json:"time"` // of all files, in seconds since 1970
}

// RunsScripts reports whether the step runs a script: its own, or one that sets up a cache.
func (t Run) RunsScripts() bool { return t.Script != nil || len(t.Setups) > 0 }

// Match has no script and sees no app: its results, OutDir/N.json for each of the trees in MatchDir/N, have the digest of the tree as
// version.
type Match struct {
	Trees []Tree `json:"trees"`
}

// Tree is a tree that Match is about.
type Tree struct {
	Name     string    `json:"name"` // for messages
	Selected Selection `json:"selected"`
}

// Seal has no script and sees no app: it makes a layer of another one, the same with another time. It gives no Result.
type Seal struct {
	Time int64 `json:"time"` // of all files, in seconds since 1970
}

// Describe has no script and sees no app: it says, as OutDir/N.json, what the layers in TreeDir/N hold. It is no output of
// the step that makes a layer: of a step with two outputs BuildKit may take one from a cache and run the step again for the
// other, and the description would be of another run than the layer.
type Describe struct {
	Trees []string `json:"trees"` // their names, for messages
	// Time is that of all files, in seconds since 1970. To BuildKit trees that differ in nothing else are one.
	Time int64 `json:"time"`
}

// MergeSBOM has no script and sees no app: it adds the SPDX document in SpecDir to what an SBOM generator found.
type MergeSBOM struct {
	Generator string `json:"generator"` // its image, for messages
}

// Unpack has no script and sees no app: it unpacks a module that came as an archive or as an OCI layout, and checks it
// while doing so, as anyone may have made it. It gives a Result only of one that it refuses, and leaves nothing of that.
type Unpack struct{}

// Digest has no script and sees no app: its result has the SHA-256 of each file as metadata, by NAME@VERSION.
type Digest struct {
	Files []DepFile `json:"files"`
}

// DepFile is the file of a dep.
type DepFile struct {
	ID   string `json:"id"`   // its ID
	File string `json:"file"` // absolute path
}

// Recognize has no script and sees no app: it says when an app that seems to be the same was known by another identity on
// this builder, and remembers this one, in KnownDir. It gives no Result.
type Recognize struct {
	Identity string   `json:"identity"` // of the app, in hex
	Names    []string `json:"names"`    // of its layers and caches
}

// Detect runs bin/detect of a buildpack, on APP read-only. Whatever comes of it is its answer, and no failure of the step.
type Detect struct {
	Program  Program    `json:"program"`
	Platform []Variable `json:"platform,omitempty"` // platform environment (build args), sorted by name
}
