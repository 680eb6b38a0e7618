package frontend

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/grpc/status"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// withSource shows the places of an error in the packfile. The client prints an excerpt around each.
func (b *build) withSource(pe *packfile.Error) error {
	lines := make([]string, len(pe.Diagnostics))
	ranges := make([]*pb.Range, len(pe.Diagnostics))
	for i, d := range pe.Diagnostics {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", pe.Filename, d.Range.Start.Line, d.Range.Start.Column, d.Text())
		ranges[i] = module.PBRange(d.Range)
	}
	message := strings.Join(lines, "\n")
	if len(lines) > 1 {
		message = fmt.Sprintf("%d errors in %s:\n%s", len(lines), pe.Filename, message)
	}
	text := b.text(pe.Filename)
	if text == nil {
		return errors.New(message)
	}
	return errdefs.WithSource(errors.New(message), &errdefs.Source{Info: visibleText(text, beginningOf(text.Data)), Ranges: ranges})
}

// keepText makes a file one that errors can show.
func (b *build) keepText(text *bk.SourceMap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts[text.Filename] = text
}

// text is a file that errors can show, nil when there is none of that name.
func (b *build) text(filename string) *bk.SourceMap {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.texts[filename]
}

// maxErrorData is how much of a packfile goes with an error, in bytes. Errors travel in gRPC trailers, which are limited:
// a larger one ends the connection and says nothing.
const maxErrorData = packfile.MaxSize

// maxErrorLine is how much of a line the client is given to show, in bytes.
const maxErrorLine = 500

// beginningOf returns what goes with an error of a file: the beginning of one that is too large, which has the place that the
// error about that is at, and of each line.
func beginningOf(data []byte) []byte {
	data = data[:min(len(data), maxErrorData)]
	var short []byte
	for line := range bytes.Lines(data) {
		if rest, end := bytes.CutSuffix(line, []byte("\n")); len(rest) > maxErrorLine {
			line = append(bytes.ToValidUTF8(rest[:maxErrorLine], nil), "…"...)
			if end {
				line = append(line, '\n')
			}
		}
		short = append(short, line...)
	}
	return short
}

// said is an error of a solve in our own words. Wrapping it would not do: the client is shown the innermost message.
// Everything else that BuildKit knows about the error (the place in the packfile, what a debugger needs) stays with it.
type said struct {
	message string
	error
}

func (e *said) Error() string { return e.message }
func (e *said) Unwrap() error { return e.error }
func (e *said) GRPCStatus() *status.Status {
	return status.New(grpcerrors.Code(e.error), e.message)
}

// missingSecret is how BuildKit says that the client has no secret of a name (GetSecret in session/secrets/secrets.go).
var missingSecret = regexp.MustCompile(`secret (\S+): not found`)

// explainSolve says in the packfile's terms what went wrong in a solve.
func (b *build) explainSolve(err error, def *bk.Definition) error {
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
		return b.pullError(images, text)
	}
	if !named {
		return err
	}
	message, key := explainDownload(op, text), convert.HintKey
	where, filename := b.failedVertex(vertex, def)
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
		message = fmt.Sprintf("failed with exit code %d", exit.ExitCode)
		key = fmt.Sprintf("%s.%d", convert.HintKey, exit.ExitCode)
		if !b.opts.keepGitDir && callsGit(err, ops, message) {
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

// failedVertex is the name of the operation that failed, and the packfile that it has its place in; "" when it is none of ours.
func (b *build) failedVertex(vertex *errdefs.VertexError, def *bk.Definition) (name, filename string) {
	if filename = b.placeOf(def, vertex.Digest); filename == "" {
		return "", ""
	}
	for dgst, md := range def.Metadata {
		if dgst.String() == vertex.Digest {
			return md.Description["llb.customname"], filename
		}
	}
	return "", ""
}

// hintOf is what the description of the operation that failed says to do, by one of its keys; "" when there is nothing to say.
func hintOf(err error, def *bk.Definition, key string) string {
	var vertex *errdefs.VertexError
	if !errors.As(err, &vertex) {
		return ""
	}
	return def.Metadata[digest.Digest(vertex.Digest)].Description[key]
}

// placeOf is the packfile that an operation has its place in. Those of an image that bake hands over may have one in another.
func (b *build) placeOf(def *bk.Definition, vertex string) string {
	if def.Source == nil || def.Source.Locations[vertex] == nil {
		return ""
	}
	for _, l := range def.Source.Locations[vertex].Locations {
		if name := def.Source.Infos[l.SourceIndex].Filename; b.text(name) != nil {
			return name
		}
	}
	return ""
}
