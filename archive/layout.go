package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/measure"
)

// Limits for an OCI layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
const (
	maxDocument  = 1 << 20 // bytes of an index or manifest
	maxManifests = 100     // in all indexes: an image has two for each platform
	maxNesting   = 1       // indexes in index.json; none in those
)

// mostOfDocument is the largest measure of an index or manifest, which are held in memory.
var mostOfDocument = measure.Size{Bytes: maxDocument, Values: 100_000, Depth: measure.Record.Depth}

// Media types of Docker (https://distribution.github.io/distribution/spec/manifest-v2-2/), of which image-spec has none, and
// the annotation by which BuildKit tells attestations from images
// (https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md).
const (
	dockerIndex     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest  = "application/vnd.docker.distribution.manifest.v2+json"
	dockerLayer     = "application/vnd.docker.image.rootfs.diff.tar"
	dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"

	referenceType       = "vnd.docker.reference.type"
	attestationManifest = "attestation-manifest"
)

// packageRoot is the folder of a buildpackage's files in its image.
const packageRoot = "cnb"

// layout is an OCI layout. It uses no blob before the blob's size and digest match a descriptor in a checked document.
// Only index.json has no descriptor.
type layout struct {
	root      *os.Root
	manifests int // seen so far, in indexes
}

// isLayout reports whether a folder claims to be an OCI layout.
func isLayout(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, v1.ImageLayoutFile))
	return err == nil && info.Mode().IsRegular()
}

// unpackLayout unpacks the image in an OCI layout into the new folder module: everything that its layers have below /cnb,
// or everything if there is nothing below /cnb.
func unpackLayout(dir, module string, most limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	l := layout{root: root}
	layers, err := l.layers(most)
	if err != nil {
		return fmt.Errorf("OCI layout: %w", err)
	}
	isPackage, err := l.isPackage(layers, most)
	if err != nil {
		return err
	}
	u, err := newUnpacker(module)
	if err != nil {
		return err
	}
	defer u.root.Close()
	if isPackage {
		u.keep = inPackage
	}
	if err := l.eachLayer(layers, most, u.unpack); err != nil {
		return err
	}
	entries, err := os.ReadDir(module)
	if err == nil && len(entries) == 0 {
		err = errors.New("OCI layout: its image holds no files")
	}
	return err
}

// isPackage reports whether a layer has something below /cnb.
func (l *layout) isPackage(layers []v1.Descriptor, most limits) (bool, error) {
	err := l.eachLayer(layers, most, func(t tarball) error {
		return t.each(func(name string, _ *tar.Header, _ io.Reader) error {
			if inPackage(name) && name != packageRoot {
				return fs.SkipAll
			}
			return nil
		})
	})
	if errors.Is(err, fs.SkipAll) {
		return true, nil
	}
	return false, err
}

func inPackage(name string) bool {
	return name == packageRoot || strings.HasPrefix(name, packageRoot+"/")
}

// eachLayer visits layers, which have been verified, in the order in which they are applied.
func (l *layout) eachLayer(layers []v1.Descriptor, most limits, visit func(tarball) error) error {
	spent := budget{most: most}
	for _, d := range layers {
		f, err := l.open(d)
		if err != nil {
			return err
		}
		err = visit(tarball{from: f, spent: &spent, layer: true})
		f.Close()
		if err != nil {
			return fmt.Errorf("layer %s: %w", d.Digest, err)
		}
	}
	return nil
}

// layers returns the layers of the image in the layout. Their blobs are verified.
func (l *layout) layers(most limits) ([]v1.Descriptor, error) {
	d, err := l.image()
	if err != nil {
		return nil, err
	}
	var manifest v1.Manifest
	if err := l.document(d, &manifest); err != nil {
		return nil, fmt.Errorf("manifest %w", err)
	}
	// Check this before reading any: a manifest can name the same layer many times.
	left := most.bytes
	for _, d := range manifest.Layers {
		if err := checkLayer(d); err != nil {
			return nil, fmt.Errorf("layer %w", err)
		}
		if left -= d.Size; left < 0 {
			return nil, fmt.Errorf("layers have more than %d bytes", most.bytes)
		}
	}
	for _, d := range manifest.Layers {
		if err := l.verify(d); err != nil {
			return nil, fmt.Errorf("layer %w", err)
		}
	}
	return manifest.Layers, nil
}

// image returns the manifest of the image for this machine's platform, else of the first one: modules are the same for
// all platforms.
func (l *layout) image() (v1.Descriptor, error) {
	var header v1.ImageLayout
	if err := l.file(v1.ImageLayoutFile, &header); err != nil {
		return v1.Descriptor{}, err
	}
	if header.Version != v1.ImageLayoutVersion {
		return v1.Descriptor{}, fmt.Errorf("%s: is of version %.100q, not %s",
			v1.ImageLayoutFile, header.Version, v1.ImageLayoutVersion)
	}
	var index v1.Index
	if err := l.file(v1.ImageIndexFile, &index); err != nil {
		return v1.Descriptor{}, err
	}
	images, err := l.images(index, maxNesting)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if len(images) == 0 {
		return v1.Descriptor{}, fmt.Errorf("%s: names no image", v1.ImageIndexFile)
	}
	for _, d := range images {
		if p := d.Platform; p != nil && p.OS == runtime.GOOS && p.Architecture == runtime.GOARCH {
			return d, nil
		}
	}
	return images[0], nil
}

// images returns the manifests of images in an index, and in the indexes in it.
func (l *layout) images(index v1.Index, nesting int) (found []v1.Descriptor, err error) {
	for _, d := range index.Manifests {
		if l.manifests++; l.manifests > maxManifests {
			return nil, fmt.Errorf("has more than %d manifests", maxManifests)
		}
		switch d.MediaType {
		case v1.MediaTypeImageManifest, dockerManifest:
			if d.Annotations[referenceType] != attestationManifest {
				found = append(found, d)
			}
		case v1.MediaTypeImageIndex, dockerIndex:
			if nesting == 0 {
				return nil, fmt.Errorf("index %.100q: is in an index that is in an index", d.Digest)
			}
			var inner v1.Index
			if err := l.document(d, &inner); err != nil {
				return nil, fmt.Errorf("index %w", err)
			}
			more, err := l.images(inner, nesting-1)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	return found, nil
}

// checkLayer checks that a layer has a media type that can be unpacked. Its content shows whether it is compressed.
func checkLayer(d v1.Descriptor) error {
	if err := checkDescriptor(d); err != nil {
		return err
	}
	switch d.MediaType {
	case v1.MediaTypeImageLayer, v1.MediaTypeImageLayerGzip, dockerLayer, dockerLayerGzip:
		return nil
	}
	return fmt.Errorf("%s: is of type %.100q; only tar archives can be unpacked, with or without gzip", d.Digest, d.MediaType)
}

// checkDescriptor checks that a digest can be the file name of a blob, and leads to nothing else.
func checkDescriptor(d v1.Descriptor) error {
	if err := d.Digest.Validate(); err != nil {
		return fmt.Errorf("%.100q: %w", d.Digest, err)
	}
	if d.Digest.Algorithm() != digest.SHA256 {
		return fmt.Errorf("%s: only digests of %s can be checked", d.Digest, digest.SHA256)
	}
	if d.Size < 0 {
		return fmt.Errorf("%s: has a size of %d bytes", d.Digest, d.Size)
	}
	return nil
}

// open opens a blob.
func (l *layout) open(d v1.Descriptor) (*os.File, error) {
	return l.openFile(path.Join(v1.ImageBlobsDir, d.Digest.Algorithm().String(), d.Digest.Encoded()))
}

// openFile opens a regular file of the layout. Other kinds of files can block, or lead out of the layout.
func (l *layout) openFile(name string) (*os.File, error) {
	info, err := l.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no file", name)
	}
	return l.root.Open(name)
}

// verify reads a blob, and fails unless it has the size and digest of its descriptor.
func (l *layout) verify(d v1.Descriptor) error {
	f, err := l.open(d)
	if err != nil {
		return fmt.Errorf("%s: %w", d.Digest, err)
	}
	defer f.Close()
	verifier := d.Digest.Verifier()
	// One byte more than the size is enough to know.
	n, err := io.Copy(verifier, io.LimitReader(f, d.Size+1))
	switch {
	case err != nil:
		return err
	case n != d.Size:
		return fmt.Errorf("%s: does not have the %d bytes that it should have", d.Digest, d.Size)
	case !verifier.Verified():
		return fmt.Errorf("%s: its content has another digest", d.Digest)
	}
	return nil
}

// document reads a blob that is JSON.
func (l *layout) document(d v1.Descriptor, into any) error {
	if err := checkDescriptor(d); err != nil {
		return err
	}
	if d.Size > maxDocument { // before its digest is computed
		return fmt.Errorf("%s: has more than %d bytes", d.Digest, maxDocument)
	}
	if err := l.verify(d); err != nil {
		return err
	}
	f, err := l.open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := decode(f, into); err != nil {
		return fmt.Errorf("%s: %w", d.Digest, err)
	}
	return nil
}

// file reads a JSON file outside of the blobs.
func (l *layout) file(name string, into any) error {
	f, err := l.openFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := decode(f, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func decode(f io.Reader, into any) error {
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return err
	}
	return measure.DecodeJSON(data, mostOfDocument, into)
}
