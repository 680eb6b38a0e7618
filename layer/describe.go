package layer

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/opencontainers/go-digest"
)

// Describe returns the diff id of the layer whose files are below dir and have time t. That takes no time if the step
// that made the layer has noted it. Otherwise it reads everything, and fails if something cannot be in an image.
func Describe(dir string, t time.Time) (digest.Digest, error) {
	if noted := notedDigest(dir, t); noted != "" {
		return noted, nil
	}
	if err := CheckContent(dir, ""); err != nil {
		return "", err
	}
	return Digest(dir)
}

// Digest returns the digest of the uncompressed tar of a layer with everything below dir. It reads all files. BuildKit
// writes layers with the same code, so this is the diff id that BuildKit gives the layer.
func Digest(dir string) (digest.Digest, error) {
	digester := digest.Canonical.Digester()
	if err := archive.WriteDiff(context.Background(), digester.Hash(), "", dir); err != nil {
		return "", fmt.Errorf("digest of the layer in %s: %w", dir, err)
	}
	return digester.Digest(), nil
}
