// Package guard starts the goroutines of the frontend. A panic in any goroutine ends the whole process, and the user
// would see only an exit code. In a goroutine that guard starts, a panic becomes an error that asks for a report.
package guard

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/moby/buildkit/util/bklog"
	"golang.org/x/sync/errgroup"
)

// catch makes a panic an error. Otherwise only the daemon's log would show it, and the user must see that it is our
// fault.
func catch(ctx context.Context, err *error) {
	if p := recover(); p != nil {
		bklog.G(ctx).Errorf("panic: %v\n%s", p, debug.Stack())
		*err = fmt.Errorf("packfile-frontend: internal error: %v (please report it; the daemon's log has the stack)", p)
	}
}

// Call calls a function and returns its error. A panic becomes an error.
func Call(ctx context.Context, f func() error) (err error) {
	defer catch(ctx, &err)
	return f()
}

// Start calls a function in a goroutine, and then done with the function's error. A panic becomes an error.
func Start(ctx context.Context, f func() error, done func(error)) {
	go func() { done(Call(ctx, f)) }()
}

// Group is an errgroup.Group in which a panic of a function becomes the function's error.
type Group struct {
	ctx context.Context
	all *errgroup.Group
}

// NewGroup returns a group and a context, which ends with the first error or when Wait returns.
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
