package archive

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// module is one that has something of everything.
var module = []entry{
	{name: "packfile.toml", content: "x", mode: 0o600},
	{name: "bin/", mode: 0o700},
	{name: "bin/run", content: "#!/bin/sh\n", mode: 0o4611},
	{name: "bin/test", link: "run"},
	{name: "bin/env", link: "../lib/sub"},
	{name: "lib/twin", kind: tar.TypeLink, link: "bin/run"},
	{name: "lib/empty/", mode: 0o1777},
	{name: "lib/hidden/.x", content: "", mode: 0},
}

// moduleList is what becomes of it.
var moduleList = []string{
	"drwxr-xr-x 315619201000000000 .",
	"drwxr-xr-x 315619201000000000 bin",
	"Lrwxrwxrwx 315619201000000000 bin/env -> ../lib/sub",
	`-rwxr-xr-x 315619201000000000 bin/run "#!/bin/sh\n"`,
	"Lrwxrwxrwx 315619201000000000 bin/test -> run",
	"drwxr-xr-x 315619201000000000 lib",
	"drwxr-xr-x 315619201000000000 lib/empty",
	"drwxr-xr-x 315619201000000000 lib/hidden",
	`-rw-r--r-- 315619201000000000 lib/hidden/.x ""`,
	`-rwxr-xr-x 315619201000000000 lib/twin "#!/bin/sh\n"`,
	`-rw-r--r-- 315619201000000000 packfile.toml "x"`,
}

// under are the same entries with something in front of their names.
func under(prefix string, entries []entry) []entry {
	entries = slices.Clone(entries)
	for i, e := range entries {
		entries[i].name = prefix + e.name
		if e.kind == tar.TypeLink {
			entries[i].link = prefix + e.link
		}
	}
	return entries
}

func TestAModuleIsTheSameHoweverItIsPacked(t *testing.T) {
	image := func(layers ...[]byte) []byte {
		l := newTestLayout(t)
		l.add(l.image(layers...))
		return l.tar()
	}
	half := len(module) / 2
	for name, archive := range map[string][]byte{
		"a tar":                           tarOf(t, module...),
		"a tar with gzip":                 zip(tarOf(t, module...)),
		"a tar of .":                      tarOf(t, append([]entry{{name: "./"}}, under("./", module)...)...),
		"a tar with a global header":      tarOf(t, append([]entry{globalHeader}, module...)...),
		"a tar in blocks of 10 KiB":       append(tarOf(t, module...), make([]byte, 10<<10)...),
		"gzip in two parts":               slices.Concat(zip(tarOf(t, module...)[:700]), zip(tarOf(t, module...)[700:])),
		"a release":                       zip(tarOf(t, append([]entry{globalHeader, {name: "npm-1.0/"}}, under("npm-1.0/", module)...)...)),
		"a release whose folder is not":   zip(tarOf(t, under("npm-1.0/", module)...)),
		"an image, as tar":                image(zip(tarOf(t, module...))),
		"an image, as tar with gzip":      zip(image(tarOf(t, module...))),
		"an image with names from /":      image(tarOf(t, under("/", module)...)),
		"an image of two layers":          image(tarOf(t, module[:half]...), zip(tarOf(t, module[half:]...))),
		"an image with an empty layer":    image(tarOf(t), tarOf(t, module...), nil),
		"an image with a file replaced":   image(tarOf(t, entry{name: "bin/run", content: "old", mode: 0o644}), tarOf(t, module...)),
		"an image with a folder repeated": image(tarOf(t, module...), tarOf(t, entry{name: "/bin/"})),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := unpackFileOf(t, archive, enough)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(moduleList, list(t, p.module())); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a layout", func(t *testing.T) {
		l, p := newTestLayout(t), newPlace(t)
		l.add(l.image(tarOf(t, module...)))
		l.write(p)
		if err := p.unpack(enough); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(moduleList, list(t, p.module())); diff != "" {
			t.Error(diff)
		}
	})
}

var globalHeader = entry{kind: tar.TypeXGlobalHeader, records: map[string]string{"comment": "1234"}}

func TestHardLinksStayWhatTheyAre(t *testing.T) {
	p, err := unpackFileOf(t, tarOf(t, module...), enough)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := os.Lstat(filepath.Join(p.module(), "bin/run"))
	b, errB := os.Lstat(filepath.Join(p.module(), "lib/twin"))
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("two files: %v %v", errA, errB)
	}
}

func TestOnlyAnArchiveOfOneFolderIsThatFolder(t *testing.T) {
	for _, test := range []struct {
		name    string
		entries []entry
		want    []string
	}{
		{"a file next to it", []entry{{name: "a/b", content: "1"}, {name: "packfile.toml"}}, []string{`a/b "1"`, `packfile.toml ""`}},
		{"two folders", []entry{{name: "a/b", content: "1"}, {name: "c/"}}, []string{`a/b "1"`}},
		{"one file", []entry{{name: "packfile.toml"}}, []string{`packfile.toml ""`}},
		{"a folder with the name of a layout's file", []entry{{name: "oci-layout/"}, {name: "packfile.toml"}}, []string{`packfile.toml ""`}},
		{"a folder in a folder", []entry{{name: "a/b/c", content: "1"}}, []string{`b/c "1"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := unpackFileOf(t, tarOf(t, test.entries...), enough)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, files(t, p.module())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheOneFolderOfABuildpackageStays(t *testing.T) {
	p, err := unpackFileOf(t, zip(tarOf(t, entry{name: "cnb/buildpacks/acme_npm/1/packfile.toml", content: "x"})), enough)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`cnb/buildpacks/acme_npm/1/packfile.toml "x"`}, files(t, p.module())); diff != "" {
		t.Error(diff)
	}
}

func TestAnErrorNamesTheFileOfTheArchive(t *testing.T) {
	bad := tarOf(t, entry{name: "../x"})
	for name, shown := range map[string]string{
		"npm.tgz": "npm.tgz", "a b\n.tgz": `"a b\n.tgz"`, strings.Repeat("x", 255): strings.Repeat("x", 255),
	} {
		p := newPlace(t)
		p.write(filepath.Join(p.archive, name), bad)
		if err, want := p.unpack(enough), "module archive "+shown+`: entry "../x": leaves the archive`; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestErrorsOfTheMachineAreNotThoseOfAnArchive(t *testing.T) {
	if !OfTheMachine(&fs.PathError{Op: "write", Path: "x", Err: unix.ENOSPC}) || OfTheMachine(&fs.PathError{Op: "open", Path: "x", Err: unix.ENOENT}) {
		t.Error("what is wrong with the machine is told as what is wrong with an archive, or the other way round")
	}
}

func TestAnArchiveHasLimits(t *testing.T) {
	zeros := zip(make([]byte, 1<<20))
	one := tarOf(t, globalHeader)
	one = one[:len(one)-1024]
	for name, test := range map[string]struct {
		archive []byte
		want    string
	}{
		"bytes": {slices.Concat(zip(tarOf(t, module...)), bytes.Repeat(zeros, 1024)), "module archive a: unpacks to more than 1073741824 bytes"},
		"entries": {slices.Concat(bytes.Repeat(zip(bytes.Repeat(one, 1000)), 101), zip(tarOf(t, module...))),
			"module archive a: has more than 100000 files and folders"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.write(filepath.Join(p.archive, "a"), test.archive)
			if err := Unpack(p.archive, p.module()); err == nil || err.Error() != test.want {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsNoArchive(t *testing.T) {
	plain := tarOf(t, module...)
	for name, test := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":                        {nil, "is empty"},
		"nothing with gzip":              {zip(nil), "is empty"},
		"a tar of nothing":               {tarOf(t), "holds no files"},
		"a tar of a global header":       {tarOf(t, globalHeader), "holds no files"},
		"a tar of .":                     {tarOf(t, entry{name: "./"}), "holds no files"},
		"a release of nothing":           {tarOf(t, entry{name: "npm-1.0/"}), "holds no files"},
		"a text":                         {[]byte("not found\n"), "is no tar archive, with or without gzip"},
		"a long text":                    {bytes.Repeat([]byte("not found\n"), 100), "is no tar archive, with or without gzip"},
		"a text with gzip":               {zip([]byte("not found\n")), "is no tar archive, with or without gzip"},
		"zstd":                           {[]byte("\x28\xb5\x2f\xfd_____"), "is no tar archive, with or without gzip: its format is zstd"},
		"xz":                             {[]byte("\xfd7zXZ\x00" + strings.Repeat("_", 1000)), "its format is xz"},
		"zip":                            {[]byte("PK\x03\x04"), "its format is zip"},
		"no header of gzip":              {[]byte("\x1f\x8b"), "is truncated"},
		"a broken header of gzip":        {[]byte("\x1f\x8b\x09_______"), "there is no gzip data"},
		"truncated gzip":                 {zip(plain)[:100], "is truncated"},
		"gzip without its checksum":      {zip(plain)[:len(zip(plain))-8], "is truncated"},
		"gzip with another checksum":     {changed(zip(plain), -8), "is damaged: its checksum is wrong"},
		"gzip of other data":             {changed(zip(plain), 30), "is damaged"},
		"a tar truncated in a header":    {plain[:512+10], "is truncated"},
		"a tar truncated in a file":      {plain[:512+1], "is truncated"}, // "x" and no padding
		"a tar truncated between files":  {plain[:1024], "is truncated"},
		"a tar with half of its end":     {plain[:len(plain)-512], "is truncated"},
		"a tar with a broken header":     {changed(plain, 1024+150), "is damaged: something in it is no tar header"},
		"garbage behind gzip":            {append(zip(plain), bytes.Repeat([]byte("x"), 20)...), "something behind its end"},
		"a little garbage behind gzip":   {append(zip(plain), 'x'), "is truncated"},
		"garbage behind a tar":           {append(tarOf(t, module...), 'x'), "has something behind its end"},
		"garbage in gzip behind a tar":   {zip(append(tarOf(t, module...), 'x')), "has something behind its end"},
		"a second tar behind a tar":      {slices.Concat(plain, plain), "has something behind its end"},
		"a second gzip behind the first": {slices.Concat(zip(plain), zip(plain)), "has something behind its end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpackFileOf(t, test.archive, enough)
			if err == nil || !strings.HasPrefix(err.Error(), "module archive npm.tgz: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// changed is data with one byte changed, counted from the end if at is negative.
func changed(data []byte, at int) []byte {
	data = bytes.Clone(data)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x55
	return data
}

func TestTheArchiveIsOneFileOrALayout(t *testing.T) {
	for name, test := range map[string]struct {
		make func(p *place) error
		want string
	}{
		"nothing": {func(*place) error { return nil }, "module archive: is neither one file nor an OCI layout, but a folder with 0 entries"},
		"two files": {func(p *place) error {
			p.write(p.archive+"/a", nil)
			p.write(p.archive+"/b", nil)
			return nil
		}, "a folder with 2 entries"},
		"a folder":    {func(p *place) error { return os.Mkdir(p.archive+"/a", 0o755) }, "a folder with 1 entries"},
		"a link":      {func(p *place) error { return os.Symlink("../outside/file", p.archive+"/a") }, "a folder with 1 entries"},
		"no folder":   {func(p *place) error { return os.Remove(p.archive) }, "no such file"},
		"a second go": {func(p *place) error { p.write(p.archive+"/a", nil); return os.Mkdir(p.module()+packedSuffix, 0o755) }, "file exists"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			if err := test.make(p); err != nil {
				t.Fatal(err)
			}
			if err := unpack(p.archive, p.module(), enough); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
