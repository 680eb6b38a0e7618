package env

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Op is the change that a file in an env folder makes to the variable it is named after: the part of the file's name
// after the first period.
type Op string

const (
	Override Op = "override"
	Append   Op = "append"
	Prepend  Op = "prepend"
	Default  Op = "default" // only if the variable is empty or not set
	// PrependPath is the meaning of a file without suffix before Buildpack API 0.5: prepend, with ":" when there is no
	// delimiter. "NAME." still has this meaning.
	PrependPath Op = ""

	delimSuffix = "delim"
)

// Files is an env folder: contents by file name.
type Files map[string]string

// Add adds the files of one change, in the form of every Buildpack API: NAME.OP, and NAME.delim unless delim is empty.
func (f Files) Add(name string, op Op, value, delim string) {
	f[name+"."+string(op)] = value
	if delim != "" {
		f[name+"."+delimSuffix] = delim
	}
}

// Names returns the file names in the order in which they apply.
func (f Files) Names() []string { return slices.Sorted(maps.Keys(f)) }

// ReadFiles reads an env folder. It returns no files when the folder does not exist. It leaves out subfolders, which
// belong to process types, and everything else that is no regular file or symlink to one.
func ReadFiles(dir string) (Files, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := Files{}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		// Why not entry.Type: buildpacks link to their own files. A fifo must not be opened: that would wait for a writer.
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if strings.ContainsRune(string(content), 0) {
			return nil, fmt.Errorf("%s: a variable cannot hold a NUL byte", path)
		}
		files[entry.Name()] = string(content)
	}
	return files, nil
}

// Apply makes the changes of an env folder. It uses contents verbatim: it trims no newline and expands nothing. bare is
// the change of a file without suffix; files with an unknown suffix do nothing.
func (e *Env) Apply(files Files, bare Op) {
	for _, file := range files.Names() {
		name, suffix, dotted := strings.Cut(file, ".")
		if name == "" || strings.Contains(name, "=") {
			continue
		}
		op := Op(suffix) // for "NAME." it is PrependPath, in any Buildpack API, as in the lifecycle (env.addEnvDir)
		if !dotted {
			op = bare
		}
		value := files[file]
		delim, hasDelim := files[name+"."+delimSuffix]
		switch op {
		case Override:
			e.Set(name, value)
		case Append:
			e.Append(name, value, delim)
		case Prepend:
			e.Prepend(name, value, delim)
		case Default:
			if e.Get(name) == "" {
				e.Set(name, value)
			}
		case PrependPath:
			if !hasDelim {
				delim = ":"
			}
			e.Prepend(name, value, delim)
		}
	}
}

// AddDir makes the changes of the env folder dir; see Apply.
func (e *Env) AddDir(dir string, bare Op) error {
	files, err := ReadFiles(dir)
	if err != nil {
		return err
	}
	e.Apply(files, bare)
	return nil
}
