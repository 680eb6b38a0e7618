package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/measure"
)

// boundedClient refuses image configs that take too much to decode. dockerui decodes configs too, and does not get such a config
// either.
type boundedClient struct{ gw.Client }

// ResolveImageConfig calls the client, and fails for a config that is too large.
func (c boundedClient) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	name, dgst, config, err := c.Client.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return "", "", nil, err
	}
	if _, err := measure.JSON(config, measure.Record); err != nil {
		return "", "", nil, fmt.Errorf("config of image %s: %w", ref, err)
	}
	return name, dgst, config, nil
}
