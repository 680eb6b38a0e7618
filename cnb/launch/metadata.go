// Package launch is the launch side of a Cloud Native Buildpacks app image: the file config/metadata.toml, which the
// frontend writes and the launcher reads, and the launcher itself. It is not about the image's labels, which tell
// platforms the same things: that is package label.
//
// Sources: platform specification, "launcher" and "metadata.toml"; buildpack specification, "Launch"; where they are
// silent, the lifecycle.
package launch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// Version is the version of the launcher. It changes when the launcher's behaviour changes.
const Version = "0.1.0"

// MetadataFile is the path of metadata.toml in the layers folder.
const MetadataFile = "config/metadata.toml"

// Metadata is metadata.toml: the launch data of the buildpacks of a build.
type Metadata struct {
	DefaultProcessType string      `toml:"buildpack-default-process-type,omitempty"`
	Buildpacks         []Buildpack `toml:"buildpacks,omitempty"` // in group order
	Labels             []Label     `toml:"labels,omitempty"`
	Processes          []Process   `toml:"processes,omitempty"`
	Slices             []Slice     `toml:"slices,omitempty"`
}

// Buildpack is a buildpack of the group that built the image.
type Buildpack struct {
	ID       string `toml:"id"`
	Version  string `toml:"version"`
	API      string `toml:"api"` // Buildpack API; it decides how layers and processes of this buildpack are read
	Homepage string `toml:"homepage,omitempty"`
}

// Process is a way to start the app.
type Process struct {
	Type       string   `toml:"type"`
	Command    Command  `toml:"command"`
	Args       []string `toml:"args"` // Buildpack API 0.9 and later: defaults, which the user's replace
	Direct     bool     `toml:"direct"`
	Buildpack  string   `toml:"buildpack-id,omitempty"`
	WorkingDir string   `toml:"working-dir,omitempty"` // "" for the app folder
	ExecEnv    []string `toml:"exec-env,omitempty"`    // kinds of environments that it runs in, all when empty
}

// Command is the program of a process with the arguments that are always passed. Without Direct it is a line for bash.
// Before Platform API 0.10 it was a single string.
type Command []string

// UnmarshalTOML reads a string or an array of strings.
func (c *Command) UnmarshalTOML(value any) error {
	switch value := value.(type) {
	case string:
		*c = Command{value}
		return nil
	case []any:
		*c = make(Command, len(value))
		for i, word := range value {
			text, ok := word.(string)
			if !ok {
				return fmt.Errorf("command: %v is not a string", word)
			}
			(*c)[i] = text
		}
		return nil
	}
	return fmt.Errorf("command: %v is neither a string nor an array of strings", value)
}

// Label is an image label that a buildpack asked for.
type Label struct {
	Key   string `toml:"key"`
	Value string `toml:"value"`
}

// Slice is a part of the app that is a layer of its own.
type Slice struct {
	Paths []string `toml:"paths"`
}

// TOML renders metadata.toml in the form of Platform API 0.10 and later. Equal values give equal bytes.
func (m Metadata) TOML() ([]byte, error) {
	processes := make([]Process, len(m.Processes))
	for i, p := range m.Processes {
		if len(p.Command) == 0 {
			return nil, fmt.Errorf("process type %q has no command", p.Type)
		}
		if p.Args == nil {
			p.Args = []string{} // the encoder leaves out a nil slice, and readers expect the key
		}
		processes[i] = p
	}
	m.Processes = processes
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	enc.Indent = ""
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("%s: %w", MetadataFile, err)
	}
	return b.Bytes(), nil
}

// ParseMetadata reads metadata.toml in the form of any Platform API. It ignores unknown keys: later APIs add some.
func ParseMetadata(data []byte) (Metadata, error) {
	var m Metadata
	if _, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&m); err != nil {
		return Metadata{}, err
	}
	for _, p := range m.Processes {
		if len(p.Command) == 0 || p.Command[0] == "" {
			return Metadata{}, fmt.Errorf("process type %q has no command", p.Type)
		}
	}
	return m, nil
}

// readMetadata reads metadata.toml of a layers folder.
func readMetadata(layers string) (Metadata, error) {
	path := filepath.Join(layers, MetadataFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return Metadata{}, err
	}
	m, err := ParseMetadata(data)
	if err != nil {
		return Metadata{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// EscapeID returns the name of a buildpack's folder in the layers folder: its id with / written as _.
func EscapeID(id string) string { return strings.ReplaceAll(id, "/", "_") }
