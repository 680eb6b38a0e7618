package image

import (
	"path"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// Test is a test of an image.
type Test struct {
	Module *module.Module // whose test it is
	Test   *packfile.ImageTest
	Name   string // with the id of a module that is not the packfile being built
}

// Tests returns the tests of the modules that take part, in group order, and last those of the packfile being built. It fails when
// one runs a process that the image does not have.
func Tests(d *graph.Decisions) (tests []Test, err error) {
	s := assembly{Steps: graph.Steps{Decisions: d}}
	var types []string
	for _, p := range s.metadata().Processes {
		types = append(types, p.Type)
	}
	for _, m := range s.speakers() {
		var unknown []node.Diagnostic
		for i := range m.Packfile.Tests {
			t := Test{Module: m, Test: &m.Packfile.Tests[i], Name: m.Packfile.Tests[i].Name}
			if m != s.Root {
				t.Name = m.ID() + "/" + t.Name
			}
			if d := t.Test.UnknownProcess(types); d != nil {
				unknown = append(unknown, *d)
			}
			tests = append(tests, t)
		}
		if unknown != nil {
			return nil, &node.Error{Filename: m.Filename, Diagnostics: unknown}
		}
	}
	return tests, nil
}

// Ask returns the step that runs a test of a finished image. The container has the image's own config: its user, its environment, its
// working directory.
func (t Test) Ask(d *graph.Decisions, files bk.State, config *dockerspec.DockerOCIImage) (bk.State, error) {
	pf := t.Test
	task := step.TestImage{
		Name: t.Name, Dir: config.Config.WorkingDir, User: config.Config.User, ExitCode: pf.ExitCode,
		Stdout: content(pf.Stdout), Stderr: content(pf.Stderr),
	}
	switch {
	case pf.Process != "":
		task.Words = append([]string{path.Join(processDir, pf.Process)}, pf.Args...)
	case pf.Direct:
		task.Words = append([]string{LauncherPath, "--"}, pf.Command...)
	case pf.Command != nil:
		task.Words = append([]string{LauncherPath}, pf.Command...)
	}
	if pf.Runs() {
		task.Timeout = pf.Timeout.Milliseconds()
		task.Env = environment(config.Config.Env, pf.Env)
	}
	for _, f := range pf.Files {
		task.Files = append(task.Files, step.FileTest{
			Path: inApp(f.Path), Absent: !f.Exists, Type: f.Type, Mode: f.Mode, Owner: f.Owner, Content: content(f.Content),
		})
	}
	return d.TestImage(container.ImageTest{
		Task: task, Image: files, ReadOnly: pf.ReadOnly, Network: pf.Network, At: t.Module.At(pf.Range()), Name: t.Name,
		NoCache: d.NoCache(t.Name),
	})
}

// inApp returns an absolute path of the image. A relative one begins in the app's folder.
func inApp(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(step.AppDir, name)
}

// content returns a condition as a step is told it; nil for nil.
func content(c *packfile.Content) *step.Text {
	if c == nil {
		return nil
	}
	text := &step.Text{Contains: c.Contains, Matches: c.Matches}
	if c.Has("equal") {
		text.Equal = &c.Equal
	}
	return text
}

// environment returns the variables of a container of the image, with those of a test in place of the image's.
func environment(image []string, own []packfile.TestVar) (vars []step.Variable) {
	values := map[string]string{}
	for _, v := range own {
		values[v.Name] = v.Value
	}
	for _, kv := range image {
		name, value, _ := strings.Cut(kv, "=")
		if own, ok := values[name]; ok {
			value = own
			delete(values, name)
		}
		vars = append(vars, step.Variable{Name: name, Value: value})
	}
	for _, v := range own {
		if _, left := values[v.Name]; left {
			vars = append(vars, step.Variable(v))
		}
	}
	return vars
}
