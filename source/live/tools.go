package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

// ownDefinition is the file in which BuildKit puts the definition of the frontend's own image.
const ownDefinition = "/run/config/buildkit/metadata/frontend.bin"

// ErrNoImage says that the frontend does not run from an image, or that BuildKit does not say from which.
var ErrNoImage = errors.New("the frontend's own image is not known")

// tools returns the frontend's own image for a platform.
func (d *Door) tools(ctx context.Context, s source.Tools) (bk.State, error) {
	data, err := os.ReadFile(ownDefinition)
	if err != nil {
		return bk.State{}, fmt.Errorf("%w: %w", ErrNoImage, err)
	}
	var def pb.Definition
	if err := def.Unmarshal(data); err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	for _, op := range ops {
		if src := op.GetSource(); src != nil {
			// For the daemon's own platform, we use the very operation that the frontend runs from: it needs no second look into
			// the registry.
			if ref, ok := strings.CutPrefix(src.Identifier, source.ImageScheme); ok && !samePlatform(op.Platform, s.Platform) {
				st := bk.Image(ref, bk.Platform(s.Platform), dockerui.WithInternalName("packfile tools"))
				if !s.Checked {
					return st, nil
				}
				return st, d.checkTools(ctx, ref, s.Platform)
			}
		}
	}
	op, err := bk.NewDefinitionOp(&def)
	if err != nil {
		return bk.State{}, fmt.Errorf("the frontend's own image: %w", err)
	}
	return bk.NewState(op.Output()), nil
}

// checkTools fails when the frontend's own image does not exist for a platform. It asks the registry.
func (d *Door) checkTools(ctx context.Context, ref string, p ocispecs.Platform) error {
	_, _, data, err := d.client.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  "[internal] packfile tools for " + platforms.Format(p),
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &p},
	})
	var cfg dockerspec.DockerOCIImage
	if err == nil {
		err = json.Unmarshal(data, &cfg)
	}
	if err == nil {
		err = source.CheckPlatform(&cfg, p)
	}
	if err != nil {
		return fmt.Errorf("the frontend's own image %s cannot build for %s: %v", ref, platforms.Format(p), noSuchPlatform(err, p))
	}
	return nil
}

// samePlatform reports whether an operation is for a platform.
func samePlatform(op *pb.Platform, p ocispecs.Platform) bool {
	return op != nil && platforms.FormatAll(platforms.Normalize(op.Spec())) == platforms.FormatAll(platforms.Normalize(p))
}
