package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// stepFiles collects what a step finds in step.SpecDir beside its spec.
type stepFiles struct {
	module *module.Module // whose scripts they are
	names  []string
	texts  [][]byte
}

// add puts a script's text into a file of that name, by which its messages show.
func (s *stepFiles) add(script *packfile.Script, name string) string {
	s.names = append(s.names, name)
	s.texts = append(s.texts, s.module.Text(script))
	return name
}

// addRecord adds what packfile-step needs to say why the step runs.
func (s *stepFiles) addRecord(r layerkey.Record) error {
	data, err := json.Marshal(r)
	s.names = append(s.names, step.RecordFile)
	s.texts = append(s.texts, data)
	return err
}

// script is a script for packfile-step.
func (s *stepFiles) script(script *packfile.Script, name string) *step.Script {
	if script == nil {
		return nil
	}
	return &step.Script{Shell: packfile.ScriptShell(s.module.Packfile, script), File: s.add(script, name), InLayer: script.InLayer}
}

// tree is the folder that is mounted at step.SpecDir, and the digest of what is in it.
func (s *stepFiles) tree(spec step.Spec, opts ...bk.ConstraintsOpt) (bk.State, string, error) {
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return bk.State{}, "", err
	}
	digester := sha256.New()
	digester.Write(data)
	action := bk.Mkfile("/"+step.SpecFile, 0o644, data)
	for i, name := range s.names {
		digester.Write(s.texts[i])
		action = action.Mkfile("/"+name, 0o755, s.texts[i])
	}
	return bk.Scratch().File(action, opts...), hex.EncodeToString(digester.Sum(nil)), nil
}

// setups are the setup scripts of the caches that a layer links.
func (l *layer) setups(files *stepFiles) []step.Setup {
	var setups []step.Setup
	for _, k := range l.links {
		if k.cache != nil && k.cache.Setup != nil {
			setups = append(setups, step.Setup{
				CacheDir: l.module.LayerDir(k.Name),
				Script:   *files.script(k.cache.Setup, k.Name+".setup"),
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
			value, err := v.Render(l.dir(), step.AppDir, target(b.in.Platform))
			if err != nil {
				return nil, l.inLayer(err)
			}
			files = append(files, step.EnvFile{Dir: list.dir, Name: v.Name, Value: value, Op: v.Op, Delim: v.Delim})
		}
	}
	return files, nil
}
