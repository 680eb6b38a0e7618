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

// visibleApp is what the test and the run of a layer may see of the app: all of it, or what its inputs name and what symlinks
// among that lead to.
func (s Steps) visibleApp(l *Layer) bk.State {
	if l.Provide.Inputs == nil {
		return s.WholeApp
	}
	return llb.CopyTree(s.App.Tree, s.AppCopy(s.facts[fact.Question{Layer: l.ID, Kind: fact.Inputs}].Selection.Patterns()), bk.WithCustomName(s.Name(l.ID, "inputs")))
}

// matched is where the files are that a question asks the digest of: a tree, and a folder in it.
func (s Steps) matched(l *Layer, kind fact.Kind) (tree bk.State, folder string) {
	if kind == fact.Tested && l.Provide.Inputs != nil { // no more than these are visible
		return s.visibleApp(l), step.AppDir
	}
	return s.App.Tree, "/"
}

// runApp is APP of a layer's run step.
//
//   - with lock-app it is the app as the lock-app layer before left it, and is kept;
//   - with inputs it is the files that they name, by content;
//   - with a version it is the whole app, which the version speaks for: a keyed view;
//   - otherwise it is the whole app, by content. So it is if there is no form of the app that is the same in every build: see
//     SeenByContent.
func (s Steps) runApp(ctx context.Context, l *Layer, r layerkey.Record) (llb.Mount, error) {
	switch {
	case l.Provide.LockApp:
		app, err := s.LockedApp(ctx, l)
		return container.AppMount(app, llb.Output), err
	case l.Provide.Inputs != nil || r.Parts.Version == "" || s.App.Stable == nil:
		return container.AppMount(s.visibleApp(l), llb.Discarded), nil
	}
	view := viewKey(r.Key, s.Project)
	content := llb.CopyTree(*s.App.Stable, s.AppCopy(nil), bk.WithCustomName(s.Name(l.ID, "copy app")))
	tree, err := llb.KeyedView(ctx, view, content, l.noCache, bk.WithCustomName(s.Name(l.ID, "app as of this version")))
	mount := container.AppMount(tree, llb.Discarded)
	mount.ByKey = true
	return mount, err
}

// LockedApp is the app as the last lock-app layer before l left it; with a nil layer, as the last of all left it.
func (s Steps) LockedApp(ctx context.Context, l *Layer) (bk.State, error) {
	var last *Layer
	for _, other := range s.Layers {
		if l != nil && other.index >= l.index {
			break
		}
		if other.Provide.LockApp && s.facts.status(other) == settled {
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

// SeenByContent returns the layers of the build whose run step sees the whole app by content, although they have a version: any
// change of the app runs it again. It is asked when everything is decided.
func (d *Decisions) SeenByContent() (names []string) {
	if d.App.Stable != nil {
		return nil
	}
	for _, l := range d.Layers {
		if d.runs[l] && l.maker.runsScripts() && !l.Provide.LockApp && l.Provide.Inputs == nil && d.facts.version(l) != "" {
			names = append(names, d.Shown(l))
		}
	}
	slices.Sort(names)
	return names
}

// viewKey is the key under which a layer's run step sees the app. With the app's identity in it two projects with equal
// layer keys never see each other's files.
func viewKey(layerKey, project string) string {
	return layerkey.Digest([]byte("view\x00" + layerKey + "\x00" + project))
}
