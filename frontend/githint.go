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

// gitHint is the hint for a step that fails because git finds no repository.
const gitHint = "the app has no .git, which git needs: --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 makes it part of the app"

// gitFailed is the text of an error when git(1) finds no repository.
const gitFailed = "exit code 128"

var gitCall = regexp.MustCompile(`(^|[^\w./-])git($|[^\w./:-])`)

// callsGit reports whether a step may have failed because .git is missing: it failed as git does, or one of its scripts calls git
// and was not told that there is no such program. It reads scripts, since git's output went to the log and not to us.
func callsGit(err error, ops llb.Operations, message string) bool {
	var vertex *errdefs.VertexError
	if !errors.As(err, &vertex) || strings.HasSuffix(message, "exit code 127") {
		return false
	}
	return strings.HasSuffix(message, gitFailed) || gitCall.Match(scriptsOf(ops, vertex.Digest))
}

// scriptsOf returns the text of the scripts that a step has in its definition.
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
