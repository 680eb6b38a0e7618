package run

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
)

// newUserBox is the container of a run step whose scripts are run as an ordinary user.
func newUserBox(t *testing.T) *box {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	b := newBox(t, step.KindRun)
	b.spec.User.UID, b.spec.User.GID, b.spec.Time = 1234, 4321, treeTime.Unix()
	for _, dir := range []string{b.inBox(), "/tmp", "/home"} {
		b.must(os.Chown(b.path(dir), 1234, 4321))
	}
	// The folders of the test, and of its own program, are closed to others.
	b.must(os.Chmod(filepath.Dir(b.root), 0o755))
	self, err := os.ReadFile("/proc/self/exe")
	b.must(err)
	b.binary = b.path(step.BinDir + "/" + step.StepBinary)
	b.must(os.Remove(b.binary))
	b.must(os.WriteFile(b.binary, self, 0o755))
	return b
}

// inBox is LAYER as a path of the container.
func (b *box) inBox() string { return strings.TrimPrefix(b.spec.LayerDir, b.root) }

func TestScriptsAreRunAsTheUser(t *testing.T) {
	b := newUserBox(t).script(`
		id -u; id -g; id -G; grep CapEff /proc/self/status; echo $HOME
		echo to standard output > /dev/stdout
		echo to standard error > /dev/stderr
		echo x > $LAYER/file
		echo 1 > $MD/version`)
	b.env = append(b.env, "HOME=/root") // as runtimes give it to the first process
	out := b.run()
	want := fmt.Sprintf("1234\n4321\n4321\nCapEff:\t%016x\n%s\nto standard output\n", 0, b.path("/home"))
	if out.code != 0 || out.stdout != want || out.stderr != "to standard error\n" {
		t.Errorf("%d\n%q, want\n%q\n%s", out.code, out.stdout, want, out.stderr)
	}
	for path, owner := range map[string]uint32{
		"":                  0, // which no layer has
		"/layers":           1234,
		"/layers/app":       1234,
		b.inBox():           1234,
		b.inBox() + "/file": 1234,
	} {
		info, err := os.Lstat(b.path(step.SealedDir + path))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != owner {
			t.Errorf("%s of the layer belongs to %d, want %d", path, got, owner)
		}
		if path != "" && !info.ModTime().Equal(treeTime.Truncate(time.Second)) {
			t.Errorf("%s of the layer has the time %v", path, info.ModTime())
		}
	}
	if left, err := os.ReadDir(b.spec.LayerDir); err != nil || len(left) > 0 {
		t.Errorf("what the layer was made of is still there: %v %v", left, err)
	}
	t.Run("who has the home folder of /etc/passwd", func(t *testing.T) {
		f := newFiller(&runner{environ: []string{"A=1", "HOME=/elsewhere", "B=2"}}, step.Run{})
		if got := fmt.Sprint(f.userEnviron()); got != "[HOME=/root A=1 B=2]" {
			t.Error(got)
		}
		f.task.User.UID = 1<<31 - 7
		if got := fmt.Sprint(f.userEnviron()); got != "[HOME=/ A=1 B=2]" {
			t.Error(got)
		}
	})
}

// Root makes the layer, and must not be led by what a script leaves.
func TestWhatTheUserMayNotReadIsInNoLayer(t *testing.T) {
	b := newUserBox(t).script(`
		ln -s $APP/secret $LAYER/link
		ln -s $APP $LAYER/folder
		cd $MD && ln -s $APP/secret version
		exit 0`)
	b.write(step.AppDir+"/secret", "secret")
	b.must(os.Chmod(b.path(step.AppDir+"/secret"), 0o600))
	if out := b.run(); out.code == 0 || strings.Contains(out.stderr, "secret\n") {
		t.Errorf("a value that is a link to what the user cannot read: %+v", out)
	}
	b.script(`ln -s $APP/secret $LAYER/link; ln -s $APP $LAYER/folder`)
	b.must(removeAll(b.spec.LayerDir))
	b.mkdir(b.inBox())
	b.must(os.Chown(b.spec.LayerDir, 1234, 4321))
	if out := b.run(); out.code != 0 {
		t.Fatalf("%+v", out)
	}
	for _, name := range []string{"link", "folder"} {
		info, err := os.Lstat(b.path(layerDir + "/" + name))
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link in the layer: %v %v", name, info, err)
		}
	}
}

func TestAFolderThatTheUserClosedHidesNothing(t *testing.T) {
	out := newUserBox(t).script("mkdir $LAYER/closed; echo x > $LAYER/closed/.wh.x; chmod 0 $LAYER/closed").run()
	if out.code != 1 || !strings.Contains(out.stderr, "/closed/.wh.x cannot be in an image") {
		t.Errorf("got %+v", out)
	}
}

func TestTheStepThatMakesALayerNotesItsDigest(t *testing.T) {
	b := newBox(t, step.KindRun).script("echo x > $LAYER/file")
	b.spec.Time = treeTime.Unix()
	b.succeed()
	want := b.diffID(step.SealedDir)
	// What is there now is no layer that can be described by reading it.
	b.write(step.SealedDir+"/.wh.x", "")
	if got, err := layer.Describe(b.path(step.SealedDir), treeTime); err != nil || got.String() != want {
		t.Fatalf("noted is %q, the layer had %s: %v", got, want, err)
	}
}

func TestALayerHasTheModeThatItsScriptGaveIt(t *testing.T) {
	b := newBox(t, step.KindRun).script("chmod 750 $LAYER; mkdir $LAYER/closed; echo x > $LAYER/closed/file; chmod 0 $LAYER/closed")
	b.succeed()
	for path, want := range map[string]fs.FileMode{"": 0o750, "/closed": 0} {
		info, err := os.Lstat(filepath.Join(b.path(layerDir), path))
		b.must(err)
		if info.Mode().Perm() != want {
			t.Errorf("%s of the layer has mode %o", path, info.Mode().Perm())
		}
	}
}
