package frontend

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
)

// texts are the files that errors can show, by name. The zero value has none.
type texts struct {
	mu    sync.Mutex
	files map[string]*bk.SourceMap
}

// keepText adds a file that errors can show.
func (t *texts) keepText(text *bk.SourceMap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files == nil {
		t.files = map[string]*bk.SourceMap{}
	}
	t.files[text.Filename] = text
}

// text returns the file with a name, nil when errors can show none.
func (t *texts) text(filename string) *bk.SourceMap {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files[filename]
}

// explain turns an error about a packfile into one that names the places in it, so that the client prints an excerpt around each.
// It returns other errors as they are.
func (t *texts) explain(err error) error {
	pe, ok := errors.AsType[*node.Error](err)
	if !ok {
		return err
	}
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
	text := t.text(pe.Filename)
	if text == nil {
		return errors.New(message)
	}
	return errdefs.WithSource(errors.New(message), &errdefs.Source{Info: visibleText(text, beginningOf(text.Data)), Ranges: ranges})
}

// maxErrorData is how much of a packfile goes with an error, in bytes. Errors travel in gRPC trailers, which are limited: a
// larger error ends the connection without a message.
const maxErrorData = node.MaxSize

// maxErrorLine is how much of a line the client gets to show, in bytes.
const maxErrorLine = 500

// beginningOf returns the part of a file that goes with an error: the beginning of each line, up to maxErrorData. The error about
// a file that is too large has its place in that part.
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
