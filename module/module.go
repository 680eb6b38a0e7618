// Package module finds and opens the modules of a build: packfiles and buildpacks, with their scripts, their folders, and what
// they are given of the user's. It is for the frontend, whose groups consist of them. It solves nothing on its own: what it needs
// from the build around it is a World. It does not say which modules take part; that is package group.
package module

import (
	"fmt"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Module is a packfile that may take part in the build, with what it names in its own folder; or a buildpack.
type Module struct {
	Packfile *packfile.Packfile
	// Buildpack is nil for a packfile. Otherwise Packfile has nothing but what Config says of the module.
	Buildpack *Buildpack

	Filename string            // of the packfile or buildpack.toml, for errors; no two modules have the same
	Source   *bk.SourceMap     // that file, for BuildKit's own errors; nil for none
	Scripts  map[string][]byte // content of every script that has a path
	AptFiles map[string][]byte // content of every file that config.apt names
	Offline  map[string]bool   // names below deps/ in the module's folder
	Files    bk.State          // tree with the module's folder, as far as Offline needs it; whole for a buildpack
	Dir      string            // the folder in Files, absolute; "" for all of it
	Versions bool              // other versions of it may take part in its place
	Grant    *Grant            // nil for the packfile being built, which has everything
	Own      bool              // it has layers, processes or the like: it can take part itself
	Warnings []node.Diagnostic // about Filename

	opened
}

// Buildpack is the part of a module that only buildpacks have: programs of its own (bin/detect, bin/build), as its buildpack.toml
// describes them.
type Buildpack struct {
	API      string // Buildpack API
	ClearEnv bool   // its programs do not get the platform environment as variables
	Targets  []buildpack.Target
}

// Name returns the module's name in messages: its id and, if it has one, its version.
func (m *Module) Name() string { return strings.TrimSuffix(m.ID()+"@"+m.Packfile.Config.Version, "@") }

// ID returns the module's id, or "packfile" when it has none, as only the packfile being built may.
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
	return NoVersion
}

// NoVersion is the version of a module that gives none: the image must name one.
const NoVersion = "0.0.0"

// LayersName returns the name of the module's folder in step.LayersDir: its id with every slash turned into an underscore, as
// the Cloud Native Buildpacks lifecycle names it.
func (m *Module) LayersName() string { return launch.EscapeID(m.ID()) }

// LayerDir returns LAYER of a layer of the module, or the folder of one of its caches.
func (m *Module) LayerDir(name string) string {
	return path.Join(step.LayersDir, m.LayersName(), name)
}

// BuildpackDir returns where a buildpack stands in a build container (Platform API, "Buildpacks Directory Layout").
func (m *Module) BuildpackDir() string {
	return path.Join(step.Buildpacks, launch.EscapeID(m.ID()), m.Packfile.Config.Version)
}

// LayerPath returns the name of a layer with its module. It is unique in a group: names of layers hold no slash.
func (m *Module) LayerPath(layer string) string {
	if id := m.Packfile.Config.ID; id != "" {
		return id + "/" + layer
	}
	return layer
}

// Subject returns the layer's path, with the version where the id has several. It is unique among all modules.
func (m *Module) Subject(layer string) string {
	if m.Versions {
		return m.Name() + "/" + layer
	}
	return m.LayerPath(layer)
}

// Text returns the text of a script. Scripts with a path were read before.
func (m *Module) Text(script *packfile.Script) []byte {
	if script.Path != "" {
		return m.Scripts[script.Path]
	}
	return []byte(script.Inline)
}

// ScriptPart returns a script of the module as a part of a layer key; nil when there is none.
func (m *Module) ScriptPart(s *packfile.Script) *layerkey.Script {
	if s == nil {
		return nil
	}
	return &layerkey.Script{Shell: packfile.ScriptShell(m.Packfile, s), Digest: layerkey.Digest(m.Text(s)), InLayer: s.InLayer}
}

// CacheName returns the name of a cache of the module, with the digest of its setup script: another setup script makes another
// cache, which is new. A packfile that goes back to a script finds its cache again, and apps that share a cache do not empty it
// for each other.
func (m *Module) CacheName(c *packfile.Cache) (string, error) {
	if c.Setup == nil {
		return c.Name, nil
	}
	setup, err := layerkey.DigestJSON(m.ScriptPart(c.Setup))
	return c.Name + "\x00" + setup, err
}

// At returns a range of the module's packfile as a place.
func (m *Module) At(r node.Range) Place { return Place{m, r} }

// Fail returns an error at a place in the module's packfile.
func (m *Module) Fail(r node.Range, format string, args ...any) error {
	return &node.Error{Filename: m.Filename, Diagnostics: []node.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}}}
}
