package convert

import (
	"errors"
	"fmt"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Module is a packfile that may take part in the build, with what it names in its own folder; or a buildpack.
type Module struct {
	Packfile *packfile.Packfile
	// Buildpack is nil for a packfile. Otherwise Packfile has nothing but what Config says of the module.
	Buildpack *Buildpack

	Filename string            // of the packfile or buildpack.toml, for errors; no two modules have the same
	Source   *bk.SourceMap     // that file for BuildKit's own errors; nil for none
	Scripts  map[string][]byte // content of every script that has a path
	Offline  map[string]bool   // names below deps/ in the module's folder
	Files    bk.State          // what the module's folder is in, as far as Offline needs it; all of a buildpack's
	Dir      string            // the folder in Files, absolute; "" for all of it
	Versions bool              // other versions of it may take part in its place
	Grant    *Grant            // nil for the packfile that is built, which has everything
}

// Name is the module in messages: id and, if it has one, version.
func (m *Module) Name() string { return strings.TrimSuffix(m.ID()+"@"+m.Packfile.Config.Version, "@") }

// ID is the module's id, or "packfile" when it has none, as only the packfile that is built may.
func (m *Module) ID() string {
	if id := m.Packfile.Config.ID; id != "" {
		return id
	}
	return "packfile"
}

// Version is the module's version as the image names it.
func (m *Module) Version() string {
	if v := m.Packfile.Config.Version; v != "" {
		return v
	}
	return noVersion
}

// noVersion is that of a module which gives none: the image has to name one.
const noVersion = "0.0.0"

// dir is the folder of the module in step.LayersDir: its id with every slash turned into an underscore, as the Cloud Native
// Buildpacks lifecycle names it.
func (m *Module) dir() string { return launch.EscapeID(m.ID()) }

// layerDir is LAYER of a layer of the module, or the folder of a cache of its.
func (m *Module) layerDir(name string) string { return path.Join(step.LayersDir, m.dir(), name) }

// path is a layer with its module. No two layers of a group have the same: names of layers hold no slash.
func (m *Module) path(layer string) string {
	if id := m.Packfile.Config.ID; id != "" {
		return id + "/" + layer
	}
	return layer
}

// subject is the same, and no two layers of all modules have the same.
func (m *Module) subject(layer string) string {
	if m.Versions {
		return m.Name() + "/" + layer
	}
	return m.path(layer)
}

// text of a script. The frontend has read every script with a path beforehand.
func (m *Module) text(script *packfile.Script) []byte {
	if script.Path != "" {
		return m.Scripts[script.Path]
	}
	return []byte(script.Inline)
}

// at is a place in the module's packfile.
func (m *Module) at(r packfile.Range) place { return place{m, r} }

// fail is an error at a place in the module's packfile.
func (m *Module) fail(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{Filename: m.Filename, Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}}}
}

// inLayer is a packfile.Diagnostic about a part of a layer as an error of that layer.
func (l *layer) inLayer(err error) error {
	var d packfile.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	d.Message = fmt.Sprintf("layer %q: %s", l.Name, d.Message)
	return &packfile.Error{Filename: l.module.Filename, Diagnostics: []packfile.Diagnostic{d}}
}

// place is a place in the packfile of a module.
type place struct {
	module *Module
	packfile.Range
}

// location makes BuildKit's errors about an operation point at the place.
func (p place) location() bk.ConstraintsOpt {
	return p.module.Source.Location([]*pb.Range{PBRange(p.Range)})
}

// PBRange is a range in BuildKit's form.
func PBRange(r packfile.Range) *pb.Range {
	return &pb.Range{
		Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Column)},
		End:   &pb.Position{Line: int32(max(r.End.Line, r.Start.Line)), Character: int32(r.End.Column)},
	}
}

// vertexName is a vertex name that a person recognises: [node/modules] run.
func vertexName(subject, what string) string {
	if subject == "" {
		return "[internal] " + what
	}
	return "[" + subject + "] " + what
}

// name is the vertex name of what is done for one platform: [linux/arm64 node/modules] run.
func (b *Build) name(subject, what string) string {
	if b.in.Multi {
		subject = strings.TrimSpace(platformString(b.in.Platform) + " " + subject)
	}
	return vertexName(subject, what)
}
