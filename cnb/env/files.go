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

// Op is what a file in an env folder does to the variable it is named after: the part of its name behind the first
// period.
type Op string

const (
	Override Op = "override"
	Append   Op = "append"
	Prepend  Op = "prepend"
	Default  Op = "default" // only if the variable is empty or not set
	// PrependPath is what a file without suffix meant before Buildpack API 0.5: prepend, with ":" when no delimiter is
	// given. "NAME." means it still.
	PrependPath Op = ""

	delimSuffix = "delim"
)

// Files is an env folder: contents by file name.
type Files map[string]string

// Add adds the files of one change, as a layer of any Buildpack API keeps it: NAME.OP, and NAME.delim unless delim is
// empty.
func (f Files) Add(name string, op Op, value, delim string) {
	f[name+"."+string(op)] = value
	if delim != "" {
		f[name+"."+delimSuffix] = delim
	}
}

// Names returns the file names in the order in which they apply.
func (f Files) Names() []string { return slices.Sorted(maps.Keys(f)) }

// ReadFiles reads an env folder. Of a folder that does not exist there are no files; subfolders belong to process types
// and are left out, like everything else that is no regular file or symlink to one.
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
		// Not entry.Type: buildpacks link to files of their own. A fifo must not be opened, it would wait for a writer.
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

// Apply makes the changes of an env folder. Contents count verbatim: no newline is trimmed, nothing is expanded. bare is
// what a file without suffix does; files with an unknown suffix do nothing.
func (e *Env) Apply(files Files, bare Op) {
	for _, file := range files.Names() {
		name, suffix, dotted := strings.Cut(file, ".")
		if name == "" || strings.Contains(name, "=") {
			continue
		}
		op := Op(suffix) // of "NAME." that is PrependPath, in any Buildpack API, as the lifecycle has it (env.addEnvDir)
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
