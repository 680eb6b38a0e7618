package frontend

import (
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// gitHint is said of a step that fails and calls git, which finds no repository.
const gitHint = "the app has no .git, which git needs: --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 makes it part of the app"

// gitFailed is how git(1) fails when there is no repository.
const gitFailed = "exit code 128"

var gitCall = regexp.MustCompile(`(^|[^\w./-])git($|[^\w./:-])`)

// callsGit says whether a step may have failed for want of .git: it failed as git does, or one of its scripts calls git and was
// not told that there is no such program. What git printed went to the log, past us.
func callsGit(err error, ops llb.Operations, message string) bool {
	var vertex *errdefs.VertexError
	if !errors.As(err, &vertex) || strings.HasSuffix(message, "exit code 127") {
		return false
	}
	return strings.HasSuffix(message, gitFailed) || gitCall.Match(scriptsOf(ops, vertex.Digest))
}

// scriptsOf is the text of the scripts that a step finds in its definition.
func scriptsOf(ops llb.Operations, vertex string) (texts []byte) {
	exec := ops.Find(vertex)
	for _, m := range exec.GetExec().GetMounts() {
		if m.Dest != step.SpecDir || m.Input < 0 {
			continue
		}
		for _, a := range ops.Find(exec.Inputs[m.Input].Digest).GetFile().GetActions() {
			file := a.GetMkfile()
			if name := path.Base(file.GetPath()); file != nil && name != step.SpecFile && name != step.RecordFile {
				texts = append(append(texts, file.Data...), '\n')
			}
		}
	}
	return texts
}
