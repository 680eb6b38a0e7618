package archive

import (
	_ "crypto/sha512" // a good algorithm of digests, if it is linked in
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// testLayout is an OCI layout: its files by path.
type testLayout struct {
	t     testing.TB
	files map[string]string
	index v1.Index
}

func newTestLayout(t testing.TB) *testLayout {
	return &testLayout{t: t, files: map[string]string{"oci-layout": `{"imageLayoutVersion": "1.0.0"}`}}
}

func (l *testLayout) blob(mediaType string, data []byte) v1.Descriptor {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	l.files[blobPath(d)] = string(data)
	return d
}

func blobPath(d v1.Descriptor) string { return "blobs/sha256/" + d.Digest.Encoded() }

func (l *testLayout) json(mediaType string, document any) v1.Descriptor {
	data, err := json.Marshal(document)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.blob(mediaType, data)
}

// layer is one of the type that its content is of.
func (l *testLayout) layer(data []byte) v1.Descriptor {
	mediaType := v1.MediaTypeImageLayer
	if strings.HasPrefix(string(data), gzipMagic) {
		mediaType = v1.MediaTypeImageLayerGzip
	}
	return l.blob(mediaType, data)
}

// image is the manifest of an image of layers.
func (l *testLayout) image(layers ...[]byte) v1.Descriptor {
	manifest := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: l.blob(v1.MediaTypeImageConfig, []byte("{}"))}
	for _, data := range layers {
		manifest.Layers = append(manifest.Layers, l.layer(data))
	}
	return l.json(v1.MediaTypeImageManifest, manifest)
}

// file is the manifest of an image with one file.
func (l *testLayout) file(name string) v1.Descriptor { return l.image(tarOf(l.t, entry{name: name})) }

// add adds to index.json.
func (l *testLayout) add(d ...v1.Descriptor) {
	l.index.Manifests = append(l.index.Manifests, d...)
	data, err := json.Marshal(l.index)
	if err != nil {
		l.t.Fatal(err)
	}
	l.files["index.json"] = string(data)
}

// tar is the layout as one file, oci-layout last.
func (l *testLayout) tar() []byte {
	var entries []entry
	for _, name := range sortedKeys(l.files) {
		entries = append(entries, entry{name: name, content: l.files[name]})
	}
	return tarOf(l.t, entries...)
}

// write makes the layout the archive.
func (l *testLayout) write(p *place) {
	for name, data := range l.files {
		p.write(filepath.Join(p.archive, name), []byte(data))
	}
}

// unpack unpacks the layout, as folder and as file, to the same.
func (l *testLayout) unpack(t *testing.T) ([]string, error) {
	t.Helper()
	p := newPlace(t)
	l.write(p)
	err := p.unpack(enough)
	q, errFile := unpackFileOf(t, l.tar(), enough)
	if err != nil || errFile != nil {
		if fmt.Sprint(err) != strings.Replace(fmt.Sprint(errFile), "module archive npm.tgz", "module archive", 1) {
			t.Errorf("%v\n%v", err, errFile)
		}
		return nil, err
	}
	if diff := cmp.Diff(list(t, p.module()), list(t, q.module())); diff != "" {
		t.Error(diff)
	}
	return files(t, p.module()), nil
}

func TestBuildpackages(t *testing.T) {
	const blob = "bc4c24181ed3ce6666444deeb95e1f61940bffee70dd13972beb331f5d111e9b"
	for _, test := range []struct {
		name   string
		layers [][]entry
		want   []string
	}{
		{"of pack", [][]entry{
			{{name: "/cnb/buildpacks/acme_npm/"}, {name: "/cnb/buildpacks/acme_npm/1.0/"}, {name: "/cnb/buildpacks/acme_npm/1.0/buildpack.toml", content: "npm"}},
			{{name: "/cnb/buildpacks/acme_node/"}, {name: "/cnb/buildpacks/acme_node/2.0/"}, {name: "/cnb/buildpacks/acme_node/2.0/buildpack.toml", content: "node"}},
		}, []string{`cnb/buildpacks/acme_node/2.0/buildpack.toml "node"`, `cnb/buildpacks/acme_npm/1.0/buildpack.toml "npm"`}},
		{"of the draft, with links to the folder of a blob", [][]entry{
			{{name: "/cnb/blobs/" + blob + "/buildpack.toml", content: "both"},
				{name: "/cnb/by-id/io.buildpacks.nodejs/0.0.9", link: "/cnb/blobs/" + blob + "/"},
				{name: "/cnb/by-id/io/buildpacks/npm/0.0.7", link: "/cnb/blobs/" + blob + "/"}},
			{{name: "/cnb/package.toml", content: "[default]"}},
		}, []string{
			`cnb/blobs/` + blob + `/buildpack.toml "both"`,
			"cnb/by-id/io/buildpacks/npm/0.0.7 -> ../../../../blobs/" + blob,
			"cnb/by-id/io.buildpacks.nodejs/0.0.9 -> ../../blobs/" + blob,
			`cnb/package.toml "[default]"`,
		}},
		{"with more than the buildpacks", [][]entry{
			{{name: "dev/null", kind: '3'}, {name: "etc/.wh.motd"}, {name: "bin", link: "/usr/bin"}, {name: "cnbx/y"}, {name: "usr/lib/a", kind: '1', link: "none"}},
			{{name: "cnb/"}, {name: "cnb/x", content: "1"}, {name: "packfile.toml"}},
		}, []string{`cnb/x "1"`}},
		{"with nothing in /cnb", [][]entry{{{name: "cnb/"}, {name: "packfile.toml"}}}, []string{`packfile.toml ""`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newTestLayout(t)
			var layers [][]byte
			for _, entries := range test.layers {
				layers = append(layers, zip(tarOf(t, entries...)))
			}
			l.add(l.image(layers...))
			got, err := l.unpack(t)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOnlyWhatIsUnpackedHasToBeGood(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"/dev/null", ""},
		{"/cnb/null", `entry "/cnb/null": is a device; only files, folders and links can be unpacked`},
		{"/../null", `entry "/../null": leaves the archive`},
	} {
		l := newTestLayout(t)
		l.add(l.image(tarOf(t, entry{name: "/cnb/x"}), tarOf(t, entry{name: test.name, kind: '3'})))
		if _, err := l.unpack(t); (err == nil) != (test.want == "") || err != nil && !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestTheImageOfALayout(t *testing.T) {
	for_ := func(os, arch string, d v1.Descriptor) v1.Descriptor {
		d.Platform = &v1.Platform{OS: os, Architecture: arch}
		return d
	}
	attestation := func(d v1.Descriptor) v1.Descriptor {
		d = for_("unknown", "unknown", d)
		d.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
		return d
	}
	index := func(l *testLayout, d ...v1.Descriptor) v1.Descriptor {
		return l.json(v1.MediaTypeImageIndex, v1.Index{Manifests: d})
	}
	as := func(mediaType string, d v1.Descriptor) v1.Descriptor {
		d.MediaType = mediaType
		return d
	}
	for _, test := range []struct {
		name  string
		index func(l *testLayout) []v1.Descriptor
		want  string // the file of the image; an error if it has a blank
	}{
		{"the first", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{l.file("a"), l.file("b")} }, "a"},
		{"that for this machine", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{for_("plan9", runtime.GOARCH, l.file("a")), for_(runtime.GOOS, "pdp11", l.file("b")),
				for_(runtime.GOOS, runtime.GOARCH, l.file("c")), l.file("d")}
		}, "c"},
		{"no attestation", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{attestation(l.file("a")), l.file("b")} }, "b"},
		{"no attestation for this machine", func(l *testLayout) []v1.Descriptor {
			d := attestation(l.file("a"))
			d.Platform = &v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}
			return []v1.Descriptor{d, for_("plan9", "pdp11", l.file("b"))}
		}, "b"},
		{"in an index", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{index(l, attestation(l.file("a")), l.file("b"))}
		}, "b"},
		{"in one of several indexes", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{l.file("a"), index(l), index(l, for_(runtime.GOOS, runtime.GOARCH, l.file("b")))}
		}, "b"},
		{"of Docker's types", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{as(dockerIndex, index(l, as(dockerManifest, l.file("a"))))}
		}, "a"},
		{"not what is something else", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{l.blob("text/plain", []byte("x")), l.file("a")}
		}, "a"},
		{"none", func(l *testLayout) []v1.Descriptor { return nil }, "OCI layout: index.json: names no image"},
		{"only an attestation", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{attestation(l.file("a"))} },
			"OCI layout: index.json: names no image"},
		{"in an index in an index", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{index(l, index(l, l.file("a")))} },
			"is in an index that is in an index"},
		{"in too many", func(l *testLayout) []v1.Descriptor { return slices.Repeat([]v1.Descriptor{l.file("a")}, 101) },
			"OCI layout: has more than 100 manifests"},
		{"in too many indexes", func(l *testLayout) []v1.Descriptor {
			return slices.Repeat([]v1.Descriptor{index(l, slices.Repeat([]v1.Descriptor{l.file("a")}, 10)...)}, 10)
		}, "OCI layout: has more than 100 manifests"},
		{"a manifest that is an index", func(l *testLayout) []v1.Descriptor {
			return []v1.Descriptor{as(v1.MediaTypeImageManifest, index(l, l.file("a")))}
		}, "OCI layout: its image holds no files"},
		{"an image without layers", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{l.image()} }, "OCI layout: its image holds no files"},
		{"an image of empty layers", func(l *testLayout) []v1.Descriptor { return []v1.Descriptor{l.image(tarOf(l.t), tarOf(l.t))} },
			"OCI layout: its image holds no files"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newTestLayout(t)
			l.add(test.index(l)...)
			got, err := l.unpack(t)
			switch failed := strings.Contains(test.want, " "); {
			case failed && (err == nil || !strings.HasPrefix(err.Error(), "module archive: OCI layout: ") || !strings.HasSuffix(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			case !failed && (err != nil || len(got) != 1 || got[0] != test.want+` ""`):
				t.Errorf("got %v %v, want %s", got, err, test.want)
			}
		})
	}
}

// An index cannot hold its own digest, but one that nobody checks could.
func TestAnIndexInACircle(t *testing.T) {
	l := newTestLayout(t)
	self := v1.Descriptor{MediaType: v1.MediaTypeImageIndex, Digest: digest.FromString("x"), Size: 500}
	data, _ := json.Marshal(v1.Index{Manifests: []v1.Descriptor{self}})
	l.add(self)
	l.files[blobPath(self)] = string(data) + strings.Repeat(" ", 500-len(data))
	if _, err := l.unpack(t); err == nil || !strings.Contains(err.Error(), "its content has another digest") {
		t.Error(err)
	}
}

func TestBlobsAreWhatTheirDescriptorsSay(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(d *v1.Descriptor, l *testLayout)
		want   string
	}{
		{"other content of the same size", func(d *v1.Descriptor, l *testLayout) {
			l.files[blobPath(*d)] = strings.Repeat("x", int(d.Size))
		}, "its content has another digest"},
		{"more content", func(d *v1.Descriptor, l *testLayout) { l.files[blobPath(*d)] += "x" }, "bytes that it should have"},
		{"less content", func(d *v1.Descriptor, l *testLayout) { l.files[blobPath(*d)] = l.files[blobPath(*d)][1:] }, "bytes that it should have"},
		{"no content", func(d *v1.Descriptor, l *testLayout) { delete(l.files, blobPath(*d)) }, "no such file or directory"},
		{"a smaller size", func(d *v1.Descriptor, l *testLayout) { d.Size-- }, "bytes that it should have"},
		{"a larger size", func(d *v1.Descriptor, l *testLayout) { d.Size++ }, "bytes that it should have"},
		{"a negative size", func(d *v1.Descriptor, l *testLayout) { d.Size = -1 }, "has a size of -1 bytes"},
		{"a size that is a lie", func(d *v1.Descriptor, l *testLayout) { d.Size = 1<<63 - 1 }, "bytes"},
		{"a digest that is a path", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = "sha256:../../../outside/file"
		}, `"sha256:../../../outside/file": invalid checksum digest length`},
		{"a digest that is a path of the right length", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = digest.Digest("sha256:" + strings.Repeat("../", 17) + "outside/file/"[:13])
		}, `invalid checksum digest format`},
		{"an algorithm that is a path", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = digest.Digest("../sha256:" + d.Digest.Encoded())
		}, `invalid checksum digest format`},
		{"no digest", func(d *v1.Descriptor, l *testLayout) { d.Digest = "" }, `"": invalid checksum digest format`},
		{"a digest in capitals", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = digest.Digest("sha256:" + strings.Repeat("A", 64))
		}, `invalid checksum digest format`},
		{"a digest of another algorithm", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = digest.Digest("md5:" + strings.Repeat("a", 32))
		}, `unsupported digest algorithm`},
		{"a digest of another good algorithm", func(d *v1.Descriptor, l *testLayout) {
			d.Digest = digest.SHA512.FromString(l.files[blobPath(*d)])
		}, `only digests of sha256 can be checked`},
	} {
		t.Run(test.name+", of a layer", func(t *testing.T) {
			l := newTestLayout(t)
			layer := l.layer(tarOf(t, module...))
			test.change(&layer, l)
			l.add(l.json(v1.MediaTypeImageManifest, v1.Manifest{Layers: []v1.Descriptor{layer}}))
			if _, err := l.unpack(t); err == nil || !strings.HasPrefix(err.Error(), "module archive: OCI layout: layer") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
		t.Run(test.name+", of a manifest", func(t *testing.T) {
			l := newTestLayout(t)
			manifest := l.image(tarOf(t, module...))
			test.change(&manifest, l)
			l.add(manifest)
			if _, err := l.unpack(t); err == nil || !strings.HasPrefix(err.Error(), "module archive: OCI layout: manifest ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestLayersOfOtherTypes(t *testing.T) {
	for mediaType, want := range map[string]string{
		dockerLayer:                    "",
		dockerLayerGzip:                "",
		v1.MediaTypeImageLayerGzip:     "", // the content says whether it is
		v1.MediaTypeImageLayerZstd:     "tar+zstd\"; only tar archives can be unpacked, with or without gzip",
		"application/vnd.in-toto+json": "only tar archives can be unpacked",
		strings.Repeat("x", 1000):      "only tar archives can be unpacked",
		"":                             "only tar archives can be unpacked",
	} {
		t.Run(fmt.Sprintf("%.50s", mediaType), func(t *testing.T) {
			l := newTestLayout(t)
			layer := l.blob(mediaType, tarOf(t, entry{name: "a"}))
			l.add(l.json(v1.MediaTypeImageManifest, v1.Manifest{Layers: []v1.Descriptor{layer}}))
			_, err := l.unpack(t)
			if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || len(err.Error()) > 500) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestLayersThatAreNoArchives(t *testing.T) {
	plain := tarOf(t, module...)
	for name, test := range map[string]struct {
		layer []byte
		want  string
	}{
		"a text":         {[]byte("x"), "is no tar archive, with or without gzip"},
		"zstd":           {[]byte("\x28\xb5\x2f\xfd"), "its format is zstd"},
		"truncated gzip": {zip(plain)[:100], "is truncated"},
		"truncated":      {plain[:1100], "is truncated"},
		"garbage behind": {append(tarOf(t, module...), 'x'), "has something behind its end"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLayout(t)
			l.add(l.image(test.layer))
			want := "module archive: layer " + digest.FromBytes(test.layer).String() + ": "
			if _, err := l.unpack(t); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v, want %s%s", err, want, test.want)
			}
		})
	}
}

func TestDocumentsOfALayout(t *testing.T) {
	for name, test := range map[string]struct {
		change func(l *testLayout)
		want   string
	}{
		"no index":            {func(l *testLayout) { delete(l.files, "index.json"); l.files["x"] = "" }, "index.json: no such file or directory"},
		"an index of no JSON": {func(l *testLayout) { l.files["index.json"] = "x" }, "index.json: invalid character 'x'"},
		"an index of a list":  {func(l *testLayout) { l.files["index.json"] = "[]" }, "index.json: json: cannot unmarshal array"},
		"an index of nothing": {func(l *testLayout) { l.files["index.json"] = "null" }, "index.json: names no image"},
		"an index of 1 MiB":   {func(l *testLayout) { l.files["index.json"] += strings.Repeat(" ", 1<<20) }, "index.json: it has 1048577 bytes, more than 1048576"},
		"no JSON":             {func(l *testLayout) { l.files["oci-layout"] = "" }, "oci-layout: unexpected end of JSON input"},
		"no version":          {func(l *testLayout) { l.files["oci-layout"] = "{}" }, `oci-layout: is of version "", not 1.0.0`},
		"a version of later":  {func(l *testLayout) { l.files["oci-layout"] = `{"imageLayoutVersion": "2.0.0"}` }, `is of version "2.0.0", not 1.0.0`},
		"a manifest of no JSON": {func(l *testLayout) { l.index.Manifests = nil; l.add(l.blob(v1.MediaTypeImageManifest, []byte("x"))) },
			"OCI layout: manifest " + digest.FromString("x").String() + ": invalid character 'x'"},
		"a manifest of 1 MiB": {func(l *testLayout) {
			l.index.Manifests = nil
			d := l.blob(v1.MediaTypeImageManifest, []byte(strings.Repeat(" ", 1<<20+1)))
			l.add(d)
			l.files[blobPath(d)] = "" // it is not read
		}, ": has more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLayout(t)
			l.add(l.file("a"))
			test.change(l)
			p := newPlace(t)
			l.write(p)
			if err := p.unpack(limits{bytes: 4 << 20, entries: 100}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestFilesOfALayoutAreFiles(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"links":   func(path string) error { return syscall.Symlink("../outside/file", path) },
		"fifos":   func(path string) error { return syscall.Mkfifo(path, 0o644) }, // to open one would block
		"folders": func(path string) error { return syscall.Mkdir(path, 0o755) },
	} {
		l := newTestLayout(t)
		image := l.file("a")
		l.add(image)
		for _, file := range []string{"index.json", blobPath(image)} {
			t.Run(name+" like "+file[:5], func(t *testing.T) {
				p := newPlace(t)
				l.write(p)
				path := filepath.Join(p.archive, file)
				if err := syscall.Unlink(path); err != nil {
					t.Fatal(err)
				}
				if err := change(path); err != nil {
					t.Fatal(err)
				}
				if err := p.unpack(enough); err == nil || !strings.HasSuffix(err.Error(), file+": is no file") {
					t.Error(err)
				}
			})
		}
	}
	t.Run("and so are those of folders that are links", func(t *testing.T) {
		l, p := newTestLayout(t), newPlace(t)
		l.add(l.file("a"))
		l.write(p)
		if err := syscall.Rename(p.archive+"/blobs", p.root+"/blobs"); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Symlink("../blobs", p.archive+"/blobs"); err != nil {
			t.Fatal(err)
		}
		if err := unpack(p.archive, p.module(), enough); err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Error(err)
		}
	})
}
