package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/packfile/frontend/internal/testbed"
)

// config is the [config] of a project, by pairs of key and value beside its images.
func config(pairs ...any) testbed.Part {
	return testbed.Config(append([]any{"shell", "/bin/sh -e", "build-image", "@BUILD@", "run-image", "@IMAGE@"}, pairs...)...)
}

// project makes a folder of its own for each of the given frontends, with the same files in each. A @RUN@, @BUILD@ or
// @IMAGE@ in them is an id that no other folder has, the image that steps run in and the one that the app is put on;
// @STEP@ begins a script.
func (b *bench) project(name string, kinds []frontend, files map[string]string) (map[frontend]string, error) {
	dirs := map[frontend]string{}
	for _, f := range kinds {
		replace := strings.NewReplacer("@RUN@", fmt.Sprintf("%s-%s-%s", b.id, name, f),
			"@BUILD@", b.images.build, "@IMAGE@", b.images.run, "@STEP@", "echo "+stepMark)
		dirs[f] = filepath.Join(b.tmp, name+"-"+f.String())
		for path, text := range files {
			if err := testbed.WriteFile(dirs[f], path, []byte(replace.Replace(text))); err != nil {
				return nil, err
			}
		}
	}
	return dirs, nil
}
