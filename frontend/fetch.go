package frontend

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

// otherChecksum finds where BuildKit names the checksum of a download that has not the wanted one. BuildKit has two texts for
// that, and in one of them the wanted checksum comes second (source/http/source.go, validatePinnedChecksum and Snapshot). So we
// take the digest that differs, wherever it stands.
var otherChecksum = regexp.MustCompile(`digest mismatch .*`)

// explainDownload returns what went wrong with an HTTP download, with its address; "" when the operation is something else.
func explainDownload(op *pb.Op, text string) string {
	uri, want := op.GetSource().GetIdentifier(), digest.Digest(op.GetSource().GetAttrs()[pb.AttrHTTPChecksum])
	if !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://") {
		return ""
	}
	mismatch := strings.ReplaceAll(otherChecksum.FindString(text), uri, "") // the address may hold digests
	for _, found := range digest.DigestRegexp.FindAllString(mismatch, -1) {
		sent := digest.Digest(found)
		if want.Validate() != nil || sent.Validate() != nil || sent == want {
			continue
		}
		message := fmt.Sprintf("checksum of %s differs: the packfile says sha256 %s, what the server sent has sha256 %s",
			layerkey.Redact(uri), want.Encoded(), sent.Encoded())
		if sent == digest.FromBytes(nil) {
			return message + ", which is that of an empty file"
		}
		return message + ". That may be the page of an error (404, 403, 500), which counts as the file: see what the address gives"
	}
	return fmt.Sprintf("%s cannot be fetched: %s", layerkey.Redact(uri), withoutPrefix(text))
}

// lazyPull matches BuildKit's text when a layer cannot be pulled at the moment when somebody looks into it (fetcher in
// containerd's core/remotes/docker). The operation that failed is the one that looked.
var lazyPull = regexp.MustCompile(`could not fetch content descriptor|httpReadSeeker`)

// unpulled returns the images one of which could not be pulled: the operation that failed, or those that it uses. A nil op stands
// for the result of all operations. It returns none when the error is about something else.
func unpulled(op *pb.Op, ops llb.Operations, text string) (images []*pb.Op) {
	if op != nil && isImage(op) {
		return []*pb.Op{op}
	}
	if op == nil && len(ops) > 0 {
		op = ops.Result()
	} else if !lazyPull.MatchString(text) {
		return nil
	}
	for _, in := range op.GetInputs() {
		if from := ops.Find(in.Digest); isImage(from) && !slices.ContainsFunc(images, from.EqualVT) {
			images = append(images, from)
		}
	}
	return images
}

func isImage(op *pb.Op) bool {
	return strings.HasPrefix(op.GetSource().GetIdentifier(), source.ImageScheme)
}

// pullError returns the error about an image, one of some, that cannot be pulled. It points at the image's place in the packfile,
// else names the named context that stands for the image. What remains is the frontend's own image.
func (b *build) pullError(images []*pb.Op, text string) error {
	if err := b.depImages.pullError(images, text); err != nil {
		return err
	}
	err := errors.New(withoutPrefix(text))
	var refs []string
	for _, op := range images {
		ref := strings.TrimPrefix(op.GetSource().GetIdentifier(), source.ImageScheme)
		if name := contextOf(b.client.BuildOpts().Opts, ref); name != "" {
			return b.imageError(name, cmp.Or(op.Platform, &pb.Platform{}).Spec(), err)
		}
		refs = append(refs, ref)
	}
	return fmt.Errorf("image %s: %w", strings.Join(refs, " or "), err)
}

// contextOf returns the named context that stands for an image, "" when none does. The image may have a digest that the context
// leaves out.
func contextOf(opts map[string]string, image string) string {
	for _, option := range slices.Sorted(maps.Keys(opts)) {
		name, ok := strings.CutPrefix(option, "context:")
		given, isImage := strings.CutPrefix(opts[option], source.ImageScheme)
		if ok && isImage && sameImage(given, image) {
			name, _, _ = strings.Cut(name, "::") // a platform
			return name
		}
	}
	return ""
}

// sameImage reports whether a name stands for the image of a source operation, which has all that the name leaves out.
func sameImage(name, image string) bool {
	given, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return false
	}
	full := reference.TagNameOnly(given).String()
	return image == full || strings.HasPrefix(image, full+"@")
}

// withoutPrefix returns an error text of BuildKit without prefixes that tell the user nothing. The client adds the first one
// again; the others are about BuildKit's cache (solver/edge.go), of which the user has asked nothing.
func withoutPrefix(text string) string {
	for _, prefix := range []string{"failed to solve: ", "failed to load cache key: ", "failed to compute cache key: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
