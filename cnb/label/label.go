// Package label has the labels of an app image: the contract by which platforms inspect the image and put it on another
// run image. The frontend writes and reads them. It is not about the file that the launcher reads: that is package
// launch.
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

// LifecycleMetadata is the label Lifecycle: it says what each layer of the image is. Every SHA is a diff id, "" when that
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

// BuildpackLayer is a layer with the content of its layer.toml.
type BuildpackLayer struct {
	SHA    string         `json:"sha"`
	Data   map[string]any `json:"data"` // [metadata]; null when there is none
	Build  bool           `json:"build"`
	Launch bool           `json:"launch"`
	Cache  bool           `json:"cache"`
}

// RunImage is the run image of the image.
type RunImage struct {
	TopLayer  string `json:"topLayer"`        // diff id of its last layer
	Reference string `json:"reference"`       // by digest
	Image     string `json:"image,omitempty"` // as it was named
}

// Stack is the deprecated copy of a RunImage.
type Stack struct {
	RunImage StackRunImage `json:"runImage"`
}

// StackRunImage is the name of a run image.
type StackRunImage struct {
	Image string `json:"image"`
}

// BuildMetadata is the label Build: the buildpacks that built the image, its processes and its launcher.
type BuildMetadata struct {
	Buildpacks         []Buildpack `json:"buildpacks"` // in group order
	Launcher           Launcher    `json:"launcher"`
	Processes          []Process   `json:"processes"` // sorted by type
	DefaultProcessType string      `json:"buildpack-default-process-type,omitempty"`
}

// Buildpack is a buildpack that took part in the build.
type Buildpack struct {
	ID       string `json:"id"`
	Version  string `json:"version"`
	Homepage string `json:"homepage,omitempty"`
}

// Launcher is the launcher of the image.
type Launcher struct {
	Version string `json:"version"`
	Source  Source `json:"source"`
}

// Source is the place of a program's source.
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

// Set sets a label to v as JSON.
func Set(labels map[string]string, name string, v any) error {
	data, err := json.Marshal(v)
	labels[name] = string(data)
	return err
}
