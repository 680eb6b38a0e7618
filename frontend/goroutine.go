package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/guard"
)

// platformBuild returns a function that dockerui calls for each platform, each time in a goroutine of its own.
func platformBuild(build dockerui.BuildFunc) dockerui.BuildFunc {
	return func(ctx context.Context, p *ocispecs.Platform, index int) (result *dockerui.BuildResult, err error) {
		err = guard.Call(ctx, func() error {
			result, err = build(ctx, p, index)
			return err
		})
		return result, err
	}
}
