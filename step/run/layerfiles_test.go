package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/step"
)

// layerDir is where a run step leaves its layer.
const layerDir = step.SealedDir + step.LayersDir + "/app/modules"

// files lists contents of all files below LAYER.
func (b *box) files() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	b.must(filepath.Walk(b.path(layerDir), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		rel, err := filepath.Rel(b.path(layerDir), path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		all[fmt.Sprintf("%s %04o", rel, info.Mode().Perm())] = string(data)
		return err
	}))
	return all
}

func TestEnvironmentAndProfileAreAddedToTheLayer(t *testing.T) {
	b := newBox(t, step.KindRun).script(`mkdir $LAYER/env; echo mine > $LAYER/env/MINE; echo mine > $LAYER/env/A.override; mkdir $LAYER/env/C.default`)
	b.spec.Env = []step.EnvFile{
		{Dir: "env", Name: "A", Op: "override", Value: "a"},
		{Dir: "env", Name: "C", Op: "default", Value: "c"},
		{Dir: "env.build", Name: "A", Op: "prepend", Value: "b", Delim: ":"},
		{Dir: "env.launch", Name: "A", Op: "append", Value: "line\n"},
	}
	b.write(step.SpecDir+"/profile-a", "export A=1")
	b.write(step.SpecDir+"/profile-b", "export B=1")
	b.spec.Profile = []string{"profile-b", "profile-a"}
	b.succeed()
	want := map[string]string{
		"env/MINE 0644": "mine\n", "env/A.override 0644": "a", "env/C.default 0644": "c",
		"env.build/A.prepend 0644": "b", "env.build/A.delim 0644": ":", "env.launch/A.append 0644": "line\n",
		"profile.d/00.sh 0644": "export B=1", "profile.d/01.sh 0644": "export A=1",
	}
	if diff := cmp.Diff(want, b.files()); diff != "" {
		t.Error(diff)
	}
}

func TestManyProfileScriptsStayInOrder(t *testing.T) {
	b := newBox(t, step.KindRun)
	b.write(step.SpecDir+"/profile", "")
	b.spec.Profile = make([]string, 101)
	for i := range b.spec.Profile {
		b.spec.Profile[i] = "profile"
	}
	b.succeed()
	entries, err := os.ReadDir(b.path(layerDir + "/profile.d"))
	b.must(err)
	if first, last := entries[0].Name(), entries[100].Name(); first != "000.sh" || last != "100.sh" {
		t.Errorf("from %s to %s", first, last)
	}
}

func TestLinksThatTheScriptPlantedAreNotFollowed(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"a folder that leads out of the layer", `ln -s $APP $LAYER/env`, "the run script made $LAYER/env, which is not a folder"},
		{"a folder that leads to another", `mkdir $LAYER/bin; ln -s bin $LAYER/env`, "the run script made $LAYER/env, which is not a folder"},
		{"a file in place of the folder", `touch $LAYER/env`, "the run script made $LAYER/env, which is not a folder"},
		{"the folder of profile scripts", `ln -s ../../../workspace $LAYER/profile.d`, "the run script made $LAYER/profile.d, which is not a folder"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newPlanted(t, test.script)
			b.fail(1, test.want)
			b.untouched()
		})
	}
	for _, test := range []struct{ name, script string }{
		{"a file that leads out of the layer", `mkdir $LAYER/env; ln -s $APP/precious $LAYER/env/A.override`},
		{"a file that leads to another", `mkdir $LAYER/env; echo precious > $LAYER/own; ln -s ../own $LAYER/env/A.override`},
		{"a file that another name leads to", `mkdir $LAYER/env; ln $APP/precious $LAYER/env/A.override`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newPlanted(t, test.script)
			b.succeed()
			b.untouched()
			if got := b.read(layerDir + "/env/A.override"); got != "x" {
				t.Errorf("the file holds %q", got)
			}
			if b.exists(layerDir+"/own") && !strings.HasPrefix(b.read(layerDir+"/own"), "precious") {
				t.Error("a link within the layer was followed")
			}
		})
	}
}

func newPlanted(t *testing.T, script string) *box {
	b := newBox(t, step.KindRun).script(script)
	b.write(step.AppDir+"/precious", "precious")
	b.write(step.SpecDir+"/profile", "")
	b.spec.Profile = []string{"profile"}
	b.spec.Env = []step.EnvFile{{Dir: "env", Name: "A", Op: "override", Value: "x"}}
	return b
}

// untouched checks that the app is as it was.
func (b *box) untouched() {
	b.t.Helper()
	entries, err := os.ReadDir(b.path(step.AppDir))
	b.must(err)
	if len(entries) != 1 || b.read(step.AppDir+"/precious") != "precious" {
		b.t.Errorf("the app holds %v", entries)
	}
}
