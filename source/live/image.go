package live

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

// image looks up an image in a registry, with its config.
func (d *Door) image(ctx context.Context, s source.Image) (bk.State, source.Resolved, error) {
	var none bk.State
	named, err := reference.ParseNormalizedNamed(s.Ref)
	if err != nil {
		return none, source.Resolved{}, err
	}
	named = reference.TagNameOnly(named)
	ref, dgst, data, err := d.client.ResolveImageConfig(ctx, named.String(), sourceresolver.Opt{
		LogName:  "[internal] " + s.LookUp,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &s.Platform, ResolveMode: d.ui.ImageResolveMode.String()},
	})
	if err != nil {
		return none, source.Resolved{}, noSuchPlatform(err, s.Platform)
	}
	resolved := source.Resolved{
		Digest: dgst, Exact: dgst != "", RawConfig: data, Config: new(dockerspec.DockerOCIImage), Repository: named.Name(),
	}
	if err := json.Unmarshal(data, resolved.Config); err != nil {
		return none, resolved, err
	}
	opts := []bk.ImageOption{bk.Platform(s.Platform), dockerui.WithInternalName(s.Name + " " + ref)}
	for _, o := range s.Shown {
		opts = append(opts, o)
	}
	return bk.Image(pinnedName(ref, dgst), opts...), resolved, nil
}

// pinnedName returns the name of an image with its digest.
func pinnedName(ref string, dgst digest.Digest) string {
	if strings.Contains(ref, "@") {
		return ref
	}
	return ref + "@" + dgst.String()
}

// namedContext looks up a named context. Its errors are source.ErrNotGiven and source.ContextError.
func (d *Door) namedContext(ctx context.Context, s source.Context) (bk.State, source.Resolved, error) {
	var resolved source.Resolved
	given := func() string { return source.Given(d.client.BuildOpts().Opts, s.Name, s.Platform) } // a source policy may change it
	fail := func(err error) (bk.State, source.Resolved, error) {
		return bk.State{}, resolved, &source.ContextError{Name: s.Name, Given: given(), Err: err}
	}
	nc, err := d.ui.NamedContext(s.Name, dockerui.ContextOpt{
		Platform:       &s.Platform,
		ResolveMode:    d.ui.ImageResolveMode.String(),
		CaptureDigest:  &resolved.Digest,
		NoDockerignore: s.Ignored,
	})
	if err != nil {
		return fail(err)
	}
	if nc == nil {
		return bk.State{}, resolved, source.ErrNotGiven
	}
	found, cfg, err := nc.Load(ctx)
	if err != nil {
		return fail(noSuchPlatform(err, s.Platform))
	}
	st := *found
	resolved.Given, resolved.Config, resolved.Exact = given(), cfg, resolved.Digest != ""
	if st.Output() == nil {
		return st, resolved, nil
	}
	if s.Ignored {
		if st, err = d.withoutIgnored(ctx, st, s.Name); err != nil {
			return bk.State{}, resolved, err
		}
	}
	if resolved.Repository, err = repositoryOf(ctx, st); err != nil {
		return fail(err)
	}
	switch {
	case resolved.Digest == "":
		err = resolveDefined(ctx, st, &resolved)
	case s.Pinned:
		st, err = pinned(ctx, st, resolved.Digest, s.Platform)
	}
	if err != nil {
		return fail(err)
	}
	return st, resolved, nil
}

// withoutIgnored returns a folder of the client without the files that its .dockerignore names. It returns other contexts as they
// are.
func (d *Door) withoutIgnored(ctx context.Context, st bk.State, name string) (bk.State, error) {
	ops, err := llb.OperationsOf(ctx, st)
	if err != nil {
		return st, err
	}
	local := localFolder(ops)
	if local == nil {
		return st, nil
	}
	ignore, err := d.dockerignore(ctx, st, local)
	if err != nil {
		return st, err
	}
	return local.state(bk.SessionID(local.session), bk.SharedKeyHint(local.sharedKey), bk.ExcludePatterns(ignore.Patterns),
		bk.WithCustomName("[context "+name+"] load from client")), nil
}

// noSuchPlatform returns our own words for an error of looking up an image when an index has none for the platform (Manifest in
// containerd/core/images/image.go). It returns other errors as they are.
func noSuchPlatform(err error, p ocispecs.Platform) error {
	if strings.Contains(err.Error(), "no match for platform in manifest") {
		return fmt.Errorf("there is no image for %s among those of that name", platforms.Format(platforms.Normalize(p)))
	}
	return err
}

// repositoryOf returns the name of an image in a registry, without tag. It returns "" for an image from elsewhere.
func repositoryOf(ctx context.Context, st bk.State) (string, error) {
	ops, err := llb.OperationsOf(ctx, st)
	if err != nil || len(ops) > 1 {
		return "", err
	}
	ref, ok := strings.CutPrefix(ops[0].GetSource().GetIdentifier(), source.ImageScheme)
	if !ok {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	return named.Name(), nil
}

// pinned returns an image by its digest. Its layers then belong to the config that has been read, even when the tag has moved on,
// and the registry need not be asked again.
func pinned(ctx context.Context, st bk.State, dgst digest.Digest, p ocispecs.Platform) (bk.State, error) {
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return st, err
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		return st, err
	}
	for _, op := range ops {
		ref, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), source.ImageScheme)
		if !ok || strings.Contains(ref, "@") {
			continue
		}
		name := def.Metadata[op.Digest].Description[llb.CustomName]
		return st.WithOutput(bk.Image(ref+"@"+dgst.String(), bk.Platform(p), bk.WithCustomName(name)).Output()), nil
	}
	return st, nil
}
