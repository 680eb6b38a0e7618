package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// manners are the ways in which entries reach the unpacker.
var manners = map[string]func(t *testing.T, entries []entry) (*place, error){
	"module archive": func(t *testing.T, entries []entry) (*place, error) {
		return unpackFileOf(t, zip(tarOf(t, entries...)), enough)
	},
	"layer": func(t *testing.T, entries []entry) (*place, error) {
		l := newTestLayout(t)
		l.add(l.image(zip(tarOf(t, entries...))))
		return unpackFileOf(t, l.tar(), enough)
	},
}

func TestEntriesThatAreRefused(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 99)+"/", 10)
	for _, test := range []struct {
		name    string
		entries []entry
		want    string // how the message ends, after the name of the archive
		layer   string // the same for layers if it is not the same: "-" is none
	}{
		{name: "a name that leads up", entries: []entry{{name: "../x"}}, want: `entry "../x": leaves the archive`},
		{name: "a name that leads up and down", entries: []entry{{name: "a/../x"}}, want: `entry "a/../x": leaves the archive`},
		{name: "a name that leads up at its end", entries: []entry{{name: "a/.."}}, want: `entry "a/..": leaves the archive`},
		{name: "a folder that leads up", entries: []entry{{name: "../"}}, want: `entry "../": leaves the archive`},
		{name: "a name that leads up from /", entries: []entry{{name: "/../outside/file"}},
			want: `entry "/../outside/file": is an absolute path`, layer: `entry "/../outside/file": leaves the archive`},
		{name: "an absolute name", entries: []entry{{name: "/etc/passwd"}}, want: `entry "/etc/passwd": is an absolute path`, layer: "-"},
		{name: "an absolute folder", entries: []entry{{name: "/"}, {name: "x"}}, want: `entry "/": is an absolute path`, layer: "-"},
		{name: "a control character", entries: []entry{{name: "a\nb"}}, want: `entry "a\nb": has a path with a control character`},
		{name: "an escape sequence", entries: []entry{{name: "a\x1b[0m"}}, want: `entry "a\x1b[0m": has a path with a control character`},
		{name: "no UTF-8", entries: []entry{{name: "a\xff"}}, want: `entry "a\xff": has a path that is not UTF-8`},
		{name: "a name that is too long", entries: []entry{{name: long + strings.Repeat("y", 25)}},
			want: `entry "` + long[:200] + `": has a path of more than 1024 bytes`},
		{name: "a name that is a little too long for a file system", entries: []entry{{name: strings.Repeat("x", 256)}}, want: "file name too long"},
		{name: "too many folders", entries: []entry{{name: strings.Repeat("a/", 64) + "b"}},
			want: `entry "` + strings.Repeat("a/", 64) + `b": is more than 64 folders deep`},
		{name: "a root that is a file", entries: []entry{{name: ".", content: "x"}},
			want: `entry ".": is the root of the archive, which has to be a folder`},
		{name: "a root that is a symlink", entries: []entry{{name: "./", kind: tar.TypeSymlink, link: "outside"}},
			want: `is the root of the archive, which has to be a folder`},
		{name: "a whiteout", entries: []entry{{name: "a/.wh.b"}}, want: `entry "a/.wh.b": is a whiteout: names that begin with .wh. mean ` +
			`in a layer that a file is removed`},
		{name: "an opaque whiteout", entries: []entry{{name: ".wh..wh..opq"}}, want: `entry ".wh..wh..opq": is a whiteout: names that begin ` +
			`with .wh. mean in a layer that a file is removed`},
		{name: "a folder that is a whiteout", entries: []entry{{name: ".wh.a/b"}}, want: `mean in a layer that a file is removed`},

		{name: "a character device", entries: []entry{{name: "null", kind: tar.TypeChar}},
			want: `entry "null": is a device; only files, folders and links can be unpacked`},
		{name: "a block device", entries: []entry{{name: "sda", kind: tar.TypeBlock}},
			want: `entry "sda": is a device; only files, folders and links can be unpacked`},
		{name: "a fifo", entries: []entry{{name: "f", kind: tar.TypeFifo}}, want: `entry "f": is a fifo; only files, folders and links can be unpacked`},
		{name: "a contiguous file", entries: []entry{{name: "f", kind: tar.TypeCont}},
			want: `entry "f": is a special file of type '7'; only files, folders and links can be unpacked`},

		{name: "an absolute symlink", entries: []entry{{name: "a", link: "/etc/passwd"}},
			want: `entry "a": is a symlink to "/etc/passwd", which is outside of the archive`, layer: "-"},
		{name: "an absolute symlink that leads up", entries: []entry{{name: "d/a", link: "/../etc"}},
			want: `entry "d/a": is a symlink to "/../etc", which is outside of the archive`},
		{name: "a symlink that leads up", entries: []entry{{name: "a/b", link: "../../outside"}},
			want: `entry "a/b": is a symlink to "../../outside", which is outside of the archive`},
		{name: "a symlink at the root that leads up", entries: []entry{{name: "a", link: ".."}},
			want: `entry "a": is a symlink to "..", which is outside of the archive`},
		{name: "a symlink that leads up in a roundabout way", entries: []entry{{name: "a/b/", link: ""}, {name: "a/b/c", link: ".././../x/./../../outside"}},
			want: `entry "a/b/c": is a symlink to ".././../x/./../../outside": ".." behind a name could lead anywhere`},
		{name: "a symlink that leads out through another", entries: []entry{
			{name: "a/up", link: ".."}, {name: "out", link: "a/up/../outside"}, {name: "out/file", content: "x"}},
			want: `entry "out": is a symlink to "a/up/../outside": ".." behind a name could lead anywhere`},
		{name: "a symlink to nothing", entries: []entry{{name: "a", kind: tar.TypeSymlink}}, want: `entry "a": is a symlink to nothing`},
		{name: "a symlink with a control character", entries: []entry{{name: "a", link: "b\n"}},
			want: `entry "a": is a symlink to "b\n", which has a path with a control character`},

		{name: "a file through a symlink", entries: []entry{{name: "d/"}, {name: "a", link: "d"}, {name: "a/b", content: "x"}},
			want: `entry "a/b": "a" is a symlink, not a folder`},
		{name: "a file through a symlink to nowhere", entries: []entry{{name: "a", link: "d"}, {name: "a/b", content: "x"}},
			want: `entry "a/b": "a" is a symlink, not a folder`},
		{name: "a file through two symlinks", entries: []entry{{name: "d/e/"}, {name: "a", link: "b"}, {name: "b", link: "d"}, {name: "a/e/f"}},
			want: `entry "a/e/f": "a" is a symlink, not a folder`},
		{name: "a folder through a symlink", entries: []entry{{name: "d/"}, {name: "a", link: "d"}, {name: "a/b/"}},
			want: `entry "a/b/": "a" is a symlink, not a folder`},
		{name: "a folder that is a symlink", entries: []entry{{name: "d/"}, {name: "a", link: "d"}, {name: "a/"}},
			want: `entry "a/": "a" is a symlink, not a folder`},
		{name: "a symlink through a symlink", entries: []entry{{name: "d/e/"}, {name: "a", link: "d/e"}, {name: "a/b", link: ".."}},
			want: `entry "a/b": "a" is a symlink, not a folder`},
		{name: "a file in a file", entries: []entry{{name: "a"}, {name: "a/b"}}, want: `entry "a/b": "a" is a file, not a folder`},
		{name: "a folder that is a file", entries: []entry{{name: "a"}, {name: "a/"}}, want: `entry "a/": "a" is a file, not a folder`},
		{name: "a file that is there twice", entries: []entry{{name: "a", content: "1"}, {name: "./a", content: "2"}},
			want: `entry "./a": is there twice`, layer: "-"},
		{name: "a symlink that is there twice", entries: []entry{{name: "a", link: "b"}, {name: "a", link: "c"}},
			want: `entry "a": is there twice`, layer: "-"},
		{name: "a symlink that becomes a file", entries: []entry{{name: "a", link: "b"}, {name: "a", content: "x"}},
			want: `entry "a": is there twice`, layer: `entry "a": is there twice, as different types of file`},
		{name: "a folder that becomes a symlink", entries: []entry{{name: "a/"}, {name: "d/"}, {name: "a", link: "d"}, {name: "a/b"}},
			want: `entry "a": is there twice`, layer: `entry "a": is there twice, as different types of file`},
		{name: "a file that becomes a symlink", entries: []entry{{name: "a"}, {name: "a", link: "b"}},
			want: `entry "a": is there twice`, layer: `entry "a": is there twice, as different types of file`},

		{name: "a hard link that leads out", entries: []entry{{name: "a", kind: tar.TypeLink, link: "../../outside/file"}},
			want: `entry "a": is a hard link to "../../outside/file", which leaves the archive`},
		{name: "an absolute hard link", entries: []entry{{name: "a", kind: tar.TypeLink, link: "/etc/passwd"}},
			want:  `entry "a": is a hard link to "/etc/passwd", which is an absolute path`,
			layer: `entry "a": is a hard link to "/etc/passwd", which is no file that was unpacked before`},
		{name: "a hard link to what comes later", entries: []entry{{name: "a", kind: tar.TypeLink, link: "b"}, {name: "b"}},
			want: `entry "a": is a hard link to "b", which is no file that was unpacked before`},
		{name: "a hard link to itself", entries: []entry{{name: "a"}, {name: "a", kind: tar.TypeLink, link: "a"}},
			want: `entry "a": is a hard link to "a", which is no file that was unpacked before`},
		{name: "a hard link to nothing", entries: []entry{{name: "a", kind: tar.TypeLink}},
			want: `entry "a": is a hard link to "", which is no file that was unpacked before`},
		{name: "a hard link to a folder", entries: []entry{{name: "d/"}, {name: "a", kind: tar.TypeLink, link: "d"}},
			want: `entry "a": is a hard link to "d", which is no file that was unpacked before`},
		{name: "a hard link to a symlink", entries: []entry{{name: "f"}, {name: "s", link: "f"}, {name: "a", kind: tar.TypeLink, link: "s"}},
			want: `entry "a": is a hard link to "s", which is no file that was unpacked before`},
		{name: "a hard link through a symlink", entries: []entry{{name: "d/f"}, {name: "s", link: "d"}, {name: "a", kind: tar.TypeLink, link: "s/f"}},
			want: `entry "a": is a hard link to "s/f": "s" is a symlink, not a folder`},
		{name: "a symlink that leads out of the one folder", entries: []entry{{name: "npm/a", link: "../npm/b"}},
			want:  `entry "npm/a": is a symlink to "../npm/b", which is outside of the archive; the module is "npm", the one folder of the archive`,
			layer: "-"},
	} {
		for manner, unpack := range manners {
			t.Run(test.name+" in a "+manner, func(t *testing.T) {
				_, err := unpack(t, test.entries)
				want := test.want
				if manner == "layer" && test.layer != "" {
					want = test.layer
				}
				switch {
				case want == "-" && err == nil:
				case err == nil || !strings.HasPrefix(err.Error(), "module archive npm.tgz: ") || !strings.HasSuffix(err.Error(), want):
					t.Errorf("got  %v\nwant %s", err, want)
				case manner == "layer" && !strings.Contains(err.Error(), ": layer sha256:"):
					t.Errorf("%v does not name the layer", err)
				}
			})
		}
	}
}

func TestEntriesThatAreFine(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []entry
		want    []string
		only    string // in what, if not in all
	}{
		{name: "names with dots", entries: []entry{{name: ".//a/./b"}, {name: "..c"}, {name: "..."}}, want: []string{`... ""`, `..c ""`, `a/b ""`}},
		{name: "names of any script", entries: []entry{{name: "ä/日本 語\\\"", content: "x"}, {name: "x"}}, want: []string{`x ""`, `ä/日本 語\" "x"`}},
		{name: "a name of 1024 bytes", entries: []entry{{name: strings.Repeat(strings.Repeat("x", 127)+"/", 8)[:1023] + "x"}, {name: "x"}},
			want: []string{"x \"\"", strings.Repeat(strings.Repeat("x", 127)+"/", 8)[:1023] + `x ""`}},
		{name: "64 folders and files", entries: []entry{{name: strings.Repeat("a/", 63) + "b"}, {name: "x"}},
			want: []string{strings.Repeat("a/", 63) + `b ""`, `x ""`}},
		{name: "a folder that comes after what is in it", entries: []entry{{name: "a/b"}, {name: "a/"}, {name: "a/c"}, {name: "x"}},
			want: []string{`a/b ""`, `a/c ""`, `x ""`}},
		{name: "symlinks inside", entries: []entry{{name: "a/b/c", link: "../../x/y"}, {name: "a/d", link: "./b/"}, {name: "e", link: "a"}, {name: "f", link: "."}},
			want: []string{"a/b/c -> ../../x/y", "a/d -> ./b/", "e -> a", "f -> ."}},
		{name: "a symlink to itself", entries: []entry{{name: "a", link: "a"}}, want: []string{"a -> a"}},
		{name: "files of a layer that are replaced", only: "layer", entries: []entry{
			{name: "a", content: "1"}, {name: "b", kind: tar.TypeLink, link: "/a"}, {name: "/a", content: "2"}, {name: "c", link: "a"}, {name: "c", link: "b"}},
			want: []string{`a "2"`, `b "1"`, "c -> b"}},
		{name: "absolute symlinks of a layer", only: "layer", entries: []entry{
			{name: "/a/b/c", link: "/a/d/"}, {name: "/e", link: "/"}, {name: "f", link: "//a/./b"}, {name: "/a/b/g", link: "/a/b"}},
			want: []string{"a/b/c -> ../d", "a/b/g -> .", "e -> .", "f -> a/b"}},
	} {
		for manner, unpack := range manners {
			if test.only != "" && test.only != manner {
				continue
			}
			t.Run(test.name+" in a "+manner, func(t *testing.T) {
				p, err := unpack(t, test.entries)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, files(t, p.module())); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// Names with NUL do not get through archive/tar.
func TestNamesHaveNoNUL(t *testing.T) {
	for _, name := range []string{"a\x00b", "a\x7f", "a\u0085b"} {
		if _, err := cleanName(name, true); err == nil {
			t.Errorf("%q", name)
		}
	}
}

// sparse are archives of a file with holes, in the formats of GNU tar. archive/tar writes none of them.
func sparse(t testing.TB) map[string][]byte {
	pax := func(records map[string]string) []byte {
		escaped := map[string]string{}
		for key, value := range records {
			escaped["GNU_sparse."+key] = value
		}
		return bytes.ReplaceAll(tarOf(t, entry{name: "f", content: "x", records: escaped}), []byte("GNU_sparse."), []byte("GNU.sparse."))
	}
	var old bytes.Buffer
	w := tar.NewWriter(&old)
	if err := w.WriteHeader(&tar.Header{Name: "f", Typeflag: tar.TypeReg, Size: 1, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("x"))
	w.Close()
	block := old.Bytes()[:512]
	block[156] = tar.TypeGNUSparse
	copy(block[386:], "00000000000\x0000000000001\x00") // one piece: offset and length
	copy(block[483:], "00010000000\x00")                // its size with holes
	sum := 0
	copy(block[148:156], "        ")
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return map[string][]byte{
		"old": old.Bytes(),
		"0.0": pax(map[string]string{"size": "2000000000", "numblocks": "1", "map": "0,1"}),
		"0.1": pax(map[string]string{"major": "0", "minor": "1", "name": "g", "size": "2000000000", "numblocks": "1", "map": "0,1"}),
	}
}

func TestSparseFilesAreRefused(t *testing.T) {
	for format, archive := range sparse(t) {
		t.Run(format, func(t *testing.T) {
			_, err := unpackFileOf(t, archive, enough)
			if err == nil || !strings.Contains(err.Error(), "is a sparse file, of which only a part is in the archive") {
				t.Error(err)
			}
		})
	}
}

// disk is how many bytes and entries there are below a folder.
func disk(t *testing.T, dir string) (size int64, entries int) {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		entries++
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size, entries
}

func TestBombsStopEarly(t *testing.T) {
	zeros := zip(make([]byte, 1<<20))
	// A file of 2 GiB, in 2 MB.
	var header bytes.Buffer
	w := tar.NewWriter(&header)
	if err := w.WriteHeader(&tar.Header{Name: "zeros", Size: 2 << 30, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	bomb := append(zip(header.Bytes()), bytes.Repeat(zeros, 2<<10)...)
	half := tarOf(t, entry{name: "half", content: strings.Repeat("x", 600<<10)})
	image := func(layers ...[]byte) []byte {
		l := newTestLayout(t)
		l.add(l.image(layers...))
		return l.tar()
	}
	big, many := limits{bytes: 1 << 20, entries: 1000}, limits{bytes: 16 << 20, entries: 100}
	var files, deep []entry
	for i := range 1000 {
		files = append(files, entry{name: fmt.Sprint(i)})
		deep = append(deep, entry{name: fmt.Sprint(i) + strings.Repeat("/x", 60)})
	}
	const bytesWant, entriesWant = "unpacks to more than 1048576 bytes", "has more than 100 files and folders"
	for name, test := range map[string]struct {
		archive []byte
		most    limits
		want    string
	}{
		"a file of 2 GiB":                    {bomb, big, bytesWant},
		"a file of 2 GiB in a layer":         {image(bomb), limits{bytes: 4 << 20, entries: 1000}, "unpacks to more than 4194304 bytes"},
		"two layers of half of the limit":    {zip(image(zip(half), zip(half))), big, bytesWant},
		"layers that are larger than that":   {image(half, half), big, "layers have more than 1048576 bytes"},
		"a million entries":                  {zip(tarOf(t, files...)), many, entriesWant},
		"a million entries in a layer":       {image(zip(tarOf(t, files...))), many, entriesWant},
		"a million entries in two layers":    {image(zip(tarOf(t, files[:60]...)), zip(tarOf(t, files[60:120]...))), many, entriesWant},
		"a million folders that are implied": {zip(tarOf(t, deep...)), many, entriesWant},
		"a million times the same folder":    {zip(tarOf(t, repeated(entry{name: "x/"}, 1000)...)), many, entriesWant},
		"a million global headers":           {zip(tarOf(t, repeated(globalHeader, 1000)...)), many, entriesWant},
		"zeros behind the end":               {append(zip(tarOf(t, module...)), bytes.Repeat(zeros, 2)...), big, bytesWant},
		"headers of an entry without an end": {bytes.Repeat(zip(bytes.Repeat(paxHeader(t), 1000)), 2000), big, bytesWant},
		"a file that says it is of 8 EiB":    {hugeFile(t), big, "is truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := unpackFileOf(t, test.archive, test.most)
			if err == nil || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			size, entries := disk(t, p.out)
			// A .cnb is there as layout, too.
			if size > 2*test.most.bytes || entries > test.most.entries+20 {
				t.Errorf("%d bytes and %d entries were written", size, entries)
			}
		})
	}
}

// repeated is an entry many times.
func repeated(e entry, times int) (entries []entry) {
	for range times {
		entries = append(entries, e)
	}
	return entries
}

// paxHeader is what stands before an entry, without the entry.
func paxHeader(t *testing.T) []byte {
	data := tarOf(t, entry{name: "a", records: map[string]string{"comment": "x"}})
	return data[:1024]
}

func hugeFile(t *testing.T) []byte {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: "f", Size: 1<<63 - 1, Format: tar.FormatGNU}); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), make([]byte, 10000)...)
}

// A stream that does not end is not read to its end. It is never a file, but this is how much of one would be read.
func TestOfABombOnlyTheLimitIsRead(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		z := gzip.NewWriter(w)
		archive := tar.NewWriter(z)
		archive.WriteHeader(&tar.Header{Name: "zeros", Size: 1 << 40, Format: tar.FormatGNU})
		zeros := make([]byte, 1<<20)
		for {
			if _, err := archive.Write(zeros); err != nil {
				return
			}
		}
	}()
	defer r.Close()
	p := newPlace(t)
	u, err := newUnpacker(p.module())
	if err != nil {
		t.Fatal(err)
	}
	defer u.root.Close()
	err = u.unpack(tarball{from: r, spent: &budget{most: enough}})
	if err == nil || err.Error() != "unpacks to more than 1048576 bytes" {
		t.Error(err)
	}
	if info, err := os.Stat(p.module() + "/zeros"); err != nil || info.Size() > enough.bytes {
		t.Errorf("%v %v", info, err)
	}
}
