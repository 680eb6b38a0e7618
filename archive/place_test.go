package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/packfile/frontend/layer"
)

// entry is one of a tar archive. Without a type it is a folder if its name ends in "/", a symlink if it has a link, else a file.
type entry struct {
	name, content, link string
	kind                byte
	mode                int64
	records             map[string]string // PAX
}

// tarOf is a tar archive of these entries.
func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode, Size: int64(len(e.content)), PAXRecords: e.records,
			Uid: 1234, Gid: 1234, Uname: "joe",
		}
		switch {
		case e.kind == tar.TypeXGlobalHeader:
			h = &tar.Header{Name: e.name, Typeflag: e.kind, PAXRecords: e.records}
		case e.kind != 0:
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		case e.link != "":
			h.Typeflag = tar.TypeSymlink
		default:
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// enough are limits for archives of tests.
var enough = limits{bytes: 1 << 20, entries: 100}

// place is where an archive is unpacked, with other things around it.
type place struct {
	t                  testing.TB
	root, archive, out string
}

const canary = "outside of the archive"

func newPlace(t testing.TB) *place {
	syscall.Umask(0o022) // as main does
	root := t.TempDir()
	p := &place{t: t, root: root, archive: filepath.Join(root, "archive"), out: filepath.Join(root, "out")}
	for _, dir := range []string{p.archive, p.out, filepath.Join(root, "outside")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.write(filepath.Join(root, "outside", "file"), []byte(canary))
	return p
}

func (p *place) write(path string, data []byte) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) module() string { return filepath.Join(p.out, "module") }

// unpack unpacks what is in p.archive. Whatever that is, nothing outside of p.out changes, and what is made of it leads
// nowhere else.
func (p *place) unpack(most limits) error {
	p.t.Helper()
	err := unpack(p.archive, p.module(), most)
	p.isIntact()
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(p.out); err != nil || len(entries) != 1 || entries[0].Name() != "module" {
		p.t.Errorf("the output has %v: %v", entries, err)
	}
	p.checkModule()
	return nil
}

// checkModule checks that a module can be digested, and that its symlinks lead nowhere else.
func (p *place) checkModule() {
	p.t.Helper()
	if _, err := layer.DigestTree(p.module(), 0); err != nil {
		p.t.Errorf("what was unpacked cannot be used: %v", err)
	}
	err := fs.WalkDir(os.DirFS(p.module()), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type()&fs.ModeSymlink != 0 && escapes(p.module(), path) {
			p.t.Errorf("%q leads out", path)
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}

// escapes says whether a path leads out of root, as the kernel follows it, or as it would if what is missing were folders.
func escapes(root, path string) bool {
	at, rest := []string{}, strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return true
			}
			at = at[:len(at)-1]
			continue
		}
		target, err := os.Readlink(filepath.Join(root, filepath.Join(at...), element))
		if err != nil {
			at = append(at, element)
			continue
		}
		if filepath.IsAbs(target) {
			return true
		}
		if links++; links > 40 {
			return false // the kernel gives up, too
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return false
}

// isIntact checks what is around the output.
func (p *place) isIntact() {
	p.t.Helper()
	for dir, want := range map[string]string{"": "archive out outside", "outside": "file"} {
		entries, err := os.ReadDir(filepath.Join(p.root, dir))
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			p.t.Errorf("there is %q around the output: %v", got, err)
		}
	}
	path := filepath.Join(p.root, "outside", "file")
	info, err := os.Lstat(path)
	if data, readErr := os.ReadFile(path); err != nil || readErr != nil || string(data) != canary || info.Mode() != 0o644 {
		p.t.Errorf("a file outside of the output is now %v %q: %v %v", info, data, err, readErr)
	}
}

// unpackFileOf unpacks an archive file.
func unpackFileOf(t testing.TB, data []byte, most limits) (*place, error) {
	t.Helper()
	p := newPlace(t)
	p.write(filepath.Join(p.archive, "npm.tgz"), data)
	return p, p.unpack(most)
}

// list is a line for everything below dir: mode, links, time, path and content or target.
func list(t testing.TB, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		line := fmt.Sprintf("%v %d %s", info.Mode(), info.ModTime().UnixNano(), rel)
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", data)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " -> " + target
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// files is list without modes and times, and without folders.
func files(t testing.TB, dir string) (lines []string) {
	t.Helper()
	for _, line := range list(t, dir) {
		if !strings.HasPrefix(line, "d") {
			lines = append(lines, strings.SplitN(line, " ", 3)[2])
		}
	}
	return lines
}
