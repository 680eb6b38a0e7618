package container

import (
	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// AppMode is what becomes of the permissions of the app's files, as chmod(1) has it: 755 for folders and for what somebody
// may execute, 644 for the rest, which is what Git keeps of them. The others are those of the umask under which a checkout
// was made and of the folder that it was made in, and a rootless daemon gets no setuid bit from its client: none of that
// may show in an image or in what a step sees. Not u=rwX: before BuildKit 0.21, X counts behind + alone, as in BSD
// (moby/buildkit#5835).
const AppMode = "u=rw,go=r,a+X,a-t"

// AppCopy puts the app, or the files of it that the globs name, where steps see it.
func (b *Builder) AppCopy(globs []string) llb.Tree {
	return llb.Tree{To: step.AppDir, Owner: &b.Owner, Mode: AppMode, Include: globs, Time: DefaultTime}
}

// AppMount is APP of a step.
func AppMount(tree bk.State, kind llb.MountKind) llb.Mount {
	return llb.Mount{Dest: step.AppDir, Tree: tree, Source: step.AppDir, Kind: kind}
}
