package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// fastFuzz makes the most of a short time: files are made in memory, and inputs, of which each takes some milliseconds, are
// not tried for a minute to be made smaller.
func fastFuzz(f *testing.F) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		f.Setenv("TMPDIR", "/dev/shm")
	}
	if err := flag.Set("test.fuzzminimizetime", "10x"); err != nil {
		f.Fatal(err)
	}
}

// FuzzUnpack: whatever the archive is, nothing outside of the output changes, and what is unpacked leads nowhere else.
func FuzzUnpack(f *testing.F) {
	fastFuzz(f)
	plain := tarOf(f, module...)
	l := newTestLayout(f)
	l.add(l.image(zip(plain), tarOf(f, entry{name: "/cnb/by-id/x", link: "/cnb/blobs/y/"})))
	for _, seed := range [][]byte{nil, plain, zip(plain), l.tar(), zip(l.tar()), tarOf(f, under("npm-1.0/", module)...)} {
		f.Add(seed)
	}
	for _, seed := range sparse(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		unpackFileOf(t, data, enough)
	})
}

// FuzzEntries: the same, for archives whose headers are good, of entries that have much to do with each other. Of each byte
// a part of an entry is made.
func FuzzEntries(f *testing.F) {
	fastFuzz(f)
	f.Add([]byte("\x02a\x80\x01..\x80\x00a/b\x80"), false)
	f.Add([]byte("\x00\x07\x80\x02\x01\x80\x07\x80\x01\x02\x80\x07\x03\x80"), true)
	f.Add(bytes.Repeat([]byte{2, 7, 1, 0x80, 3, 1, 0x80}, 4), true)
	f.Fuzz(func(t *testing.T, program []byte, layer bool) {
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		text := func() string {
			text, rest, _ := bytes.Cut(program, []byte{0x80})
			program = rest
			var elements []string
			for _, b := range text {
				elements = append(elements, [...]string{"", ".", "..", "a", "b", "c", "npm", "cnb"}[b%8])
			}
			return strings.Join(elements, "/")
		}
		for len(program) > 0 {
			kind := program[0]
			program = program[1:]
			h := &tar.Header{Name: text(), Typeflag: [...]byte{tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink}[kind%4]}
			if kind%4 > 1 {
				h.Linkname = text()
			}
			if err := w.WriteHeader(h); err != nil {
				t.Skip(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Skip(err)
		}
		if layer {
			l, p := newTestLayout(t), newPlace(t)
			l.add(l.image(archive.Bytes()))
			l.write(p)
			p.unpack(enough)
			return
		}
		unpackFileOf(t, archive.Bytes(), enough)
	})
}

// FuzzLayout: whatever an index and a manifest say, only blobs of the layout are read. In them, @0 and @1 stand for a layer
// and for the manifest.
func FuzzLayout(f *testing.F) {
	fastFuzz(f)
	descriptor := func(mediaType, name string) v1.Descriptor {
		return v1.Descriptor{MediaType: mediaType, Digest: "@d", Size: 77, Annotations: map[string]string{"name": name}}
	}
	seed := func(document any, name string) []byte {
		data, err := json.Marshal(document)
		if err != nil {
			f.Fatal(err)
		}
		return []byte(strings.ReplaceAll(strings.ReplaceAll(string(data), `"@d"`, `"@d`+name+`"`), "77", "@s"+name))
	}
	manifest := seed(v1.Manifest{Layers: []v1.Descriptor{descriptor(v1.MediaTypeImageLayer, "")}}, "0")
	f.Add(seed(v1.Index{Manifests: []v1.Descriptor{descriptor(v1.MediaTypeImageManifest, "")}}, "1"), manifest)
	f.Add(seed(v1.Index{Manifests: []v1.Descriptor{descriptor(v1.MediaTypeImageIndex, "")}}, "1"),
		seed(v1.Index{Manifests: []v1.Descriptor{descriptor(v1.MediaTypeImageManifest, "")}}, "0"))
	f.Add([]byte(`{"manifests": [{"mediaType": "`+dockerManifest+`", "digest": "sha256:../../../outside/file", "size": 22}]}`), manifest)
	f.Fuzz(func(t *testing.T, index, manifest []byte) {
		l, p := newTestLayout(t), newPlace(t)
		fill := func(text []byte, number int, d v1.Descriptor) []byte {
			text = bytes.ReplaceAll(text, fmt.Appendf(nil, "@d%d", number), []byte(d.Digest))
			return bytes.ReplaceAll(text, fmt.Appendf(nil, "@s%d", number), fmt.Append(nil, d.Size))
		}
		manifest = fill(manifest, 0, l.layer(tarOf(t, module...)))
		l.files["index.json"] = string(fill(index, 1, l.blob("", manifest)))
		l.write(p)
		p.unpack(enough)
	})
}
