// Package testbed holds what the end-to-end tests and the benchmarks build with: daemons, registries and the proxies before them,
// folders of apps, packfiles, the progress of a build, and images in a registry. It knows the frontend only as an image that
// somebody names. It asserts nothing: its functions return errors, and their callers say what is right.
package testbed

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteFile writes a file of a project, and the folders that lead to it.
func WriteFile(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// root returns the folder of this repository. It looks upwards from the working directory.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack/daemon.sh")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no hack/daemon.sh in this folder or above it")
		}
		dir = parent
	}
}
