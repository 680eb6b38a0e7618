package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
)

// deb is a package that a test makes.
type deb struct {
	name    string
	version string            // "1" when empty
	control string            // more fields, each with a line feed
	files   map[string]string // by path
	make    string            // a shell script that adds to the files, in the folder of them
	scripts map[string]string // postinst and its brothers
	size    string            // that the index says, in place of the truth
}

// repository serves packages to steps over HTTP, without a signature. It returns its folder and its address.
func repository(t *testing.T, debs ...deb) (dir, address string) {
	t.Helper()
	dir = t.TempDir()
	index := ""
	for _, d := range debs {
		index += d.build(t, dir)
	}
	release := "Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
	if err := os.WriteFile(filepath.Join(dir, "Packages"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	release += fmt.Sprintf(" %x %d Packages\n", sha256.Sum256([]byte(index)), len(index))
	if err := os.WriteFile(filepath.Join(dir, "Release"), []byte(release), 0o644); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.FileServer(http.Dir(dir)))
	server.Listener.Close()
	server.Listener = listenOutside(t)
	server.Start()
	t.Cleanup(server.Close)
	return dir, server.URL
}

// build makes the file of the package in a folder, and returns what the index says of it.
func (d deb) build(t *testing.T, dir string) (index string) {
	t.Helper()
	tree := t.TempDir()
	if err := os.Chmod(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@packages.example.com>\nDescription: a test\n%s",
		d.name, or(d.version, "1"), d.control)
	put := func(path, text string, mode os.FileMode) {
		path = filepath.Join(tree, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("DEBIAN/control", control, 0o644)
	for name, text := range d.scripts {
		put("DEBIAN/"+name, "#!/bin/sh\n"+text, 0o755)
	}
	for path, text := range d.files {
		put(path, text, 0o644)
	}
	if d.make != "" {
		must(t, "sh", "-euc", "cd "+tree+"\n"+d.make)
	}
	name := d.name + "_" + or(d.version, "1") + "_all.deb"
	file := filepath.Join(dir, name)
	must(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	size := or(d.size, fmt.Sprint(len(data)))
	return control + fmt.Sprintf("Filename: ./%s\nSize: %s\nSHA256: %x\n\n", name, size, sha256.Sum256(data))
}

// from is an installation of packages that the test makes, in Debian without other sources of packages.
func from(t *testing.T, names string, debs ...deb) installation {
	t.Helper()
	_, address := repository(t, debs...)
	image := offline(t)
	return installation{
		names: strings.Fields(names), image: &image, sources: map[string]string{"test.list": "deb [trusted=yes] " + address + "/ ./\n"},
	}
}

// offline is Debian without sources of packages.
func offline(t *testing.T) bk.State {
	t.Helper()
	return debian(t).File(bk.Rm("/etc/apt/sources.list"))
}
