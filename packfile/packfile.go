// Package packfile is the packfile format: its types, decoding from TOML and YAML with the position of every key,
// validation and lint. It is for every program that reads packfiles. It knows nothing of BuildKit or of how an image is
// built.
package packfile

import (
	"time"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

// Packfile is one decoded packfile. It has no names of the first notes: every value stands under today's name.
type Packfile struct {
	node.Table
	API        string // CNB Buildpack API, "0.10" when not given
	Config     Config
	Processes  []Process
	Caches     []Cache
	Layers     []Layer
	Slices     []Slice
	Stacks     []Stack
	Buildpacks []Buildpack       // modules that this build uses
	Tests      []ImageTest       // of the finished image
	Order      []buildpack.Order // groups to try, the first that passes is built; empty: all of Buildpacks in file order, in one group
}

// HasOwn reports whether the packfile makes something itself, so that it is a module and not only an order of others.
func (p *Packfile) HasOwn() bool {
	return len(p.Layers)+len(p.Processes)+len(p.Caches)+len(p.Slices)+len(p.Config.Env)+len(p.Config.BuildPackages)+len(p.Config.RunPackages) > 0 ||
		p.Config.Image != nil
}

// Config is the [config] table.
type Config struct {
	node.Table
	ID, Version, Name     string
	Description, Homepage string
	Licenses              []string          // SPDX expressions, all of which hold
	Labels                map[string]string // of the image
	Shell                 string            // "" when not given; see DefaultShell
	BuildImage            string
	RunImage              string
	Launcher              string       // lifecycle image whose launcher the app image has, "" for our own
	User                  string       // uid[:gid], or a name known to the build image
	Network               string       // "", "default" or "none"
	Image                 *ImageConfig // nil when there is none
	Env                   []LaunchVar  // [[config.env.launch]]
	App                   []string     // globs: what of the app is in the image; nil for all of it
	Args                  []string     // build arguments that all sections see; nil when not given

	BuildPackages []string // packages in the build image: NAME or NAME=VERSION, see CutVersion
	RunPackages   []string // packages in the app image
	Apt           *Apt     // nil when there is none
}

// ImageConfig is the [config.image] table: what an image tells those who run it.
type ImageConfig struct {
	node.Table
	Expose      []string     // ports as NUMBER/PROTOCOL, without ranges
	Volumes     []string     // clean absolute paths
	StopSignal  string       // a name that begins with SIG, "" when not given
	Healthcheck *Healthcheck // nil when not given
}

// Healthcheck is the healthcheck of [config.image].
type Healthcheck struct {
	node.Table
	None    bool     // no check, not even the run image's; then nothing else is set
	Command []string // program first
	Direct  bool     // exec'ed; otherwise Command[0] is a line for the shell

	// Without these the container runtime has its own; they are 0.
	Interval, Timeout, StartPeriod, StartInterval time.Duration
	Retries                                       int
}

// LaunchVar is one [[config.env.launch]] entry: a variable of the app.
type LaunchVar struct {
	EnvVar
	Process string // type of the only process that has it, "" for all
}

// DefaultShell is the shell of scripts when neither the script nor [config] names one.
const DefaultShell = "/usr/bin/env bash"

// Process is one [[processes]] entry.
type Process struct {
	node.Table
	Type    string
	Command []string // program first
	Args    []string
	Direct  bool // exec'ed; otherwise Command[0] is a line for the shell
	Default bool
	WorkDir string // working-dir, "" for the app folder
}

// Script is a script of a step: exactly one of Inline and Path is set.
type Script struct {
	node.Table
	Shell   string // "" when not given
	Inline  string
	Path    string // relative to the packfile's folder, slash-separated, clean, inside that folder
	Network string // "", "default" or "none"
	InLayer bool   // a script in the form of the first notes: it works in LAYER
}

// Cache is one [[caches]] entry.
type Cache struct {
	node.Table
	Name   string
	Shared bool    // one cache for all projects of a builder
	Setup  *Script // nil when there is none
}

// Layer is one [[layers]] entry.
type Layer struct {
	node.Table
	Name                           string
	Export, Expose, Store, Restore bool
	Version                        string // default version, "" when not given
	Metadata                       metadata.Table
	Require                        *Require // nil when there is no [layers.require]
	Provide                        *Provide // from [layers.provide] or [layers.build]; nil when there is neither
	Build                          bool     // Provide came from [layers.build]: provided and required at once
}

// Access is what of the user's a section may use.
type Access struct {
	Secrets []Secret
	SSH     []string // ids of SSH agents
	Args    []string // build arguments; nil when not given: see Packfile.RunArgs and its like
}

// Secret is a BuildKit secret that steps of a section may read.
type Secret struct {
	node.Table
	ID       string
	PathAs   string // variable that names its file
	EnvAs    string // variable that holds its content
	Required bool   // true when not given
}

// Require is the [layers.require] table.
type Require struct {
	node.Table
	Access
	Script *Script // nil: required without a script
}

// Provide is the [layers.provide] or [layers.build] table.
type Provide struct {
	node.Table
	Access
	LockApp     bool
	AppSymlinks []Symlink // sorted by Path
	Inputs      []string  // globs; nil when not given
	Test        *Test
	Run         *Script
	Links       []Link
	Deps        []Dep
	Env         Env
	Profile     []Script
}

// Symlink is one app-symlinks entry: a symbolic link in the app that leads into the layer. Its Table has the place of the entry.
type Symlink struct {
	node.Table
	Path   string // in the app: slash-separated, clean, below the app's folder
	Target string // in the layer: slash-separated, clean; "." for the layer's own folder
}

// Test is the test table of a provide section: a script, or Match.
type Test struct {
	node.Table
	Access
	Script  *Script
	Match   []string // globs
	FullEnv bool
	Refresh time.Duration // 0: an answer never gets too old
}

// Link is one links entry.
type Link struct {
	node.Table
	Name                          string
	PathAs, VersionAs, MetadataAs string
	LinkContent, LinkVersion      bool
}

// Dep is one deps entry. Before Render its strings are templates over the layer's metadata and the Target.
type Dep struct {
	node.Table
	Name, Version, URI string
	SHA                string // "" when not given: whatever the server has
	// Platform is that of an image; "" when not given: the one that is built for. An app may be known by its packfile as JSON, which
	// does not change for those that say nothing of it.
	Platform string `json:",omitempty"`
	Metadata metadata.Table
}

// Env is the env table of a provide section.
type Env struct {
	Build, Launch, Both []EnvVar
}

// EnvVar is one entry of an env list. Before Render Value is a template; see envFields.
type EnvVar struct {
	node.Table
	Name, Value string
	Op          string // "override" (also when not given), "append", "prepend" or "default"
	Delim       string
}

// Slice is one [[slices]] entry.
type Slice struct {
	node.Table
	Paths []string
}

// Stack is one [[stacks]] entry, written to buildpack.toml.
type Stack struct {
	node.Table
	ID     string
	Mixins []string
}

// Buildpack is one [[buildpacks]] entry: a module, or a package of several modules, and its source.
type Buildpack struct {
	node.Table
	ID      string // "" when not given: what the module itself says
	Version string // "" when not given
	URI     string // "" when not given: the named context of its id; see Source
	SHA     string // SHA-256 of the file that an http(s) URI names, in lower case

	Secrets  []string // ids of the user's secrets that the module is given
	SSH      []string // ids of the user's SSH agents that it is given
	Args     []string // the user's build arguments that it is given
	Contexts []string // the user's named contexts that it is given
}
