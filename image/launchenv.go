package image

import (
	"path"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Folders beside the layers of a module, with the variables that the launcher gives processes. The launcher reads all folders
// there in the order of their names (CNB Buildpack API, "Launch Environment"). These names come behind those of all layers, which
// begin with a letter, a digit or an underscore: config.env changes what layers leave.
const (
	moduleEnvDir = "~env"
	rootEnvDir   = "~env.app" // of the packfile being built, behind the layers of the last module
)

// launchEnv returns the files by which the launcher gives processes the variables of config.env, by path.
//
// Why not the Env of the image's config: every launch variable of a layer would win over it, it can neither add to what layers
// leave nor differ between processes, and a rebase could not tell it from the run image's.
//
// It fails when a variable needs a build argument that is not given.
func (s assembly) launchEnv() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, m := range s.speakers() {
		if len(m.Packfile.Config.Env) == 0 {
			continue
		}
		dir := m.LayerDir(moduleEnvDir)
		if m == s.Root { // it has variables, so it takes part, and there is a last module
			dir = s.Modules[len(s.Modules)-1].LayerDir(rootEnvDir)
		}
		folders := map[string]env.Files{}
		for i := range m.Packfile.Config.Env {
			v := &m.Packfile.Config.Env[i]
			value, err := v.Render("", step.AppDir, container.Target(s.Platform), m.ConfigArgs(s.Args))
			if err != nil {
				return nil, m.Unrendered(s.Root.Filename, s.Args, err)
			}
			folder := path.Join(dir, "env.launch", v.Process)
			if folders[folder] == nil {
				folders[folder] = env.Files{}
			}
			folders[folder].Add(v.Name, env.Op(v.Op), value, v.Delim)
		}
		for folder, all := range folders {
			for name, content := range all {
				files[path.Join(folder, name)] = []byte(content)
			}
		}
	}
	return files, nil
}

// UnusedVar is a variable for a process type that the image does not have.
type UnusedVar struct {
	Module *module.Module
	Var    *packfile.LaunchVar
}

// UnusedVars returns the variables of config.env that no process of the image has.
func (img *Image) UnusedVars() (unused []UnusedVar) {
	if img.made.TargetLayer != nil {
		return nil
	}
	types := map[string]bool{"": true}
	for _, p := range img.made.metadata().Processes {
		types[p.Type] = true
	}
	for _, m := range img.made.speakers() {
		for i := range m.Packfile.Config.Env {
			if v := &m.Packfile.Config.Env[i]; !types[v.Process] {
				unused = append(unused, UnusedVar{m, v})
			}
		}
	}
	return unused
}
