package step

import "strings"

// Given is what a script of a packfile has, whatever it is for.
type Given struct {
	// Metadata is in $MD before the script: values are strings, or tables of the same shape.
	Metadata map[string]any `json:"metadata,omitempty"`
	Platform []Variable     `json:"platform,omitempty"` // platform environment (build args), sorted by name
	Secrets  []Secret       `json:"secrets,omitempty"`
}

// Seen is what a script sees of other layers.
type Seen struct {
	Links []Link `json:"links,omitempty"` // in file order
	// Exposed are folders of layers that earlier modules expose, for each module those of it, in group order.
	Exposed [][]string `json:"exposed,omitempty"`
	// Requires has what each module that requires the layer says of it, in group order.
	Requires []map[string]any `json:"requires,omitempty"`
}

// Selection is the patterns by which files of the app were chosen.
type Selection struct {
	// Patterns are those of the packfile, in file order. Where a folder on the way of one is a symlink, what it leads to follows it.
	Patterns [][]string `json:"patterns"`
	// Targets are patterns of what symlinks lead to, and Ways of symlinks that stand for a folder, or lead on to another.
	Targets []string `json:"targets,omitempty"`
	Ways    []string `json:"ways,omitempty"`
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
