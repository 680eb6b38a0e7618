package e2e

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// free is how much room there is for files of tests.
func free(t *testing.T) uint64 {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(os.TempDir(), &fs); err != nil {
		t.Fatal(err)
	}
	return fs.Bavail * uint64(fs.Bsize)
}

func TestLayerOfFiveGigabytes(t *testing.T) {
	const size, need = 5<<30 + 4, 8 << 30
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if daemonKind() != "overlayfs" {
		t.Skip("the size of a layer is no matter of the daemon's rights, and this is part of make test")
	}
	if room := free(t); room < need {
		t.Skipf("needs %d bytes on disk, of which there are %d", uint64(need), room)
	}
	t.Parallel()
	// On a daemon of its own, which takes everything along when it ends. What is not written to costs no room in the step.
	_, img := request{host: secondDaemon(t), dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("a").Export().
			Run("echo start > $LAYER/large; truncate -s 5G $LAYER/large; echo end >> $LAYER/large; chmod 640 $LAYER/large"),
	)})}.pushTo(t, imageName(t))
	img.wantDiffID(t, "layer a", "a")

	blob := img.blob(t, "layer a")
	res, err := http.Get(img.repository() + "/blobs/" + blob.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	zr, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(zr)
	h, err := tr.Next()
	for err == nil && !strings.HasSuffix(h.Name, "/large") {
		h, err = tr.Next()
	}
	if err != nil {
		t.Fatal(err)
	}
	if h.Size != size || h.Mode != 0o640 {
		t.Errorf("the file has %d bytes and mode %o", h.Size, h.Mode)
	}
	// The rest is left to the diff id, which the step that described the layer and the exporter found each for itself.
	start := make([]byte, 6)
	if _, err := io.ReadFull(tr, start); err != nil || string(start) != "start\n" {
		t.Errorf("the file starts with %q, %v", start, err)
	}
}
