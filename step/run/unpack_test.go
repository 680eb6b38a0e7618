package run

import (
	"archive/tar"
	"bytes"
	"os"
	"testing"

	"github.com/packfile/frontend/step"
)

// newUnpackBox is a container with an archive of one file. It has no app, and runs in an image that has nothing.
func newUnpackBox(t *testing.T, file string) *box {
	b := newBox(t, step.KindUnpack)
	b.must(os.RemoveAll(b.path(step.AppDir)))
	b.must(os.RemoveAll(b.path("/tmp")))
	b.env = []string{testRoot + "=" + b.root}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	b.must(w.WriteHeader(&tar.Header{Name: file}))
	b.must(w.Close())
	b.write(step.ArchiveDir+"/npm.tar", archive.String())
	return b
}

func TestTheStepUnpacksAModule(t *testing.T) {
	b := newUnpackBox(t, "packfile.toml")
	if out := b.run(); out.code != 0 || out.stdout+out.stderr != "" || out.result != nil {
		t.Fatalf("%+v", out)
	}
	if !b.exists(step.OutDir + "/" + step.UnpackedDir + "/packfile.toml") {
		t.Error("the module is not there")
	}
}

func TestAnArchiveThatIsRefusedIsAnAnswerAndLeavesNothing(t *testing.T) {
	b := newUnpackBox(t, "../x")
	want := `module archive npm.tar: entry "../x": leaves the archive`
	if out := b.run(); out.code != 0 || out.result == nil || out.result.Refused != want {
		t.Errorf("%+v, want %s", out, want)
	}
	if b.exists(step.OutDir+"/"+step.UnpackedDir) || b.exists(step.OutDir+"/"+step.UnpackedDir+".archive") {
		t.Error("a part of the archive is left")
	}
}
