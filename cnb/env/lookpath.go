package env

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// LookPath returns the absolute path of a program in this environment, which need not be that of the calling process. A
// name with a slash is a path from dir. LookPath looks for any other name in the folders of PATH; relative ones start at
// dir too. The error is fs.ErrNotExist, or fs.ErrPermission for a file that exists and cannot be executed.
func (e *Env) LookPath(name, dir string) (string, error) {
	if strings.Contains(name, "/") {
		path := from(dir, name)
		return path, executable(path)
	}
	if name == "" {
		return "", fs.ErrNotExist
	}
	result := fs.ErrNotExist
	for _, folder := range filepath.SplitList(e.Get("PATH")) {
		path := from(dir, filepath.Join(folder, name))
		switch err := executable(path); err {
		case nil:
			return path, nil
		case fs.ErrPermission:
			result = err
		}
	}
	return "", result
}

func from(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fs.ErrNotExist
	}
	const mayExecute = 1 // X_OK of access(2)
	if info.IsDir() || syscall.Access(path, mayExecute) != nil {
		return fs.ErrPermission
	}
	return nil
}
