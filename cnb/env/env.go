// Package env has the rules by which folders and files of Cloud Native Buildpacks layers change environment variables, at
// build time (packfile-step) and at launch time (launcher). Its callers choose the order of layers.
//
// Rules: buildpack specification, "Environment" and "Environment Variable Modification Rules"; platform specification,
// "Buildpack Environment". Where they are silent it does as the lifecycle.
package env

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Env is an environment under construction.
type Env struct {
	vars map[string]string
}

// New returns the environment of environ (NAME=value, as from os.Environ). When a name comes twice, the last value
// counts.
func New(environ []string) *Env {
	e := &Env{vars: map[string]string{}}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			e.vars[name] = value
		}
	}
	return e
}

// Get returns the value of a variable, "" when it is not set.
func (e *Env) Get(name string) string { return e.vars[name] }

// Has reports whether a variable is set, if only to "".
func (e *Env) Has(name string) bool {
	_, ok := e.vars[name]
	return ok
}

// Set sets a variable.
func (e *Env) Set(name, value string) { e.vars[name] = value }

// Unset removes a variable.
func (e *Env) Unset(name string) { delete(e.vars, name) }

// Prepend puts value before the variable's value, with delim between them unless the variable is empty.
func (e *Env) Prepend(name, value, delim string) {
	if old := e.vars[name]; old != "" {
		value += delim + old
	}
	e.vars[name] = value
}

// Append puts value after the variable's value, with delim between them unless the variable is empty.
func (e *Env) Append(name, value, delim string) {
	if old := e.vars[name]; old != "" {
		value = old + delim + value
	}
	e.vars[name] = value
}

// List returns the environment as NAME=value, sorted by name.
func (e *Env) List() []string {
	list := make([]string, 0, len(e.vars))
	for _, name := range slices.Sorted(maps.Keys(e.vars)) {
		list = append(list, name+"="+e.vars[name])
	}
	return list
}

// Folder is a folder of a layer whose path goes to the front of variables.
type Folder struct {
	Name string
	Vars []string
}

// Folders of a layer that count while building and at launch: buildpack specification, "Layer Paths".
var (
	BuildFolders = []Folder{
		{"bin", []string{"PATH"}},
		{"lib", []string{"LD_LIBRARY_PATH", "LIBRARY_PATH"}},
		{"include", []string{"CPATH"}},
		{"pkgconfig", []string{"PKG_CONFIG_PATH"}},
	}
	LaunchFolders = []Folder{
		{"bin", []string{"PATH"}},
		{"lib", []string{"LD_LIBRARY_PATH"}},
	}
)

// AddFolders prepends those of the folders that exist in layer, an absolute path.
func (e *Env) AddFolders(layer string, folders []Folder) {
	for _, f := range folders {
		path := filepath.Join(layer, f.Name)
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			continue
		}
		for _, name := range f.Vars {
			e.Prepend(name, path, ":")
		}
	}
}

// AddPlatform adds a variable of the build's user: it goes in front of the paths of a path variable, and overrides any
// other variable (platform specification, "User-Provided Variables").
func (e *Env) AddPlatform(name, value string) {
	if IsPath(name) {
		e.Prepend(name, value, ":")
		return
	}
	e.Set(name, value)
}

// IsPath reports whether a variable holds paths to which layers add folders at build time.
func IsPath(name string) bool {
	return slices.ContainsFunc(BuildFolders, func(f Folder) bool { return slices.Contains(f.Vars, name) })
}
