package container

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Files collects the files that a step finds in step.SpecDir beside its spec.
type Files struct {
	Module *module.Module // whose scripts they are

	names []string
	texts [][]byte
}

// Add puts a script's text into a file of that name, which the script's messages show. It returns the name.
func (s *Files) Add(script *packfile.Script, name string) string {
	s.AddText(name, s.Module.Text(script))
	return name
}

// AddRecord adds the record from which packfile-step says why the step runs.
func (s *Files) AddRecord(r layerkey.Record) error {
	data, err := json.Marshal(r)
	s.AddText(step.RecordFile, data)
	return err
}

// AddText adds a file.
func (s *Files) AddText(name string, text []byte) {
	s.names = append(s.names, name)
	s.texts = append(s.texts, text)
}

// Script adds a script and returns it for packfile-step; nil for nil.
func (s *Files) Script(script *packfile.Script, name string) *step.Script {
	if script == nil {
		return nil
	}
	return &step.Script{Shell: packfile.ScriptShell(s.Module.Packfile, script), File: s.Add(script, name), InLayer: script.InLayer}
}

// callApt reports whether one of the files is a script that calls apt in a way that takes root.
func (s *Files) callApt() bool {
	return slices.ContainsFunc(s.texts, func(text []byte) bool {
		calls, _ := packfile.CallsApt(text)
		return calls
	})
}

// tree returns the folder that is mounted at step.SpecDir, and the digest of its content.
func (s *Files) tree(spec step.Spec, opts ...bk.ConstraintsOpt) (bk.State, string, error) {
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
