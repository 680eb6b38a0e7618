package container

import (
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// AppMode is the mode of the app's files, as chmod(1) has it: 755 for folders and for files that somebody may execute, 644 for
// the rest. File modes of the app count as Git keeps them: executable or not. The other permissions come from the umask of a
// checkout and from the folder it was made in, and a rootless daemon gets no setuid bit from its client: none of that may show in
// an image or in what a step sees. Not u=rwX: before BuildKit 0.21, X counts behind + alone, as in BSD (moby/buildkit#5835).
const AppMode = "u=rw,go=r,a+X,a-t"

// AppCopy returns the copy that puts the app, or the files of it that match globs, where steps see it.
func (b *Builder) AppCopy(globs []string) llb.Tree {
	return llb.Tree{To: step.AppDir, Owner: &b.Owner, Mode: AppMode, Include: globs, Exclude: b.App.Excluded(), Time: DefaultTime}
}

// Excluded returns patterns of what the app has in place of symbolic links; nil when there are no such places.
func (a App) Excluded() (patterns []string) {
	for _, name := range a.Hidden {
		patterns = append(patterns, llb.Literal(name))
	}
	return patterns
}

// Hiding returns a builder that knows of more places of symbolic links, or b when it knows all of them.
func (b *Builder) Hiding(links []packfile.Symlink) *Builder {
	in := b.Input
	in.App.Hidden = slices.Clone(in.App.Hidden)
	for _, link := range links {
		in.App.Hidden = append(in.App.Hidden, link.Path)
	}
	slices.Sort(in.App.Hidden)
	if in.App.Hidden = slices.Compact(in.App.Hidden); len(in.App.Hidden) == len(b.App.Hidden) {
		return b
	}
	return New(in)
}

// AppMount returns the mount of APP for a step.
func AppMount(tree bk.State, kind llb.MountKind) llb.Mount {
	return llb.Mount{Dest: step.AppDir, Tree: tree, Source: step.AppDir, Kind: kind}
}
