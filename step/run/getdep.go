package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// getDep runs the program get-dep NAME [VERSION]: it returns the path of a dep's file or folder and records the dep in the layer's
// metadata, so that the SBOM has it.
func (c container) getDep(args []string) (path string, err error) {
	if len(args) < 1 || len(args) > 2 {
		return "", errors.New("usage: get-dep NAME [VERSION]")
	}
	spec, err := c.load()
	if err != nil {
		return "", err
	}
	// The setup script of a cache has no $MD: it is no part of a layer.
	if _, err := os.Stat(c.metadata()); err != nil {
		return "", errors.New("it works only in scripts that have $MD")
	}
	task, ok := spec.Task.(step.Run)
	if !ok {
		return "", fmt.Errorf("it works only in run scripts: a %s script has no deps", spec.Task.Kind())
	}
	dep, err := c.chooseDep(task.Deps, args[0], args[1:])
	if err != nil {
		return "", err
	}
	if dep.File == "" {
		return "", notFetched(task.Deps, dep)
	}
	record := metadata.Table{"name": dep.Name, "version": dep.Version, "uri": dep.URI}
	if !dep.IsFolder() {
		record["sha"] = dep.SHA
	}
	for key, value := range map[string]string{
		"image": dep.Image, "platform": dep.Platform, "digest": dep.Digest, "commit": dep.Commit,
	} {
		if value != "" {
			record[key] = value
		}
	}
	if len(dep.Metadata) > 0 {
		record["metadata"] = dep.Metadata
	}
	if err := writeMetadata(c.metadata(), metadata.Table{"deps": metadata.Table{dep.ID(): record}}); err != nil {
		return "", err
	}
	return dep.File, nil
}

// chooseDep returns the dep with a name and the given version; without a version the one with the layer's version, else
// the only one of that name.
func (c container) chooseDep(deps []step.Dep, name string, version []string) (step.Dep, error) {
	named := depsNamed(deps, name)
	if len(named) == 0 {
		return step.Dep{}, unknownDep(deps, name)
	}
	if len(version) > 0 {
		if version[0] == "" {
			return step.Dep{}, errors.New("VERSION is empty")
		}
		if dep, ok := ofVersion(named, version[0]); ok {
			return dep, nil
		}
		return step.Dep{}, fmt.Errorf("there is no %s of version %s, only of %s", name, version[0], versions(named))
	}
	layer, err := readValue(filepath.Join(c.metadata(), "version"))
	if err != nil {
		return step.Dep{}, err
	}
	if dep, ok := ofVersion(named, layer); ok {
		return dep, nil
	}
	if len(named) == 1 {
		return named[0], nil
	}
	return step.Dep{}, fmt.Errorf("there are several versions of %s (%s), and none is the layer's version (%s): say get-dep %s VERSION",
		name, versions(named), describe(layer), name)
}

func depsNamed(deps []step.Dep, name string) []step.Dep {
	var named []step.Dep
	for _, dep := range deps {
		if dep.Name == name {
			named = append(named, dep)
		}
	}
	return named
}

func ofVersion(deps []step.Dep, version string) (step.Dep, bool) {
	for _, dep := range deps {
		if dep.Version == version {
			return dep, true
		}
	}
	return step.Dep{}, false
}

// notFetched returns an error that says why a dep of the packfile is not there.
func notFetched(deps []step.Dep, dep step.Dep) error {
	for _, other := range depsNamed(deps, dep.Name) {
		if other.File != "" {
			return fmt.Errorf("%s was not fetched: only %s was, because it is the layer's version", dep.ID(), other.ID())
		}
	}
	return fmt.Errorf("%s was not fetched", dep.ID())
}

func unknownDep(deps []step.Dep, name string) error {
	if len(deps) == 0 {
		return fmt.Errorf("there is no dependency %q: this layer declares none", name)
	}
	var names []string
	for i, dep := range deps {
		if len(depsNamed(deps[:i], dep.Name)) == 0 {
			names = append(names, dep.Name)
		}
	}
	return fmt.Errorf("there is no dependency %q: this layer declares %s", name, strings.Join(names, ", "))
}

func versions(deps []step.Dep) string {
	list := make([]string, len(deps))
	for i, dep := range deps {
		list[i] = describe(dep.Version)
	}
	return strings.Join(list, ", ")
}

func describe(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
