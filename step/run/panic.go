package run

import (
	"fmt"
	"runtime/debug"
)

// caught calls a function. A panic in it is its error, which asks for a report: what Go prints says nothing of whose fault it is.
// All goroutines of the program go through it.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v (please report it)\n%s", p, debug.Stack())
		}
	}()
	return f()
}
