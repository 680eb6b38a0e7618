package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/env"
)

// buildpackLayers is a buildpack with the folders of its layers, in ascending order.
type buildpackLayers struct {
	api  api.Version
	dirs []string
}

// layerDirs finds the layers of all buildpacks, in group order.
func (l *launcher) layerDirs() ([]buildpackLayers, error) {
	var all []buildpackLayers
	for _, bp := range l.metadata.Buildpacks {
		layers := buildpackLayers{api: l.apis[bp.ID]}
		entries, err := readDir(filepath.Join(l.layers, EscapeID(bp.ID)))
		if err != nil {
			return nil, fmt.Errorf("layers of buildpack %s: %w", bp.ID, err)
		}
		for _, path := range entries {
			// A symlink to a folder is no layer: each layer is exported by itself.
			if info, err := os.Lstat(path); err == nil && info.IsDir() {
				layers.dirs = append(layers.dirs, path)
			}
		}
		all = append(all, layers)
	}
	return all, nil
}

// addLayers changes the environment by the layers of each buildpack in turn: first the folders of all its layers, then
// their env files. Within a buildpack the paths of the last layer come first, as with the lifecycle.
func (l *launcher) addLayers(all []buildpackLayers, kind string) error {
	for _, bp := range all {
		bare := env.Override
		if !bp.api.AtLeast(buildpackExecD) {
			bare = env.PrependPath
		}
		for _, dir := range bp.dirs {
			l.env.AddFolders(dir, env.LaunchFolders)
		}
		for _, dir := range bp.dirs {
			for _, sub := range withKind([]string{"env", "env.launch"}, kind) {
				if err := l.env.AddDir(filepath.Join(dir, sub), bare); err != nil {
					return fmt.Errorf("environment of layer %s: %w", dir, err)
				}
			}
		}
	}
	return nil
}

// withKind returns folders, and for a process type also that type's subfolder of the last one.
func withKind(folders []string, kind string) []string {
	if kind == "" {
		return folders
	}
	return append(folders, filepath.Join(folders[len(folders)-1], kind))
}

// filesOf lists the files, in order, that all layers have in folder and, for a process type, in its subfolder. want
// says whether a buildpack's Buildpack API has such a folder.
func filesOf(all []buildpackLayers, folder, kind string, want func(api.Version) bool) ([]string, error) {
	var files []string
	for _, bp := range all {
		if !want(bp.api) {
			continue
		}
		for _, dir := range bp.dirs {
			for _, sub := range withKind([]string{folder}, kind) {
				entries, err := readDir(filepath.Join(dir, sub))
				if err != nil {
					return nil, err
				}
				for _, path := range entries {
					if info, err := os.Stat(path); err != nil {
						return nil, err
					} else if !info.IsDir() {
						files = append(files, path)
					}
				}
			}
		}
	}
	return files, nil
}

// readDir lists the paths in a folder by name. A folder that does not exist is empty.
func readDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(entries))
	for i, entry := range entries {
		paths[i] = filepath.Join(dir, entry.Name())
	}
	return paths, nil
}
