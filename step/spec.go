// Package step is the contract between the frontend, which writes the spec of a step, and packfile-step, which reads it
// inside the build container and runs the step. It is not about how steps are ordered or cached: that is package convert.
//
// The rules are those of "The step contract" in docs/reference.md.
package step

import "strings"

// Contract is the version of this contract. It is part of every layer key, so it changes whenever the same spec would
// fill a layer differently.
const Contract = 2

// Where things stand inside a build container.
const (
	BinDir      = "/packfile/bin"     // packfile-step and get-dep, read-only, from the frontend's own image
	SpecDir     = "/packfile/step"    // spec.json and the scripts, read-only
	OutDir      = "/packfile/out"     // what comes back: ResultFile and MetadataDir
	DepsDir     = "/packfile/deps"    // DepsDir/N/FILE: dep N of the spec; what a run step does to it is thrown away
	LinksDir    = "/packfile/links"   // LinksDir/NAME: metadata folder of a linked layer, read-only
	SetupAppDir = "/packfile/app"     // APP of caches.setup, read-only
	FactsDir    = "/packfile/facts"   // results of the layer's earlier steps, read-only; no step reads them
	RestoreDir  = "/packfile/restore" // what a layer with restore = true was left with, a cache mount
	KnownDir    = "/packfile/known"   // KnownDir/IDENTITY: names of what the packfile of an app has, a cache mount (Recognize)
	HistoryDir  = "/packfile/history" // HistoryDir/LAYER-RecordFile of the run that this builder did last, a cache mount
	MatchDir    = "/packfile/match"   // MatchDir/NAME: a tree that Match is about, read-only
	TreeDir     = "/packfile/tree"    // what Describe and Seal are about, read-only
	SealedDir   = "/packfile/sealed"  // the layer that Run or Seal makes
	RunResult   = "/packfile/ran"     // RunResult/N: ResultFile of the run step of tree N (Describe)
	FoundDir    = "/packfile/found"   // what an SBOM generator left, read-only (MergeSBOM)
	ArchiveDir  = "/packfile/archive" // a module archive, or the content of an OCI layout, read-only (Unpack)
	GivenDir    = "/packfile/secrets" // GivenDir/ID: a secret as BuildKit mounts it
	GivenCAFile = "/packfile/ca.crt"  // the secret CASecret, if the build was given one
	TrustDir    = "/packfile/certs"   // TrustDir/TrustFile: all certificates that scripts trust, in memory
	SecretsDir  = "/run/secrets"      // SecretsDir/ID: a secret as scripts see it, in memory
	AgentsDir   = "/run/buildkit"     // sockets of SSH agents
	PlatformDir = "/platform"         // platform folder of buildpacks: PlatformDir/env/NAME (Detect)
	AppDir      = "/workspace"        // APP (CNB_APP_DIR)
	LayersDir   = "/layers"           // LAYER is LayersDir/MODULE/NAME (CNB_LAYERS_DIR)
	Buildpacks  = "/cnb/buildpacks"   // Buildpacks/MODULE/VERSION: a buildpack's own files, read-only (Detect)
	SpecFile    = "spec.json"         // in SpecDir
	SBOMFile    = "sbom.spdx.json"    // in SpecDir (MergeSBOM): our own document
	RecordFile  = "record.json"       // in SpecDir (Run): a layerkey.Record, to say why the step runs
	ResultFile  = "result.json"       // in OutDir
	MetadataDir = "md"                // in OutDir: the folder that scripts know as $MD
	MergedDir   = "sbom"              // in OutDir: the same as FoundDir, merged (MergeSBOM)
	UnpackedDir = "module"            // in OutDir: the folder of the module in ArchiveDir (Unpack)
	TrustFile   = "ca-certificates.crt"
	StepBinary  = "packfile-step"   // in BinDir
	CASecret    = "ca-certificates" // optional secret: CA bundle that every step trusts
)

// Kind says which row of the step contract applies.
type Kind string

const (
	Require Kind = "require" // APP read-only, MD
	Test    Kind = "test"    // APP, changes are discarded, MD
	// Run has APP, MD and LAYER, and makes a layer of what its script leaves: the same with one time for all files. It runs as
	// root, for that, and does all the rest as the user of the spec.
	Run Kind = "run"
	// Match has no script and sees no app: its results, OutDir/N.json for each tree, have the digest of the tree as version.
	Match Kind = "match"
	// Seal has no script and sees no app: it makes a layer of another one, the same with another time. It gives no Result.
	Seal Kind = "seal"
	// Describe has no script and sees no app: it says, as OutDir/N.json, what the layers in TreeDir/N hold. It is no output of
	// the step that makes a layer: of a step with two outputs BuildKit may take one from a cache and run the step again for the
	// other, and the description would be of another run than the layer.
	Describe Kind = "describe"
	// MergeSBOM has no script and sees no app: it adds the SPDX document in SpecDir to what an SBOM generator found.
	MergeSBOM Kind = "merge-sbom"
	// Unpack has no script and sees no app: it unpacks a module that came as an archive or as an OCI layout, and checks it
	// while doing so, as anyone may have made it. It gives a Result only of one that it refuses, and leaves nothing of that.
	Unpack Kind = "unpack"
	// Digest has no script and sees no app: its result has the SHA-256 of the file of each of Deps as metadata, by its ID.
	Digest Kind = "digest"
	// Recognize has no script and sees no app: it says when an app that seems to be the same was known by another identity on
	// this builder, and remembers this one, in KnownDir. It gives no Result.
	Recognize Kind = "recognize"
	// Detect runs bin/detect of a buildpack, on APP read-only. Whatever comes of it is its answer, and no failure of the step.
	Detect Kind = "detect"
)

// MaxFileDigests is how many files a Match names one by one: labels carry them, to say which one changed.
const MaxFileDigests = 100

// MaxLinks is how many symlinks a Match may report.
const MaxLinks = 10_000

// NotWanted is the exit code by which a require script says "not required" and a test script "do not create this layer".
const NotWanted = 100

// MaxMetadata is how much metadata a script may leave, in bytes: names and values together. An image has that of all its layers
// in its config.
const MaxMetadata = 256 << 10

// MaxPlan is the size of the largest build plan that bin/detect may leave, in bytes.
const MaxPlan = 1 << 20

// Spec is everything a step is told. It holds no secret: contents of secrets never come near it.
type Spec struct {
	Contract int      `json:"contract"`
	Kind     Kind     `json:"kind"`
	Layer    string   `json:"layer"`              // name of the layer, for messages
	Key      string   `json:"key,omitempty"`      // key of the layer (Run); a changed key is a changed step
	Trees    []string `json:"trees,omitempty"`    // Match and Describe: names of trees in MatchDir or TreeDir
	Script   *Script  `json:"script,omitempty"`   // absent for layers without a run script
	Program  *Program `json:"program,omitempty"`  // of a buildpack, in place of a script (Detect)
	LayerDir string   `json:"layerDir,omitempty"` // LAYER; Run only
	// Selected is how the files of each of Trees were chosen (Match).
	Selected []Selection `json:"selected,omitempty"`
	// Metadata is there before the script: values are strings, or tables of the same shape.
	Metadata map[string]any `json:"metadata,omitempty"`
	Platform []Variable     `json:"platform,omitempty"` // platform environment (build args), sorted by name
	Links    []Link         `json:"links,omitempty"`    // in file order
	// Exposed are folders of layers that earlier modules expose, for each module those of it, in group order.
	Exposed [][]string `json:"exposed,omitempty"`
	// Requires has what each module that requires the layer says of it, in group order (Test, Run).
	Requires  []map[string]any `json:"requires,omitempty"`
	Env       []EnvFile        `json:"env,omitempty"`     // the layer's own environment, written into LAYER
	Profile   []string         `json:"profile,omitempty"` // files in SpecDir, copied to LAYER/profile.d in this order
	Deps      []Dep            `json:"deps,omitempty"`
	Setups    []Setup          `json:"setups,omitempty"`  // caches to set up before the script
	Restore   bool             `json:"restore,omitempty"` // LAYER starts from RestoreDir, and is left there on success
	Secrets   []Secret         `json:"secrets,omitempty"`
	Agents    []string         `json:"agents,omitempty"`    // sockets that User gets before the script, as paths (Run)
	Generator string           `json:"generator,omitempty"` // image of the SBOM generator, for messages (MergeSBOM)
	Bare      bool             `json:"bare,omitempty"`      // the script has nothing of layers that the run script will have: say what it does not find (Test)
	Identity  string           `json:"identity,omitempty"`  // of the app, in hex (Recognize)
	Names     []string         `json:"names,omitempty"`     // of its layers and caches (Recognize)
	Refresh   string           `json:"refresh,omitempty"`   // changes when an answer of the network has become too old
	User      *User            `json:"user,omitempty"`      // who does what Run does, but for the layer
	// Time is that of all files, in seconds since 1970 (Run, Seal, Describe). To BuildKit trees that differ in nothing else are one.
	Time int64 `json:"time,omitempty"`
}

// Selection is the patterns by which files of the app were chosen.
type Selection struct {
	// Patterns are those of the packfile, in file order. Where a folder on the way of one is a symlink, what it leads to follows it.
	Patterns [][]string `json:"patterns"`
	// Targets are patterns of what symlinks lead to, and Ways of symlinks that stand for a folder, or lead on to another.
	Targets []string `json:"targets,omitempty"`
	Ways    []string `json:"ways,omitempty"`
}

// Symlink is a symlink of the app.
type Symlink struct {
	Path string `json:"path"`
	Text string `json:"text"` // where it leads, as it says
}

// User is a user by number.
type User struct {
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	Home string `json:"home,omitempty"` // that the build image's environment names
}

// Script is a file in SpecDir and the shell that it is given to as last argument.
type Script struct {
	Shell   []string `json:"shell"`             // program and at most one argument, as in a #! line
	File    string   `json:"file"`              // name in SpecDir
	InLayer bool     `json:"inLayer,omitempty"` // works in LAYER, not in APP (scripts in the form of the first notes)
}

// Program is a program of a buildpack.
type Program struct {
	Dir      string `json:"dir"` // of the buildpack; Detect runs bin/detect in it
	ClearEnv bool   `json:"clearEnv,omitempty"`
	// Env is what it is told by variables of the Buildpack API. One without value is not set.
	Env []Variable `json:"env,omitempty"`
}

// Variable is an environment variable.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// EnvFile is one [[env.*]] entry: a file NAME.OP (and NAME.delim) in Dir of the layer.
type EnvFile struct {
	Dir   string `json:"dir"` // env, env.build or env.launch
	Name  string `json:"name"`
	Value string `json:"value"`
	Op    string `json:"op"` // override, append, prepend or default
	Delim string `json:"delim,omitempty"`
}

// Link is a layer or cache that the step may use.
type Link struct {
	Name       string `json:"name"`
	Dir        string `json:"dir,omitempty"` // where its content is mounted; empty when the step sees only its metadata
	Cache      bool   `json:"cache,omitempty"`
	PathAs     string `json:"pathAs,omitempty"`
	VersionAs  string `json:"versionAs,omitempty"`
	MetadataAs string `json:"metadataAs,omitempty"`
	// Metadata of a layer whose content is not mounted, as its test left it. When Dir is set the metadata folder is
	// mounted at LinksDir/Name instead, as its run left it.
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Dep is a dependency that get-dep can name. File is empty when it was declared but not fetched for this version.
type Dep struct {
	Name     string         `json:"name"`
	Version  string         `json:"version"`
	URI      string         `json:"uri"`
	SHA      string         `json:"sha"`
	Metadata map[string]any `json:"metadata,omitempty"`
	File     string         `json:"file,omitempty"`     // absolute path
	Vendored bool           `json:"vendored,omitempty"` // it comes from the packfile's folder: nobody has checked it against SHA
}

// ID returns NAME@VERSION, or NAME when the dep has no version: what messages call it, its file in deps/, and its record in metadata.
func (d Dep) ID() string { return strings.TrimSuffix(d.Name+"@"+d.Version, "@") }

// Setup is a caches.setup script.
type Setup struct {
	CacheDir string `json:"cacheDir"`
	Script   Script `json:"script"`
}

// Secret is a secret of the step's script, in GivenDir if it was given. Then EnvAs is set to its content, and PathAs to a file
// in SecretsDir. Each may be empty. Setup scripts of caches see neither, and of a Run step they cannot read GivenDir, unless
// they are root's.
//
// BuildKit is not asked to set EnvAs: container runtimes print variables that they refuse, content and all.
type Secret struct {
	ID     string `json:"id"`
	PathAs string `json:"pathAs,omitempty"`
	EnvAs  string `json:"envAs,omitempty"`
}

// Result is what comes back in ResultFile.
type Result struct {
	NotWanted bool           `json:"notWanted,omitempty"` // the script exited with NotWanted
	Metadata  map[string]any `json:"metadata,omitempty"`  // $MD: values are strings, or tables of the same shape
	NotFound  []string       `json:"notFound,omitempty"`  // programs that a script called and did not find (Test with Bare)
	Files     int            `json:"files,omitempty"`     // Match: how many files the digest covers
	// FileDigests has a digest for each of them, by path, when there are no more than MaxFileDigests.
	FileDigests map[string]string `json:"fileDigests,omitempty"`
	// Unmatched are the indexes of those patterns of a Selection that match no file (Match).
	Unmatched []int `json:"unmatched,omitempty"`
	// Links are those symlinks among what Patterns and Targets match that lead to what the Selection does not cover, or nowhere
	// (Match), by path. There are no more than MaxLinks.
	Links []Symlink `json:"links,omitempty"`
	// Refused says what is wrong with an archive, "" when it was unpacked (Unpack).
	Refused string `json:"refused,omitempty"`
	// DiffID is the digest of the layer's uncompressed tar (Describe).
	DiffID string `json:"diffID,omitempty"`

	ExitCode int    `json:"exitCode,omitempty"` // of bin/detect (Detect)
	Failed   string `json:"failed,omitempty"`   // what else went wrong with it, as in "bin/detect was killed" (Detect)
	Plan     string `json:"plan,omitempty"`     // that it left, no more than MaxPlan bytes, if nothing went wrong (Detect)
}

// FileValue is the content of a file in $MD that holds a value. Readers take one newline off the end: a value that ends
// in one needs another.
func FileValue(value string) string {
	if strings.HasSuffix(value, "\n") {
		return value + "\n"
	}
	return value
}
