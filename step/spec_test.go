package step

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
)

// tasks has one of each kind, with something in every part that kinds share.
var tasks = []Task{
	Require{Given: Given{Metadata: metadata.Table{"version": "1"}, Secrets: []Secret{{ID: "a", EnvAs: "A"}}}, Script: Script{Shell: []string{"/bin/sh"}, File: "x.require"}},
	Test{Seen: Seen{Links: []Link{{Name: "node"}}, Exposed: [][]string{{"/layers/a/b"}}}, Script: Script{File: "x.test"}, Bare: true},
	Run{Given: Given{Platform: []Variable{{"A", "1"}}}, Key: "1", LayerDir: "/layers/a/x", Restore: true, User: User{UID: 1, GID: 2}, Time: 3},
	Match{Trees: []Tree{{Name: "x", Selected: Selection{Patterns: [][]string{{"**"}}}}}},
	Seal{Time: 1},
	Describe{Trees: []string{"x"}, Targets: map[int][]string{0: {"layers/a"}}, Time: 1},
	MergeSBOM{Generator: "scan"},
	Unpack{},
	Digest{Files: []DepFile{{ID: "node@1", File: "/packfile/deps/0/node.tgz"}}},
	Recognize{Identity: "1", Names: []string{"x"}},
	Detect{Program: Program{Dir: "/cnb/buildpacks/a/1"}},
	Packages{Names: []string{"curl", "gcc=4:12.2.0-3"}, Sources: []string{"0.list"}, Keys: []string{"0.asc"}, Layer: true, Time: 1},
	TestImage{Name: "x", Words: []string{"/bin/true"}, Stdout: &Text{Equal: new(string)}, Files: []FileTest{{Path: "/a", Absent: true}}},
}

func TestASpecOfEachKindIsReadAsItWasWritten(t *testing.T) {
	for _, task := range tasks {
		spec := Spec{Contract: Contract, Layer: "x", Task: task}
		data, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		var read Spec
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(spec, read); diff != "" {
			t.Error(diff)
		}
	}
}

func TestASpecSaysNothingThatIsOfAnotherKind(t *testing.T) {
	for _, task := range tasks {
		data, err := json.Marshal(Spec{Contract: Contract, Task: task})
		if err != nil {
			t.Fatal(err)
		}
		var read Spec
		text := strings.Replace(string(data), `"task":{`, `"task":{"unknown":1,`, 1)
		text = strings.Replace(text, "1,}", "1}", 1)
		if err := json.Unmarshal([]byte(text), &read); err == nil || !strings.Contains(err.Error(), string(task.Kind())+`: json: unknown field "unknown"`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if data, err := json.Marshal(Spec{Contract: Contract}); err == nil {
		t.Errorf("a spec without a task is %s", data)
	}
}
