package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Archives of modules that mean harm, and a require step that does not end. What can be wrong with an archive is tested
// where archives are unpacked; here is that a build says it, and where.

// harmful is a module, and one entry more.
func harmful(t *testing.T, e tar.Header) string {
	t.Helper()
	return gzipped(t, tarOf(t,
		entry{Header: tar.Header{Name: "packfile.toml", Typeflag: tar.TypeReg}, content: roles["plain"]},
		entry{Header: e}))
}

func TestModuleArchiveThatMeansHarmIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		archive func(*testing.T) string
		want    []string
	}{
		"an entry that leaves it": {
			func(t *testing.T) string { return harmful(t, tar.Header{Name: "../../etc/x", Typeflag: tar.TypeReg}) },
			[]string{`entry "../../etc/x": leaves the archive`},
		},
		"an absolute path": {
			func(t *testing.T) string { return harmful(t, tar.Header{Name: "/etc/x", Typeflag: tar.TypeReg}) },
			[]string{`entry "/etc/x": is an absolute path`},
		},
		"a symbolic link that leads out": {
			func(t *testing.T) string {
				return harmful(t, tar.Header{Name: "scripts/x", Linkname: "../../etc/passwd", Typeflag: tar.TypeSymlink})
			},
			[]string{`entry "scripts/x": is a symlink to "../../etc/passwd", which is outside of the archive`},
		},
		"a device": {
			func(t *testing.T) string {
				return harmful(t, tar.Header{Name: "dev", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3})
			},
			[]string{`entry "dev": is a device`},
		},
		"more entries than anybody needs": {manyEntries, []string{"has more than 100000 files and folders"}},
		"a bomb":                          {bomb, []string{"unpacks to more than 1073741824 bytes"}},
		"an image in it that leads out":   {harmfulLayout, []string{"leaves the archive"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := modularApp(t, uses("tool.tgz"), nil)
			write(t, dir, map[string]string{"tool.tgz": test.archive(t)})
			log := request{dir: dir}.fail(t)
			contains(t, log, append(test.want, "packfile.toml:5:", "module tool.tgz: ", ">>> uri = \"tool.tgz\"")...)
		})
	}
}

func manyEntries(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for range 100_001 {
		if err := tw.WriteHeader(&tar.Header{Name: "folder/", Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	tw.Close()
	zw.Close()
	return out.String()
}

// bomb is a small file that unpacks to a large one.
func bomb(t *testing.T) string {
	t.Helper()
	const size = 1<<30 + 1
	var out bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Mode: 0o644, Size: size}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(tw, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	tw.Close()
	zw.Close()
	return out.String()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// harmfulLayout is the archive of an OCI layout, of whose image a layer leaves its root.
func harmfulLayout(t *testing.T) string {
	t.Helper()
	layer := tarOf(t, entry{Header: tar.Header{Name: "cnb/../../x", Typeflag: tar.TypeReg}})
	blobs := map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`}
	put := func(mediaType string, v any) ocispecs.Descriptor {
		data, isText := v.(string)
		if !isText {
			encoded, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			data = string(encoded)
		}
		d := digest.FromString(data)
		blobs["blobs/sha256/"+d.Encoded()] = data
		return ocispecs.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
	}
	manifest := ocispecs.Manifest{
		MediaType: ocispecs.MediaTypeImageManifest,
		Config:    put(ocispecs.MediaTypeImageConfig, ocispecs.Image{}),
		Layers:    []ocispecs.Descriptor{put(ocispecs.MediaTypeImageLayer, layer)},
	}
	manifest.SchemaVersion = 2
	index := ocispecs.Index{Manifests: []ocispecs.Descriptor{put(ocispecs.MediaTypeImageManifest, manifest)}}
	index.SchemaVersion = 2
	data, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	blobs["index.json"] = string(data)
	return archive(t, blobs)
}

func TestModuleRequireStepOfABuildThatIsCancelledIsNotLeftRunning(t *testing.T) {
	t.Parallel()
	// No other process has such an argument. One of the two is in the background, and neither ends when it is asked to.
	name := "hangs-" + rand.Text()
	modules := map[string]string{
		"user":   module("acme/user", asks("x", "hang=\"trap '' TERM INT; sleep 86399; : "+name+"\"; sh -c \"$hang\" & sh -c \"$hang\"")),
		"engine": roles["first"],
	}
	dir := modularApp(t, allOf(modules), modules)
	cmd := command(t, "buildctl", "build", "--progress=plain", "--frontend=gateway.v0", "--local=context="+dir, "--local=dockerfile="+dir,
		"--opt=source="+env.frontend, "--opt=filename=packfile.toml",
		"--opt=context:build-image=docker-image://"+env.busybox, "--opt=context:run-image=docker-image://"+env.empty)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	until(t, func() bool {
		select {
		case <-ended:
			t.Fatalf("the build ended by itself:\n%s", log.String())
		default:
		}
		return len(processesOf(t, name)) == 2
	}, "the step to run")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(processesOf(t, name)) == 0 }, "the step to end")
	<-ended
}

// until waits for something that is not told when it happens.
func until(t *testing.T, happened func() bool, what string) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for !happened() {
		select {
		case <-deadline:
			t.Fatalf("waited too long for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// processesOf are the processes of this machine with a text in their arguments.
func processesOf(t *testing.T, text string) (pids []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		data, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(data), text) {
			pids = append(pids, filepath.Base(filepath.Dir(name)))
		}
	}
	return pids
}
