package step

import (
	"strings"

	"github.com/packfile/frontend/metadata"
)

// Given is what every script of a packfile gets.
type Given struct {
	Metadata metadata.Table `json:"metadata,omitempty"` // in $MD before the script
	Platform []Variable     `json:"platform,omitempty"` // platform environment (build args), sorted by name
	Secrets  []Secret       `json:"secrets,omitempty"`
}

// Seen is what a script sees of other layers.
type Seen struct {
	Links []Link `json:"links,omitempty"` // in file order
	// Exposed has the folders of layers that earlier modules expose: a list for each module, in group order.
	Exposed [][]string `json:"exposed,omitempty"`
	// Requires has the metadata that each module that requires the layer gives it, in group order.
	Requires []metadata.Table `json:"requires,omitempty"`
}

// Selection holds the patterns by which files of the app were chosen.
type Selection struct {
	// Patterns are those of the packfile, in file order. When a folder in the path of one is a symlink, the pattern with the
	// symlink's target follows it.
	Patterns [][]string `json:"patterns"`
	// Targets are patterns of symlinks' targets. Ways are patterns of symlinks that stand for a folder, or lead on to
	// another symlink.
	Targets []string `json:"targets,omitempty"`
	Ways    []string `json:"ways,omitempty"`
}

// User is a user by number.
type User struct {
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
	Home string `json:"home,omitempty"` // that the build image's environment names
}

// Script is a file in SpecDir, and the shell that gets it as last argument.
type Script struct {
	Shell   []string `json:"shell"`             // program and at most one argument, as in a #! line
	File    string   `json:"file"`              // name in SpecDir
	InLayer bool     `json:"inLayer,omitempty"` // works in LAYER, not in APP (scripts in the form of the first notes)
}

// Program is a program of a buildpack.
type Program struct {
	Dir      string `json:"dir"` // of the buildpack; Detect runs bin/detect in it
	ClearEnv bool   `json:"clearEnv,omitempty"`
	// Env has the variables of the Buildpack API for it. One without a value is not set.
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
	Dir        string `json:"dir,omitempty"` // mount point of its content; "" when the step sees only its metadata
	Cache      bool   `json:"cache,omitempty"`
	PathAs     string `json:"pathAs,omitempty"`
	VersionAs  string `json:"versionAs,omitempty"`
	MetadataAs string `json:"metadataAs,omitempty"`
	// Metadata of a layer whose content is not mounted, as its test left it. When Dir is set, the metadata that its run left
	// is mounted at LinksDir/Name instead.
	Metadata metadata.Table `json:"metadata,omitempty"`
}

// Dep is a dep that get-dep can name. File is "" when the packfile has it, but it was not fetched for this version.
type Dep struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URI     string `json:"uri"`
	SHA     string `json:"sha"` // of a file
	Content
	Metadata metadata.Table `json:"metadata,omitempty"`
	File     string         `json:"file,omitempty"`     // absolute path of the file or folder
	Vendored bool           `json:"vendored,omitempty"` // it comes from the packfile's folder: BuildKit has not checked it against SHA
}

// Content is what a dep that is a folder has come to. It is empty for a file.
type Content struct {
	Image    string `json:"image,omitempty"`    // repository of an image in full, without tag or digest
	Platform string `json:"platform,omitempty"` // of an image
	Digest   string `json:"digest,omitempty"`   // of an image as its registry or layout has it; of the files of another context
	Commit   string `json:"commit,omitempty"`   // of a Git repository
}

// ID returns NAME@VERSION, or NAME when the dep has no version: its name in messages, in deps/ and in metadata.
func (d Dep) ID() string { return strings.TrimSuffix(d.Name+"@"+d.Version, "@") }

// IsFolder reports whether the dep is a folder that was fetched. It is read-only.
func (d Dep) IsFolder() bool { return d.Content != Content{} }

// Setup is a caches.setup script.
type Setup struct {
	CacheDir string `json:"cacheDir"`
	Script   Script `json:"script"`
}

// Secret is a secret of the step's script, in GivenDir if the build was given it. Then EnvAs is set to its content, and
// PathAs to a file in SecretsDir. Either may be "". Setup scripts of caches see neither variable, and in a Run step they
// cannot read GivenDir, unless root runs them.
//
// BuildKit does not set EnvAs itself: container runtimes print variables that they refuse, with their content.
type Secret struct {
	ID     string `json:"id"`
	PathAs string `json:"pathAs,omitempty"`
	EnvAs  string `json:"envAs,omitempty"`
}
