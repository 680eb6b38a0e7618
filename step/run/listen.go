package run

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/packfile/frontend/step"
)

// listener passes on the standard error of a script, and notes the programs that its shell did not find.
type listener struct {
	in, out *os.File // of the pipe
	done    chan struct{}
	line    []byte // the unfinished line, or its beginning
	found   []string
}

// listen makes a listener that passes on to w.
func listen(w io.Writer) (*listener, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &listener{in: in, out: out, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		err := caught(func() error {
			io.Copy(w, io.TeeReader(out, l))
			return nil
		})
		if err != nil {
			say(step.StepBinary, err.Error())
			io.Copy(w, out) // else the script would wait for a reader
		}
	}()
	return l, nil
}

// lingering bounds how long the pipe is read after the script has ended, in case a process that cannot be killed holds it
// open.
const lingering = 5 * time.Second

// end stops listening when the script has ended. It returns the programs that were not found, in the order of the
// messages.
func (l *listener) end() []string {
	l.in.Close()
	l.out.SetReadDeadline(time.Now().Add(lingering))
	<-l.done
	l.out.Close()
	l.look()
	return l.found
}

// Bounds of what a listener keeps.
const (
	maxLine     = 1000
	maxNotFound = 10
)

// Write reads output of the script, line by line.
func (l *listener) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		l.line = append(l.line, line[:min(len(line), maxLine-len(l.line))]...)
		if ended {
			l.look()
		}
		rest = after
	}
	return len(p), nil
}

// shellNotFound matches how shells report a missing command: bash with "command", dash and busybox without; env in
// quotes.
var shellNotFound = regexp.MustCompile(`: ([A-Za-z0-9_][A-Za-z0-9._+-]{0,99}): (command )?not found$|^env: [^A-Za-z0-9]*([A-Za-z0-9_][A-Za-z0-9._+-]{0,99})[^A-Za-z0-9]*: No such file or directory$`)

// look reads a whole line.
func (l *listener) look() {
	if m := shellNotFound.FindSubmatch(l.line); m != nil && len(l.found) < maxNotFound {
		if name := string(m[1]) + string(m[3]); !slices.Contains(l.found, name) {
			l.found = append(l.found, name)
		}
	}
	l.line = l.line[:0]
}
