// Package label is what an app image says of itself in labels: the contract by which platforms inspect it and put it on
// another run image. What the launcher reads is package launch.
//
// Sources: platform specification 0.12, "exporter", "Labels"; where it is silent, the lifecycle.
package label

import "encoding/json"

// Names of labels.
const (
	Lifecycle = "io.buildpacks.lifecycle.metadata"
	Build     = "io.buildpacks.build.metadata"
	Project   = "io.buildpacks.project.metadata"
	Rebasable = "io.buildpacks.rebasable"

	LifecycleVersion = "io.buildpacks.lifecycle.version" // of a lifecycle image
)

// LifecycleMetadata is the label Lifecycle: which layer of the image is what. Every SHA is a diff id; it is empty where that
// is not known.
type LifecycleMetadata struct {
	App          []Layer           `json:"app"` // one for each slice, and the rest
	SBOM         *Layer            `json:"sbom,omitempty"`
	Buildpacks   []BuildpackLayers `json:"buildpacks"` // in group order
	Config       Layer             `json:"config"`
	Launcher     Layer             `json:"launcher"`
	ProcessTypes Layer             `json:"process-types"`
	RunImage     RunImage          `json:"runImage"`
	Stack        Stack             `json:"stack"`
}

// Layer names a layer of the image.
type Layer struct {
	SHA string `json:"sha"`
}

// BuildpackLayers are the layers of one buildpack that are in the image.
type BuildpackLayers struct {
	Key     string                    `json:"key"` // its id
	Version string                    `json:"version"`
	Layers  map[string]BuildpackLayer `json:"layers"`
}

// BuildpackLayer is a layer.toml with the layer that it is about.
type BuildpackLayer struct {
	SHA    string         `json:"sha"`
	Data   map[string]any `json:"data"` // [metadata]; null when there is none
	Build  bool           `json:"build"`
	Launch bool           `json:"launch"`
	Cache  bool           `json:"cache"`
}

// RunImage is what the image was put on.
type RunImage struct {
	TopLayer  string `json:"topLayer"`        // diff id of its last layer
	Reference string `json:"reference"`       // by digest
	Image     string `json:"image,omitempty"` // as it was named
}

// Stack is the deprecated copy of what a RunImage says.
type Stack struct {
	RunImage StackRunImage `json:"runImage"`
}

// StackRunImage is the name of a run image.
type StackRunImage struct {
	Image string `json:"image"`
}

// BuildMetadata is the label Build: what the image was built with, and what it runs.
type BuildMetadata struct {
	Buildpacks         []Buildpack `json:"buildpacks"` // in group order
	Launcher           Launcher    `json:"launcher"`
	Processes          []Process   `json:"processes"` // sorted by type
	DefaultProcessType string      `json:"buildpack-default-process-type,omitempty"`
}

// Buildpack is one that took part in the build.
type Buildpack struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Homepage string `json:"homepage,omitempty"`
}

// Launcher says which launcher is in the image.
type Launcher struct {
	Version string `json:"version"`
	Source  Source `json:"source"`
}

// Source is where a program's source is.
type Source struct {
	Git Git `json:"git"`
}

// Git is a commit of a repository.
type Git struct {
	Repository string `json:"repository"`
	Commit     string `json:"commit"`
}

// Process is a process type.
type Process struct {
	Type        string   `json:"type"`
	Command     []string `json:"command"`
	Args        []string `json:"args"`
	Direct      bool     `json:"direct"`
	WorkingDir  string   `json:"working-dir,omitempty"`
	BuildpackID string   `json:"buildpackID"`
}

// Set puts v, as JSON, into labels.
func Set(labels map[string]string, name string, v any) error {
	data, err := json.Marshal(v)
	labels[name] = string(data)
	return err
}
