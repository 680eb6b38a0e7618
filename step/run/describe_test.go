package run

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

var treeTime = time.Unix(315532801, 999) // a layer has whole seconds

// newSealBox is a container with a layer.
func newSealBox(t *testing.T, kind step.Kind, dir string) *box {
	b := newBox(t, kind)
	// It has no app, and runs in an image that has nothing.
	b.must(os.RemoveAll(b.path(step.AppDir)))
	b.must(os.RemoveAll(b.path("/tmp")))
	b.env = []string{testRoot + "=" + b.root}
	b.spec.Time = treeTime.Unix()
	b.mkdir(step.SealedDir)
	b.makeLayer(dir, "content")
	return b
}

func (b *box) makeLayer(dir, content string) {
	b.write(dir+"/layers/app/modules/file", content)
	b.must(os.Chtimes(b.path(dir+"/layers/app/modules/file"), treeTime, treeTime))
}

// diffID is that of a layer.
func (b *box) diffID(dir string) string {
	b.t.Helper()
	id, err := layer.Digest(b.path(dir))
	b.must(err)
	return id.String()
}

func TestALayerIsSealed(t *testing.T) {
	later := treeTime.Add(time.Hour)
	b := newSealBox(t, step.KindSeal, step.TreeDir)
	b.spec.Time = later.Unix()
	if out := b.run(); out.code != 0 || out.stderr != "" {
		t.Fatalf("%+v", out)
	}
	info, err := os.Lstat(b.path(layerDir + "/file"))
	if b.must(err); !info.ModTime().Equal(later.Truncate(time.Second)) {
		t.Errorf("the copy has the time %v", info.ModTime())
	}
	t.Run("if it has nothing that cannot be in an image", func(t *testing.T) {
		b := newSealBox(t, step.KindSeal, step.TreeDir)
		b.write(step.TreeDir+"/layers/app/modules/.wh.x", "")
		b.fail(1, `layer "modules": /layers/app/modules/.wh.x cannot be in an image`)
	})
	t.Run("if it is there", func(t *testing.T) {
		newBox(t, step.KindSeal).fail(1, `layer "modules": `)
	})
}

// described are the results that a Describe left, by tree.
func (b *box) described() map[string]step.Result {
	b.t.Helper()
	if out := b.run(); out.code != 0 || out.stderr != "" {
		b.t.Fatalf("%+v", out)
	}
	results := map[string]step.Result{}
	for i, name := range b.spec.Trees {
		var got step.Result
		b.must(json.Unmarshal([]byte(b.read(fmt.Sprintf("%s/%d.json", step.OutDir, i))), &got))
		results[name] = got
	}
	return results
}

func TestLayersAreDescribed(t *testing.T) {
	b := newSealBox(t, step.KindDescribe, step.TreeDir+"/0")
	b.makeLayer(step.TreeDir+"/1", "other content")
	b.spec.Trees = []string{"app", "slice-0"}
	if diff := cmp.Diff(map[string]step.Result{
		"app": {Described: step.Described{DiffID: b.diffID(step.TreeDir + "/0")}}, "slice-0": {Described: step.Described{DiffID: b.diffID(step.TreeDir + "/1")}},
	}, b.described()); diff != "" {
		t.Error(diff)
	}
	t.Run("with the metadata that a run step left", func(t *testing.T) {
		b := newSealBox(t, step.KindDescribe, step.TreeDir+"/0")
		b.spec.Trees = []string{"layer"}
		b.write(step.RunResult+"/0", `{"metadata": {"version": "1", "table": {"a": "x"}}, "files": 7}`)
		md := metadata.Table{"version": "1", "table": metadata.Table{"a": "x"}}
		if diff := cmp.Diff(map[string]step.Result{"layer": {Described: step.Described{DiffID: b.diffID(step.TreeDir + "/0")}, Metadata: md}}, b.described()); diff != "" {
			t.Error(diff)
		}
		b.write(step.RunResult+"/0", "{")
		b.fail(1, b.path(step.RunResult+"/0")+": unexpected end of JSON input")
	})
	t.Run("with those targets of links that they do not have", func(t *testing.T) {
		b := newSealBox(t, step.KindDescribe, step.TreeDir+"/0")
		b.spec.Trees = []string{"layer"}
		b.must(os.Symlink("/nowhere", b.path(step.TreeDir+"/0/layers/app/modules/out")))
		const in = "layers/app/modules/"
		b.spec.Targets = map[int][]string{0: {in + "file", in + "none", in + "file/none", in + "out", in + "out/x", in + "."}}
		if diff := cmp.Diff([]string{in + "none", in + "file/none"}, b.described()["layer"].Missing); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("if they have nothing that cannot be in an image", func(t *testing.T) {
		b.write(step.TreeDir+"/0/workspace/.wh.x", "")
		b.fail(1, "app: /workspace/.wh.x cannot be in an image")
	})
	t.Run("if they are there", func(t *testing.T) {
		b := newBox(t, step.KindDescribe)
		b.spec.Trees = []string{"none"}
		b.fail(1, "none: ")
	})
}
