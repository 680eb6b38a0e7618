package convert

import (
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// setups are the setup scripts of the caches that a layer links.
func (l *layer) setups(files *container.Files) []step.Setup {
	var setups []step.Setup
	for _, k := range l.links {
		if k.cache != nil && k.cache.Setup != nil {
			setups = append(setups, step.Setup{
				CacheDir: l.module.LayerDir(k.Name),
				Script:   *files.Script(k.cache.Setup, k.Name+".setup"),
			})
		}
	}
	return setups
}

// envFiles renders the layer's own environment.
func (b *Build) envFiles(l *layer) ([]step.EnvFile, error) {
	var files []step.EnvFile
	for _, list := range []struct {
		dir  string
		vars []packfile.EnvVar
	}{{"env", l.Provide.Env.Both}, {"env.build", l.Provide.Env.Build}, {"env.launch", l.Provide.Env.Launch}} {
		for _, v := range list.vars {
			value, err := v.Render(l.dir(), step.AppDir, container.Target(b.in.Platform))
			if err != nil {
				return nil, l.inLayer(err)
			}
			files = append(files, step.EnvFile{Dir: list.dir, Name: v.Name, Value: value, Op: v.Op, Delim: v.Delim})
		}
	}
	return files, nil
}
