package run

import (
	"fmt"
	"runtime/debug"
)

// caught calls a function and returns its error. A panic becomes an error that asks for a report: Go's own message does
// not say whose fault it is. All goroutines of the program go through caught.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v (please report it)\n%s", p, debug.Stack())
		}
	}()
	return f()
}
