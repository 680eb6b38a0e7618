package run

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/packfile/frontend/step"
)

// captured is what a program writes to a pipe, as far as a test compares it. The rest is read and dropped, so that the program does
// not wait.
type captured struct {
	in, out *os.File // of the pipe
	done    chan struct{}
	kept    string
	all     bool // kept is all of it
}

// capture starts to read a new pipe.
func capture() (*captured, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &captured{in: in, out: out, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		err := caught(func() error {
			kept, _ := io.ReadAll(io.LimitReader(out, step.MaxCompared))
			dropped, _ := io.Copy(io.Discard, out)
			c.kept, c.all = string(kept), dropped == 0
			return nil
		})
		if err != nil {
			say(step.StepBinary, err.Error())
		}
	}()
	return c, nil
}

// end stops reading when the program has ended, and no process of it is left.
func (c *captured) end() {
	c.in.Close()
	c.out.SetReadDeadline(time.Now().Add(lingering))
	<-c.done
	c.out.Close()
}

// lastWords returns how the outputs of a program end, as a message goes on: of the first that has any.
func lastWords(outputs ...*captured) string {
	names := []string{"stderr", "stdout"}
	for i, c := range outputs {
		if c.kept != "" && c.all {
			return fmt.Sprintf("; %s is %s", names[i], lastOf(c.kept))
		}
		if c.kept != "" {
			return fmt.Sprintf("; %s is longer than %d MiB and begins with %s", names[i], step.MaxCompared>>20, firstOf(c.kept))
		}
	}
	return "; it printed nothing"
}
