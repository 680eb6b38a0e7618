package frontend

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/bklog"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// All goroutines of the frontend are started here, and what others start for it passes here. A panic in any ends the whole process,
// which the user would see as an exit code and nothing else.

// catch makes a panic an error. It would only be seen in the daemon's log, and the user has to see that it is our fault.
func catch(ctx context.Context, err *error) {
	if p := recover(); p != nil {
		bklog.G(ctx).Errorf("panic: %v\n%s", p, debug.Stack())
		*err = fmt.Errorf("packfile-frontend: internal error: %v (please report it; the daemon's log has the stack)", p)
	}
}

// caught calls a function. A panic in it is its error.
func caught(ctx context.Context, f func() error) (err error) {
	defer catch(ctx, &err)
	return f()
}

// start calls a function in a goroutine, and then done with its error.
func start(ctx context.Context, f func() error, done func(error)) {
	go func() { done(caught(ctx, f)) }()
}

// group is an errgroup.Group whose functions may panic: that is their error.
type group struct {
	ctx context.Context
	all *errgroup.Group
}

// newGroup is a group with a context that ends with the first error, and with the group.
func newGroup(ctx context.Context) (group, context.Context) {
	eg, egCtx := errgroup.WithContext(ctx)
	return group{egCtx, eg}, egCtx
}

// Go calls a function in a goroutine.
func (g group) Go(f func() error) {
	g.all.Go(func() error { return caught(g.ctx, f) })
}

// Wait returns the first error of the functions when all have returned.
func (g group) Wait() error { return g.all.Wait() }

// platformBuild is a build of one platform, which dockerui calls in a goroutine for each.
func platformBuild(build dockerui.BuildFunc) dockerui.BuildFunc {
	return func(ctx context.Context, p *ocispecs.Platform, index int) (result *dockerui.BuildResult, err error) {
		err = caught(ctx, func() error {
			result, err = build(ctx, p, index)
			return err
		})
		return result, err
	}
}

// platformVisit is what dockerui calls in a goroutine for each platform of a result.
func platformVisit(visit func(ctx context.Context, id string, p ocispecs.Platform) error) func(context.Context, string, ocispecs.Platform) error {
	return func(ctx context.Context, id string, p ocispecs.Platform) error {
		return caught(ctx, func() error { return visit(ctx, id, p) })
	}
}
