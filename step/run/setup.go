package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/step"
)

// setupMarker is the file in a cache with the digest of the setup script that ran there.
const setupMarker = ".packfile-setup"

// setUp does the part of a run step before its script gets its secrets: it says why the step runs, and sets up caches.
func (f *filler) setUp() error {
	past := f.openHistory()
	defer past.close()
	past.sayWhy(f.spec.Layer)
	return f.setUpCaches()
}

// setUpCaches empties caches that are new or whose setup script has changed, and runs their setup scripts. The first
// layer that links a cache sets it up for all, so the script sees the user's environment and nothing of this layer.
// Caches are locked while a step has them.
func (f *filler) setUpCaches() error {
	for _, setup := range f.task.Setups {
		if err := f.setUpCache(setup); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) setUpCache(setup step.Setup) error {
	what := fmt.Sprintf("setup script of cache %q", f.cacheName(setup.CacheDir))
	want, err := f.setupDigest(setup.Script)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	marker := filepath.Join(setup.CacheDir, setupMarker)
	if readMarker(marker) == want {
		return nil
	}
	// The script starts from an empty cache, and must run again if it fails or is stopped, whatever it changed.
	if err := os.RemoveAll(marker); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := removeContent(setup.CacheDir); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	e := f.userEnv()
	e.Set("APP", f.setupApp)
	e.Set("CACHE", setup.CacheDir)
	if err := f.complete(e); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := f.execute(what, setup.Script, f.setupApp, e); err != nil {
		return err
	}
	next := marker + ".next"
	if err := os.RemoveAll(next); err != nil { // the script may have put anything there
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := os.WriteFile(next, []byte(want), 0o644); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return os.Rename(next, marker)
}

// cacheName returns the name of the cache that is mounted at dir.
func (f *filler) cacheName(dir string) string {
	for _, link := range f.sees.Links {
		if link.Cache && link.Dir == dir {
			return link.Name
		}
	}
	return dir
}

// setupDigest returns the content of the marker: the SHA-256 of shell and text of the script.
func (f *filler) setupDigest(script step.Script) (string, error) {
	text, err := os.ReadFile(filepath.Join(f.input, script.File))
	if err != nil {
		return "", err
	}
	digester := digest.Canonical.Digester()
	if err := json.NewEncoder(digester.Hash()).Encode(script.Shell); err != nil {
		return "", err
	}
	digester.Hash().Write(text)
	return digester.Digest().Encoded() + "\n", nil
}

// readMarker returns the content of a marker, "" when there is no valid marker. The cache belongs to scripts, so anything
// can be there.
func readMarker(path string) string {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	content := make([]byte, 2*digest.Canonical.Size()+2) // one byte more than a marker has
	n, err := f.Read(content)
	if err != nil {
		return ""
	}
	return string(content[:n])
}
