// Package module finds, opens and holds the modules of a build: packfiles and buildpacks, with their scripts, their folders, and what
// they are given of the user's. It solves nothing on its own: what it needs of the build around it is a World.
package module

import (
	"fmt"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Module is a packfile that may take part in the build, with what it names in its own folder; or a buildpack.
type Module struct {
	Packfile *packfile.Packfile
	// Buildpack is nil for a packfile. Otherwise Packfile has nothing but what Config says of the module.
	Buildpack *Buildpack

	Filename string                // of the packfile or buildpack.toml, for errors; no two modules have the same
	Source   *bk.SourceMap         // that file for BuildKit's own errors; nil for none
	Scripts  map[string][]byte     // content of every script that has a path
	Offline  map[string]bool       // names below deps/ in the module's folder
	Files    bk.State              // what the module's folder is in, as far as Offline needs it; all of a buildpack's
	Dir      string                // the folder in Files, absolute; "" for all of it
	Versions bool                  // other versions of it may take part in its place
	Grant    *Grant                // nil for the packfile that is built, which has everything
	Own      bool                  // it has layers, processes or the like: it can take part itself
	Warnings []packfile.Diagnostic // about Filename

	opened
}

// Buildpack is a module with programs of its own (bin/detect, bin/build), as its buildpack.toml has it.
type Buildpack struct {
	API      string // Buildpack API
	ClearEnv bool   // its programs do not have the platform environment as variables
	Targets  []buildpack.Target
}

// Name returns what messages call the module: id and, if it has one, version.
func (m *Module) Name() string { return strings.TrimSuffix(m.ID()+"@"+m.Packfile.Config.Version, "@") }

// ID returns the module's id, or "packfile" when it has none, as only the packfile that is built may.
func (m *Module) ID() string {
	if id := m.Packfile.Config.ID; id != "" {
		return id
	}
	return "packfile"
}

// Version returns the module's version as the image names it.
func (m *Module) Version() string {
	if v := m.Packfile.Config.Version; v != "" {
		return v
	}
	return noVersion
}

// noVersion is that of a module which gives none: the image has to name one.
const noVersion = "0.0.0"

// LayersName returns the name of the module's folder in step.LayersDir: its id with every slash turned into an underscore, as
// the Cloud Native Buildpacks lifecycle names it.
func (m *Module) LayersName() string { return launch.EscapeID(m.ID()) }

// LayerDir returns LAYER of a layer of the module, or the folder of a cache of its.
func (m *Module) LayerDir(name string) string {
	return path.Join(step.LayersDir, m.LayersName(), name)
}

// BuildpackDir returns where a buildpack stands in a build container (Platform API, "Buildpacks Directory Layout").
func (m *Module) BuildpackDir() string {
	return path.Join(step.Buildpacks, launch.EscapeID(m.ID()), m.Packfile.Config.Version)
}

// LayerPath names a layer with its module. No two layers of a group have the same: names of layers hold no slash.
func (m *Module) LayerPath(layer string) string {
	if id := m.Packfile.Config.ID; id != "" {
		return id + "/" + layer
	}
	return layer
}

// Subject names a layer as LayerPath does, and with the version where there are several. No two layers of all modules have the same.
func (m *Module) Subject(layer string) string {
	if m.Versions {
		return m.Name() + "/" + layer
	}
	return m.LayerPath(layer)
}

// Text returns the text of a script. Every script with a path has been read beforehand.
func (m *Module) Text(script *packfile.Script) []byte {
	if script.Path != "" {
		return m.Scripts[script.Path]
	}
	return []byte(script.Inline)
}

// ScriptPart returns what a layer key says of a script of the module; nil when there is none.
func (m *Module) ScriptPart(s *packfile.Script) *layerkey.Script {
	if s == nil {
		return nil
	}
	return &layerkey.Script{Shell: packfile.ScriptShell(m.Packfile, s), Digest: layerkey.Digest(m.Text(s)), InLayer: s.InLayer}
}

// CacheName names a cache of the module and what it was set up by: with another setup script it is another cache, which is new.
// A packfile that goes back to a script finds its cache, and apps that share one do not empty each other's.
func (m *Module) CacheName(c *packfile.Cache) (string, error) {
	if c.Setup == nil {
		return c.Name, nil
	}
	setup, err := layerkey.DigestJSON(m.ScriptPart(c.Setup))
	return c.Name + "\x00" + setup, err
}

// At returns a place in the module's packfile.
func (m *Module) At(r packfile.Range) Place { return Place{m, r} }

// Fail returns an error at a place in the module's packfile.
func (m *Module) Fail(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{Filename: m.Filename, Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}}}
}
