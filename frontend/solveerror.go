package frontend

import (
	"errors"
	"fmt"
	"regexp"

	bk "github.com/moby/buildkit/client/llb"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/status"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/llb"
)

// said is an error of a solve in our own words. It does not wrap as usual: the client shows the innermost message. Everything
// else that BuildKit knows about the error (the place in the packfile, what a debugger needs) stays with it.
type said struct {
	message string
	error
}

func (e *said) Error() string { return e.message }
func (e *said) Unwrap() error { return e.error }
func (e *said) GRPCStatus() *status.Status {
	return status.New(grpcerrors.Code(e.error), e.message)
}

// missingSecret matches BuildKit's text when the client has no secret of a name (GetSecret in session/secrets/secrets.go).
var missingSecret = regexp.MustCompile(`secret (\S+): not found`)

// solveErrors turns errors of a solve into the packfile's terms.
type solveErrors struct {
	texts      *texts
	keepGitDir bool                                        // .git is part of the app
	pull       func(images []*pb.Op, message string) error // returns the error when one of these images cannot be pulled
	runs       func(ocispecs.Platform) bool                // reports whether the builder can run programs of a platform
}

func (b *build) solveErrors() solveErrors {
	return solveErrors{&b.texts, b.opts.keepGitDir, b.pullError, b.runs}
}

// explain returns the error of a solve in words that name packfile, layer and step, or the image or file that is not to be had.
// It returns an error that it does not know as it is. It decodes the whole definition.
func (e solveErrors) explain(err error, def *bk.Definition) error {
	text := err.Error()
	var vertex *errdefs.VertexError
	named := errors.As(err, &vertex)
	ops, undecoded := llb.ParseOperations(def.Def)
	if undecoded != nil {
		return err
	}
	var op *pb.Op
	if named {
		op = ops.Find(vertex.Digest)
	}
	if images := unpulled(op, ops, text); len(images) > 0 {
		return e.pull(images, text)
	}
	if !named {
		return err
	}
	message, key := explainDownload(op, text), container.HintKey
	where, filename := e.failedVertex(vertex, def)
	if where == "" && message == "" {
		return err
	}
	if where == "" {
		return &said{message: message, error: err}
	}
	var exit *gwpb.ExitError
	if m := missingSecret.FindStringSubmatch(text); m != nil && op.GetExec() != nil {
		message = fmt.Sprintf("secret %q was not given: pass it with --secret id=%[1]s,src=FILE", m[1])
	} else if errors.As(err, &exit) {
		if installsPackages(op) {
			if failed := e.packageError(vertex.Digest, where, int(exit.ExitCode), op, def); failed != nil {
				return failed
			}
		}
		message = fmt.Sprintf("failed with exit code %d", exit.ExitCode)
		if hint := e.foreign(op); hint != "" {
			message += " (" + hint + ")"
		}
		key = fmt.Sprintf("%s.%d", container.HintKey, exit.ExitCode)
		if !e.keepGitDir && callsGit(err, ops, message) {
			message += " (" + gitHint + ")"
		}
	}
	if message == "" {
		message = "failed: " + withoutPrefix(text)
	}
	if hint := hintOf(err, def, key); hint != "" {
		message += " (" + hint + ")"
	}
	return &said{message: fmt.Sprintf("%s: %s %s", filename, where, message), error: err}
}

// foreign returns what to do about an operation whose platform the builder cannot run programs of, "" for any other.
func (e solveErrors) foreign(op *pb.Op) string {
	if op.Platform == nil || e.runs(op.Platform.Spec()) {
		return ""
	}
	return cannotRun(op.Platform.Spec()) + ": " + runElsewhere
}

// failedVertex returns the name of the operation that failed, and the packfile with its place; "" when the operation is not ours.
func (e solveErrors) failedVertex(vertex *errdefs.VertexError, def *bk.Definition) (name, filename string) {
	if filename = e.placeOf(def, vertex.Digest); filename == "" {
		return "", ""
	}
	for dgst, md := range def.Metadata {
		if dgst.String() == vertex.Digest {
			return md.Description["llb.customname"], filename
		}
	}
	return "", ""
}

// hintOf returns what the description of the failed operation has under a key: what to do about it. It returns "" when there is
// nothing.
func hintOf(err error, def *bk.Definition, key string) string {
	var vertex *errdefs.VertexError
	if !errors.As(err, &vertex) {
		return ""
	}
	return descriptionOf(def, vertex.Digest)[key]
}

// descriptionOf returns the description of an operation.
func descriptionOf(def *bk.Definition, vertex string) map[string]string {
	return def.Metadata[digest.Digest(vertex)].Description
}

// placeOf returns the packfile with the place of an operation, "" when there is none. Operations of an image that bake hands over
// may have their place in another packfile.
func (e solveErrors) placeOf(def *bk.Definition, vertex string) string {
	if def.Source == nil || def.Source.Locations[vertex] == nil {
		return ""
	}
	for _, l := range def.Source.Locations[vertex].Locations {
		if name := def.Source.Infos[l.SourceIndex].Filename; e.texts.text(name) != nil {
			return name
		}
	}
	return ""
}
