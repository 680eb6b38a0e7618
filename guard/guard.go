// Package guard starts the goroutines of the frontend. A panic in any goroutine ends the whole process, which the user would see
// as an exit code and nothing else; in one that is started here it is an error that asks for a report.
package guard

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/moby/buildkit/util/bklog"
	"golang.org/x/sync/errgroup"
)

// catch makes a panic an error. It would only be seen in the daemon's log, and the user has to see that it is our fault.
func catch(ctx context.Context, err *error) {
	if p := recover(); p != nil {
		bklog.G(ctx).Errorf("panic: %v\n%s", p, debug.Stack())
		*err = fmt.Errorf("packfile-frontend: internal error: %v (please report it; the daemon's log has the stack)", p)
	}
}

// Call calls a function. A panic in it is its error.
func Call(ctx context.Context, f func() error) (err error) {
	defer catch(ctx, &err)
	return f()
}

// Start calls a function in a goroutine, and then done with its error.
func Start(ctx context.Context, f func() error, done func(error)) {
	go func() { done(Call(ctx, f)) }()
}

// Group is an errgroup.Group whose functions may panic: that is their error.
type Group struct {
	ctx context.Context
	all *errgroup.Group
}

// NewGroup returns a group with a context that ends with the first error, and with the group.
func NewGroup(ctx context.Context) (Group, context.Context) {
	eg, egCtx := errgroup.WithContext(ctx)
	return Group{egCtx, eg}, egCtx
}

// Go calls a function in a goroutine.
func (g Group) Go(f func() error) {
	g.all.Go(func() error { return Call(g.ctx, f) })
}

// Wait returns the first error of the functions when all have returned.
func (g Group) Wait() error { return g.all.Wait() }
