package frontend

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/source"
)

// importable is an inline cache that BuildKit can be told to import.
type importable struct {
	ref     string // the manifest of one image, by digest
	records []byte // what BuildKit reads when it imports the cache
}

// cacheFinder finds inline caches of images.
type cacheFinder struct {
	sources source.Resolver
	solve   func(context.Context, bk.State) (gw.Reference, error)
	warn    func(context.Context, string) // tells what is not imported, and why
}

// find finds the inline cache of an image for one platform. name has no tag, and dgst may be the digest of an index. An index is
// never imported: BuildKit would read the caches of all its images, and believe each about any operation. A cache that must not
// be imported is told as a warning, and the result is empty. It looks the image up and may read several manifests and configs.
func (f cacheFinder) find(ctx context.Context, name string, dgst digest.Digest, p ocispecs.Platform) (found importable, err error) {
	config, err := f.imageConfig(ctx, name, dgst, p)
	if err != nil {
		return found, err
	}
	records, err := llb.InlineCache(config)
	if errors.Is(err, llb.ErrConfig) {
		return found, err
	}
	if err == nil {
		_, err = measure.JSON(records, measure.Record)
	}
	if err == nil && records != nil {
		dgst, err = f.ownManifest(ctx, name, dgst, p, config)
	}
	if ctx.Err() != nil {
		return found, context.Cause(ctx)
	}
	if err != nil {
		f.warn(ctx, err.Error()+": its build cache is not imported, and layers are copied out of the image")
		return found, nil
	}
	if records == nil {
		return found, nil
	}
	return importable{name + "@" + dgst.String(), records}, nil
}

// imageConfig returns the config of an image for a platform.
func (f cacheFinder) imageConfig(ctx context.Context, name string, dgst digest.Digest, p ocispecs.Platform) ([]byte, error) {
	_, is, err := f.sources.Resolve(ctx, source.Image{
		Ref: name + "@" + dgst.String(), Platform: p, LookUp: "previous image: layers", Name: "previous image",
	})
	return is.RawConfig, err
}

// ownManifest returns the digest of the manifest that belongs to a config; dgst, by which the config was found, may be that of an
// index.
func (f cacheFinder) ownManifest(ctx context.Context, name string, dgst digest.Digest, p ocispecs.Platform, config []byte) (digest.Digest, error) {
	m, err := f.readManifest(ctx, name, dgst)
	if err != nil {
		return dgst, f.checkSingle(ctx, name, dgst)
	}
	if m.Index() {
		var others []ocispecs.Descriptor
		if dgst, others = m.For(p); dgst == "" {
			return "", errors.New("its index does not say which image is for " + platforms.Format(p))
		}
		f.warnOfOthers(ctx, name, others)
		if m, err = f.readManifest(ctx, name, dgst); err != nil {
			return "", err
		}
	}
	return dgst, m.CheckImport(config)
}

// readManifest reads a manifest or an index of a repository.
func (f cacheFinder) readManifest(ctx context.Context, name string, dgst digest.Digest) (llb.Manifest, error) {
	if err := dgst.Validate(); err != nil {
		return llb.Manifest{}, err
	}
	var failed error
	for _, s := range manifestSources(name, dgst) {
		data, err := f.readBlob(ctx, s, llb.MaxManifest)
		if err == nil {
			return llb.ParseManifest(data)
		}
		failed = err
	}
	return llb.Manifest{}, failed
}

// blobFile is the file name in a source of a single blob.
const blobFile = "blob"

// manifestSources returns the sources of a manifest, in the order in which to try them. BuildKit reads a manifest as a blob,
// without the Accept header that some registries (distribution v2) need before they show indexes and OCI manifests at all.
// Registries without tokens can be asked without BuildKit's help; a registry on this machine hardly ever has tokens.
//
// Why not BuildKit's attestation chain, which has the index: asked about anything but an OCI index, BuildKit v0.34.2 crashes
// (ResolveImageMetadata in source/containerimage/source.go), with all builds of the daemon.
func manifestSources(name string, dgst digest.Digest) []source.Source {
	const what = "previous image: manifest"
	blob := source.Blob{Repository: name, Digest: dgst, File: blobFile, Name: what}
	host, repository, _ := strings.Cut(name, "/")
	scheme := "https://"
	local, err := docker.MatchLocalhost(host)
	if err == nil && local {
		scheme = "http://" // as BuildKit does
	}
	http := source.File{
		URI: scheme + host + "/v2/" + repository + "/manifests/" + dgst.String(), Digest: dgst, File: blobFile, Accept: llb.ManifestTypes,
		Shown: []bk.ConstraintsOpt{dockerui.WithInternalName(what)},
	}
	if local {
		return []source.Source{http, blob}
	}
	return []source.Source{blob, http}
}

// readBlob reads the only file of a source, a JSON document. It fails when the file has more than most bytes.
func (f cacheFinder) readBlob(ctx context.Context, s source.Source, most int) ([]byte, error) {
	st, _, err := f.sources.Resolve(ctx, s)
	if err != nil {
		return nil, err
	}
	ref, err := f.solve(ctx, st)
	if err != nil {
		return nil, err
	}
	data, err := ref.ReadFile(ctx, gw.ReadRequest{Filename: blobFile, Range: &gw.FileRange{Length: most + 1}})
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("it has more than %d bytes", most)
	}
	_, err = measure.JSON(data, measure.Record)
	return data, err
}

// checkSingle fails when a digest belongs to an index; it is for registries where manifests cannot be read. It asks for a
// platform that nobody can have guessed: an index has no image for it, while the manifest of a single image resolves for any
// platform.
func (f cacheFinder) checkSingle(ctx context.Context, name string, dgst digest.Digest) error {
	unheardOf := ocispecs.Platform{OS: "linux", Architecture: strings.ToLower(rand.Text())}
	if _, err := f.imageConfig(ctx, name, dgst, unheardOf); err != nil {
		return errors.New("it is an index of images, and its registry does not show that to this BuildKit")
	}
	return nil
}

// Limits for looking at images of an index that are for other platforms.
const (
	maxOthers = 8       // images
	maxConfig = 4 << 20 // bytes of a config
)

// warnOfOthers warns about images of an index whose build cache is not the frontend's. None of it is imported, and whoever put it
// there may have hoped so. Attestations are no images.
func (f cacheFinder) warnOfOthers(ctx context.Context, name string, others []ocispecs.Descriptor) {
	eg, ctx := guard.NewGroup(ctx)
	for _, d := range others[:min(len(others), maxOthers)] {
		if d.Platform == nil || d.Annotations["vnd.docker.reference.type"] != "" {
			continue
		}
		eg.Go(func() error {
			if f.hasForeignCache(ctx, name, d.Digest) {
				f.warn(ctx, fmt.Sprintf("its index has an image for %s with a build cache that the packfile frontend did not make, which is not imported",
					platforms.Format(*d.Platform)))
			}
			return nil
		})
	}
	_ = eg.Wait()
}

// hasForeignCache reports whether an image of an index has a build cache that is not the frontend's, as far as that can be found
// out.
func (f cacheFinder) hasForeignCache(ctx context.Context, name string, dgst digest.Digest) bool {
	m, err := f.readManifest(ctx, name, dgst)
	if err != nil || m.Index() || m.Config.Digest.Validate() != nil {
		return false
	}
	config, err := f.readBlob(ctx, source.Blob{
		Repository: name, Digest: m.Config.Digest, File: blobFile, Name: "previous image: another platform",
	}, maxConfig)
	return err == nil && llb.CheckInlineCache(config) != nil
}
