package step

import "fmt"

// Kind is the kind of a step's Task.
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
	KindPackages  Kind = "packages"
	KindTestImage Kind = "test-image"
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
func (Packages) Kind() Kind  { return KindPackages }
func (TestImage) Kind() Kind { return KindTestImage }

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
	case KindPackages:
		return decodeAs[Packages](data)
	case KindTestImage:
		return decodeAs[TestImage](data)
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

// Test runs a test script on APP; its changes to APP are discarded.
type Test struct {
	Given
	Seen
	Script  Script `json:"script"`
	Bare    bool   `json:"bare,omitempty"`    // the script lacks layers that the run script will have: report programs that it does not find
	Refresh string `json:"refresh,omitempty"` // changes when an answer of the network has become too old
}

// Run runs a run script on APP and LAYER, and makes a layer of the files that it leaves in LAYER, with one time for all
// of them. It makes the layer as root, and does everything else as User.
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
	Restore  bool      `json:"restore,omitempty"` // LAYER starts from RestoreDir, and is saved there on success
	Agents   []string  `json:"agents,omitempty"`  // sockets that User gets before the script, as paths
	User     User      `json:"user"`
	Time     int64     `json:"time"` // of all files, in seconds since 1970
}

// RunsScripts reports whether the step runs a script: its own, or one that sets up a cache.
func (t Run) RunsScripts() bool { return t.Script != nil || len(t.Setups) > 0 }

// Match computes digests of trees, without a script or the app. It writes OutDir/N.json for each tree in MatchDir/N, with
// the digest of the tree as version.
type Match struct {
	Trees []Tree `json:"trees"`
}

// Tree is a tree of Match.
type Tree struct {
	Name     string    `json:"name"` // for messages
	Selected Selection `json:"selected"`
}

// Seal copies a layer and gives its files another time, without a script or the app. It gives no Result.
type Seal struct {
	Time int64 `json:"time"` // of all files, in seconds since 1970
}

// Describe describes layers, without a script or the app: it writes OutDir/N.json for the layer in TreeDir/N. Why not an
// output of the step that makes the layer: BuildKit may take one output of a step from a cache and run the step again for
// the other, and then the description would be of another run than the layer.
type Describe struct {
	Trees []string `json:"trees"` // their names, for messages
	// Targets are paths that symbolic links of the app lead to in a layer, by its number in Trees.
	Targets map[int][]string `json:"targets,omitempty"`
	// Time is that of all files, in seconds since 1970. For BuildKit, trees that differ only in times are equal.
	Time int64 `json:"time"`
}

// MergeSBOM adds the SPDX document in SpecDir to the document of an SBOM generator, without a script or the app.
type MergeSBOM struct {
	Generator string `json:"generator"` // its image, for messages
}

// Unpack unpacks a module from an archive or an OCI layout, without a script or the app. It checks the archive meanwhile,
// since anyone may have made it. It gives a Result only when it refuses the archive, and then leaves nothing of it.
type Unpack struct{}

// Digest computes checksums of deps, without a script or the app. Its result has the SHA-256 of each file or folder as metadata,
// by NAME@VERSION.
type Digest struct {
	Files []DepFile `json:"files"`
}

// DepFile is the file or folder of a dep.
type DepFile struct {
	ID     string `json:"id"`   // its ID
	File   string `json:"file"` // absolute path
	Folder bool   `json:"folder,omitempty"`
}

// Recognize prints a message when this builder knows an app that seems to be the same under another identity, and
// remembers this identity in KnownDir, without a script or the app. It gives no Result.
type Recognize struct {
	Identity string   `json:"identity"` // of the app, in hex
	Names    []string `json:"names"`    // of its layers and caches
}

// Detect runs bin/detect of a buildpack, on APP read-only. Every outcome is its answer, and no failure of the step.
type Detect struct {
	Program  Program    `json:"program"`
	Platform []Variable `json:"platform,omitempty"` // platform environment (build args), sorted by name
}
