package graph

import (
	"context"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// visibleApp returns what the test and the run of a layer may see of the app: all of it, or the files that its inputs name and
// what symlinks among them lead to.
func (s Steps) visibleApp(l *Layer) bk.State {
	if l.Provide.Inputs == nil {
		return s.WholeApp
	}
	return llb.CopyTree(s.App.Tree, s.AppCopy(s.facts[fact.Question{Layer: l.ID, Kind: fact.Inputs}].Selection.Patterns()), bk.WithCustomName(s.Name(l.ID, "inputs")))
}

// matched returns where the files are whose digest a question asks for: a tree, and a folder in it.
func (s Steps) matched(l *Layer, kind fact.Kind) (tree bk.State, folder string) {
	if kind == fact.Tested && l.Provide.Inputs != nil { // it sees no more than these
		return s.visibleApp(l), step.AppDir
	}
	return s.App.Tree, "/"
}

// runApp returns the mount of APP for a layer's run step: the app, and the symbolic links of the layers that it links.
//
//   - with lock-app it is the app as the lock-app layer before left it, and is kept;
//   - with inputs it is the files that they name, by content;
//   - with a version it is the whole app, which the version speaks for: a keyed view;
//   - otherwise it is the whole app, by content; also if the app has no form that is the same in every build: see
//     SeenByContent.
func (s Steps) runApp(ctx context.Context, l *Layer, r layerkey.Record) (llb.Mount, error) {
	switch {
	case l.Provide.LockApp:
		app, err := s.LockedApp(ctx, l)
		return container.AppMount(s.withSymlinks(app, l), llb.Output), err
	case l.Provide.Inputs != nil || r.Parts.Version == "" || s.App.Stable == nil:
		return container.AppMount(s.withSymlinks(s.visibleApp(l), l), llb.Discarded), nil
	}
	view := viewKey(r.Key, s.Project)
	content := llb.CopyTree(*s.App.Stable, s.AppCopy(nil), bk.WithCustomName(s.Name(l.ID, "copy app")))
	content = s.withSymlinks(content, l)
	tree, err := llb.KeyedView(ctx, view, content, l.noCache, bk.WithCustomName(s.Name(l.ID, "app as of this version")))
	mount := container.AppMount(tree, llb.Discarded)
	mount.ByKey = true
	return mount, err
}

// LockedApp returns the app as the last lock-app layer before l left it. With a nil layer, it is the last of all lock-app layers.
func (s Steps) LockedApp(ctx context.Context, l *Layer) (bk.State, error) {
	var last *Layer
	for _, other := range s.Layers {
		if l != nil && other.index >= l.index {
			break
		}
		if other.Provide.LockApp && s.of(other).status == settled {
			last = other
		}
	}
	if last == nil {
		return s.WholeApp, nil
	}
	o, err := s.Output(ctx, last)
	if err != nil {
		return bk.State{}, err
	}
	return o.app, nil
}

// SeenByContent returns the layers whose run step sees the whole app by content although they have a version: any change of the
// app runs it again. Everything must be decided.
func (d *Decisions) SeenByContent() (names []string) {
	if d.App.Stable != nil {
		return nil
	}
	for _, l := range d.Layers {
		if d.runs[l.index] && l.maker.runsScripts() && !l.Provide.LockApp && l.Provide.Inputs == nil && d.facts.version(l) != "" {
			names = append(names, d.Shown(l))
		}
	}
	slices.Sort(names)
	return names
}

// viewKey returns the key under which a layer's run step sees the app. It contains the app's identity, so that two projects with
// equal layer keys never see each other's files.
func viewKey(layerKey, project string) string {
	return layerkey.Digest([]byte("view\x00" + layerKey + "\x00" + project))
}
