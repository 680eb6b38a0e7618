package convert

import (
	"errors"
	"fmt"
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Build is the conversion of one packfile for one platform. It is used by one goroutine.
type Build struct {
	in     Input
	layers []*layer          // in file order; with a target only those that it needs
	byName map[string]*layer // the same
	module string            // folder of the module in step.LayersDir

	app       bk.State // the whole app at step.AppDir, as steps see it
	plans     map[string]*plan
	decisions map[string]*Decision
	outputs   map[string]*output
	ran       map[string]bool     // layers whose run step is part of the build, cached or not
	apps      map[string]bk.State // the app as each lock-app layer left it
	asked     map[Question]answer
	below     *Inquiry     // what is left to be found out about the layers of the packfile
	sbom      []imageLayer // of the last image that was asked for
}

// New resolves links and, with a target, leaves out what it does not need. The packfile must be valid (packfile.Parse).
func New(in Input) (*Build, error) {
	b := &Build{
		in:        in,
		byName:    map[string]*layer{},
		module:    path.Join(step.LayersDir, ModuleDir(in.Packfile)),
		plans:     map[string]*plan{},
		decisions: map[string]*Decision{},
		outputs:   map[string]*output{},
		ran:       map[string]bool{},
		apps:      map[string]bk.State{},
		asked:     map[Question]answer{},
	}
	if in.NoCache == nil {
		b.in.NoCache = func(string) bool { return false }
	}
	for i := range in.Packfile.Layers {
		if l := &in.Packfile.Layers[i]; l.Provide != nil {
			n := &layer{Layer: l, index: i}
			b.layers = append(b.layers, n)
			b.byName[l.Name] = n
		}
	}
	caches := map[string]*packfile.Cache{}
	for i := range in.Packfile.Caches {
		caches[in.Packfile.Caches[i].Name] = &in.Packfile.Caches[i]
	}
	for _, l := range b.layers {
		for i := range l.Provide.Links {
			k := &l.Provide.Links[i]
			l.links = append(l.links, link{Link: k, layer: b.byName[k.Name], cache: caches[k.Name]})
		}
	}
	if in.Target != "" {
		if err := b.restrict(in.Target); err != nil {
			return nil, err
		}
	}
	b.markNoCache()
	b.app = llb.CopyTree(in.App.Tree, b.appCopy(nil), bk.WithCustomName(b.name("", "app")))
	return b, nil
}

// restrict leaves only the target and the layers below it.
func (b *Build) restrict(target string) error {
	l, ok := b.byName[target]
	if !ok {
		names := make([]string, len(b.layers))
		for i, l := range b.layers {
			names[i] = l.Name
		}
		return fmt.Errorf("target %q is not a layer that this packfile provides; there are: %s", target, strings.Join(names, ", "))
	}
	needed := map[*layer]bool{}
	var need func(*layer)
	need = func(l *layer) {
		if needed[l] {
			return
		}
		needed[l] = true
		for _, k := range l.links {
			if k.layer != nil {
				need(k.layer)
			}
		}
		if l.Provide.LockApp {
			for _, other := range b.layers {
				if other.Provide.LockApp && other.index < l.index {
					need(other)
				}
			}
		}
	}
	need(l)
	kept := b.layers[:0]
	for _, l := range b.layers {
		if needed[l] {
			kept = append(kept, l)
		} else {
			delete(b.byName, l.Name)
		}
	}
	b.layers = kept
	return nil
}

// ModuleDir is the folder of a packfile's layers in step.LayersDir: its id with every slash turned into an underscore,
// as the Cloud Native Buildpacks lifecycle names it, or "packfile" when it has no id.
func ModuleDir(pf *packfile.Packfile) string {
	return launch.EscapeID(ModuleID(pf))
}

// ModuleID is the packfile's id, or "packfile" when it has none.
func ModuleID(pf *packfile.Packfile) string {
	if pf.Config.ID == "" {
		return "packfile"
	}
	return pf.Config.ID
}

// layerDir is LAYER of a layer or cache.
func (b *Build) layerDir(name string) string { return path.Join(b.module, name) }

// name is a vertex name that a person recognises: [linux/arm64 node/modules] run.
func (b *Build) name(layer, what string) string {
	subject := b.subject(layer)
	if b.in.Multi {
		subject = strings.TrimSpace(platformString(b.in.Platform) + " " + subject)
	}
	return vertexName(subject, what)
}

// subject is a layer with its module.
func (b *Build) subject(layer string) string {
	if id := b.in.Packfile.Config.ID; id != "" && layer != "" {
		return id + "/" + layer
	}
	return layer
}

func vertexName(subject, what string) string {
	if subject == "" {
		return "[internal] " + what
	}
	return "[" + subject + "] " + what
}

// fail is an error at a place in the packfile.
func (b *Build) fail(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{Filename: b.in.Filename, Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}}}
}

// inLayer is a packfile.Diagnostic about a part of a layer as an error of that layer.
func (b *Build) inLayer(l *layer, err error) error {
	var d packfile.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	d.Message = fmt.Sprintf("layer %q: %s", l.Name, d.Message)
	return &packfile.Error{Filename: b.in.Filename, Diagnostics: []packfile.Diagnostic{d}}
}
