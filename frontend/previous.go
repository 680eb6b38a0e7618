package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/bklog"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/convert"
)

// previousName is the named context that stands for the image that layers are taken over from.
const previousName = "previous"

// findPrevious finds the image that layers are taken over from. It only saves work: when there is none, or it is of no
// use, the user is warned and the result is nil.
func (b *build) findPrevious(ctx context.Context, p ocispecs.Platform) (*convert.Previous, error) {
	var dgst digest.Digest
	nc, err := b.ui.NamedContext(previousName, dockerui.ContextOpt{
		Platform:      &p,
		ResolveMode:   b.ui.ImageResolveMode.String(),
		CaptureDigest: &dgst,
	})
	if nc == nil || err != nil {
		return nil, err
	}
	st, cfg, err := nc.Load(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	switch {
	case err != nil:
		b.warnPrevious(ctx, err.Error())
		return nil, nil
	case cfg == nil || st.Output() == nil:
		b.warnPrevious(ctx, "it is no image: name one with docker-image:// or oci-layout://")
		return nil, nil
	}
	if layering(b.client.BuildOpts()).Flat && convert.Mixed(cfg) {
		b.warnPrevious(ctx, "more than one build made its layers, and this builder cannot tell their files apart")
		return nil, nil
	}
	image, err := limited(ctx, *st, dgst, p)
	if err != nil {
		b.warnPrevious(ctx, err.Error())
		return nil, nil
	}
	previous, warnings := convert.NewPrevious(cfg, image)
	for _, w := range warnings {
		b.warnPrevious(ctx, w)
	}
	return previous, nil
}

// limited is an image with only its first layers.
func limited(ctx context.Context, st bk.State, dgst digest.Digest, p ocispecs.Platform) (func(limit int) bk.State, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	var op pb.Op
	if len(def.Def) == 2 { // a source, and what says that it is the result
		if err := op.Unmarshal(def.Def[0]); err != nil {
			return nil, err
		}
	}
	src := op.GetSource()
	name := bk.WithCustomName("[internal] previous image " + src.GetIdentifier())
	if ref, ok := strings.CutPrefix(src.GetIdentifier(), imageScheme); ok {
		ref, _, _ = strings.Cut(ref, "@")
		return func(limit int) bk.State {
			return bk.Image(ref+"@"+dgst.String(), bk.Platform(p), bk.WithLayerLimit(limit), name)
		}, nil
	}
	if ref, ok := strings.CutPrefix(src.GetIdentifier(), layoutScheme); ok {
		store := bk.OCIStore(src.GetAttrs()[pb.AttrOCILayoutSessionID], src.GetAttrs()[pb.AttrOCILayoutStoreID])
		return func(limit int) bk.State {
			return bk.OCILayout(ref, bk.Platform(p), bk.OCILayerLimit(limit), name, store)
		}, nil
	}
	return nil, errors.New("it is no image in a registry or an OCI layout")
}

// warnPrevious tells the user why the previous image, or a part of it, is not used.
func (b *build) warnPrevious(ctx context.Context, why string) {
	message := "previous image: " + strings.Join(strings.Fields(why), " ")
	b.previousSays.add(message)
	if b.opts.requestID != "" {
		return // the answer has it
	}
	b.source.Warn(ctx, message, gw.WarnOpts{
		Level: 1, Detail: [][]byte{[]byte("Layers that are not reused are built, or found in the build cache.")},
	})
	// Logs that are not of buildx show no warning about a source that has been read long ago. They do show what is done.
	note := bk.Scratch().File(bk.Mkfile("/warning", 0o644, []byte(message)), bk.WithCustomName("[warning] "+message))
	if _, err := b.solve(ctx, note); err != nil {
		bklog.G(ctx).Debugf("%s: %v", message, err)
	}
}

// messages are collected by several platforms at once.
type messages struct {
	mu   sync.Mutex
	list []string
}

func (m *messages) add(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.list, text) {
		m.list = append(m.list, text)
	}
}

// previousError says that layers of the previous image cannot be had, although its config promises them.
type previousError struct{ error }

// blamePrevious finds out whether a build failed for the sake of the previous image alone.
func (b *build) blamePrevious(ctx context.Context, conv *convert.Build, failed error) error {
	reused := conv.Reused()
	if failed == nil || reused == nil || ctx.Err() != nil {
		return failed
	}
	if _, err := b.solve(ctx, *reused); err != nil {
		return &previousError{err}
	}
	return failed
}
