package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/step"
)

// envFiles returns a layer's own environment: env folders by name.
func envFiles(list []step.EnvFile) map[string]env.Files {
	folders := map[string]env.Files{}
	for _, file := range list {
		if folders[file.Dir] == nil {
			folders[file.Dir] = env.Files{}
		}
		folders[file.Dir].Add(file.Name, env.Op(file.Op), file.Value, file.Delim)
	}
	return folders
}

// addLayerFiles adds to LAYER the env files and profile scripts of the packfile. They replace files of the same name that
// the script made.
func (f *filler) addLayerFiles() error {
	root, err := os.OpenRoot(f.layerDir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, dir := range []string{"env", "env.build", "env.launch"} {
		files := envFiles(f.env)[dir]
		for _, name := range files.Names() {
			if err := addLayerFile(root, dir, name, []byte(files[name])); err != nil {
				return err
			}
		}
	}
	// Enough digits that the names sort as in the packfile.
	width := max(2, len(strconv.Itoa(len(f.task.Profile)-1)))
	for i, file := range f.task.Profile {
		content, err := os.ReadFile(filepath.Join(f.input, file))
		if err != nil {
			return err
		}
		if err := addLayerFile(root, "profile.d", fmt.Sprintf("%0*d.sh", width, i), content); err != nil {
			return err
		}
	}
	return nil
}

// addLayerFile writes a file into a folder of LAYER. The script may have put anything there: root keeps us inside LAYER,
// and we follow no symlink within it either, or the content would get into another file.
func addLayerFile(root *os.Root, dir, name string, content []byte) error {
	switch info, err := root.Lstat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		if err := root.Mkdir(dir, 0o755); err != nil {
			return err
		}
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("the run script made $LAYER/%s, which is not a folder; %s has to go there", dir, name)
	}
	file := path.Join(dir, name)
	if err := root.RemoveAll(file); err != nil {
		return err
	}
	f, err := root.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
