package convert

import (
	"context"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// AppMode is what becomes of the permissions of the app's files, as chmod(1) has it: 755 for folders and for what somebody
// may execute, 644 for the rest, which is what Git keeps of them. The others are those of the umask under which a checkout
// was made and of the folder that it was made in, and a rootless daemon gets no setuid bit from its client: none of that
// may show in an image or in what a step sees. Not u=rwX: before BuildKit 0.21, X counts behind + alone, as in BSD
// (moby/buildkit#5835).
const AppMode = "u=rw,go=r,a+X,a-t"

// appCopy puts the app, or the files of it that the globs name, where steps see it.
func (b *Build) appCopy(globs []string) llb.Tree {
	return llb.Tree{To: step.AppDir, Owner: &b.in.Owner, Mode: AppMode, Include: globs, Time: DefaultTime}
}

// visibleApp is what the test and the run of a layer may see of the app: all of it, or what its inputs name and what symlinks
// among that lead to.
func (s steps) visibleApp(l *layer) bk.State {
	if l.Provide.Inputs == nil {
		return s.app
	}
	return llb.CopyTree(s.in.App.Tree, s.appCopy(s.facts[fact.Question{Layer: l.id, Kind: fact.Inputs}].Selection.Patterns()), bk.WithCustomName(s.name(l.id, "inputs")))
}

// matched is where the files are that a question asks the digest of: a tree, and a folder in it.
func (s steps) matched(l *layer, kind fact.Kind) (tree bk.State, folder string) {
	if kind == fact.Tested && l.Provide.Inputs != nil { // no more than these are visible
		return s.visibleApp(l), step.AppDir
	}
	return s.in.App.Tree, "/"
}

// appMount is APP of a step.
func appMount(tree bk.State, kind llb.MountKind) llb.Mount {
	return llb.Mount{Dest: step.AppDir, Tree: tree, Source: step.AppDir, Kind: kind}
}

// runApp is APP of a layer's run step.
//
//   - with lock-app it is the app as the lock-app layer before left it, and is kept;
//   - with inputs it is the files that they name, by content;
//   - with a version it is the whole app, which the version speaks for: a keyed view;
//   - otherwise it is the whole app, by content. So it is if there is no form of the app that is the same in every build: see
//     SeenByContent.
func (s steps) runApp(ctx context.Context, l *layer, r layerkey.Record) (llb.Mount, error) {
	switch {
	case l.Provide.LockApp:
		app, err := s.lockedApp(ctx, l)
		return appMount(app, llb.Output), err
	case l.Provide.Inputs != nil || r.Parts.Version == "" || s.in.App.Stable == nil:
		return appMount(s.visibleApp(l), llb.Discarded), nil
	}
	view := viewKey(r.Key, s.in.Project)
	content := llb.CopyTree(*s.in.App.Stable, s.appCopy(nil), bk.WithCustomName(s.name(l.id, "copy app")))
	tree, err := llb.KeyedView(ctx, view, content, l.noCache, bk.WithCustomName(s.name(l.id, "app as of this version")))
	mount := appMount(tree, llb.Discarded)
	mount.ByKey = true
	return mount, err
}

// lockedApp is the app as the last lock-app layer before l left it; with a nil layer, as the last of all left it.
func (s steps) lockedApp(ctx context.Context, l *layer) (bk.State, error) {
	var last *layer
	for _, other := range s.layers {
		if l != nil && other.index >= l.index {
			break
		}
		if other.Provide.LockApp && s.facts.status(other) == settled {
			last = other
		}
	}
	if last == nil {
		return s.app, nil
	}
	o, err := s.output(ctx, last)
	if err != nil {
		return bk.State{}, err
	}
	return o.app, nil
}

// SeenByContent returns the layers of the build whose run step sees the whole app by content, although they have a version: any
// change of the app runs it again. It is asked when everything is decided.
func (d *Decisions) SeenByContent() (names []string) {
	if d.in.App.Stable != nil {
		return nil
	}
	for _, l := range d.layers {
		if d.runs[l] && l.runsScripts() && !l.Provide.LockApp && l.Provide.Inputs == nil && d.facts.version(l) != "" {
			names = append(names, d.shown(l))
		}
	}
	slices.Sort(names)
	return names
}
