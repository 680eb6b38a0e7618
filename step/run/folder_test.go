package run

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
)

// rootBox is the container of a run step of root, whose script makes one file in its layer, and more. It may do damage in the box
// alone: what the step does about it may be broken, and then the step empties folders as root.
func rootBox(t *testing.T, script string) *box {
	t.Helper()
	b := newBox(t, step.KindRun)
	if os.Getuid() != 0 {
		t.Skip("only root can do more than a user")
	}
	b.spec.Time = treeTime.Unix()
	return b.script("echo x > $LAYER/x\n" + strings.NewReplacer("SEALED", b.path(step.SealedDir), "OUT", b.path(step.OutDir), "ROOT", b.root).Replace(script))
}

// sealedDigest is the diff id of the layer that the step has made.
func (b *box) sealedDigest() string {
	b.t.Helper()
	id := b.diffID(step.SealedDir)
	noted, err := layer.Describe(b.path(step.SealedDir), treeTime)
	if b.must(err); noted.String() != id {
		b.t.Errorf("noted is %q, the layer is %s", noted, id)
	}
	return id
}

func TestALayerIsMadeOfWhatIsInLAYERAlone(t *testing.T) {
	clean := rootBox(t, "")
	clean.succeed()
	want := clean.sealedDigest()
	for name, script := range map[string]string{
		"files in the folder of layers that are made": `mkdir -p SEALED/etc SEALED/layers/app; echo x > SEALED/etc/planted; echo x > SEALED/.wh.bin`,
		"a link where the layer shall be":             `mkdir -p ROOT/elsewhere; ln -s ROOT/elsewhere SEALED/layers`,
		"a folder that nobody may enter":              `mkdir -p SEALED/a/b; chmod 0 SEALED/a SEALED`,
		"another mode, owner and group":               `chown 7:8 SEALED; chmod 2777 SEALED`,
		"a layer that is said to be another":          `touch SEALED/y; python3 -c 'import os; os.setxattr("SEALED", "user.packfile.layer", b"{}"); os.setxattr("SEALED", "user.other", b"x")'`,
		"a process that writes later":                 `(setsid sh -c 'while :; do mkdir -p SEALED/etc; echo x > SEALED/etc/planted; done' &)`,
		"a result of its own, and more beside it":     `echo '{"metadata":{"version":"forged"}}' > OUT/result.json; mkdir OUT/1.json OUT/sbom; chmod 2770 OUT; chown 7:8 OUT; ln -s ROOT OUT/root`,
		"a process that forges the result later":      `(setsid sh -c 'while :; do echo x > OUT/result.json; mkdir -p OUT/1.json; done' &)`,
		"a default access control list, which is handed on": `python3 -c 'import os,struct
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in [(1,7,0xffffffff),(2,7,7),(4,7,0xffffffff),(16,7,0xffffffff),(32,7,0xffffffff)])
for dir in ["SEALED", "OUT"]: os.setxattr(dir, "system.posix_acl_default", acl)'`,
	} {
		t.Run(name, func(t *testing.T) {
			b := rootBox(t, script)
			out := b.run()
			if out.code != 0 || out.result == nil || len(out.result.Metadata) != 0 {
				t.Fatalf("got %+v", out)
			}
			if got := b.sealedDigest(); got != want {
				t.Errorf("the layer is %s, want %s", got, want)
			}
			for _, dir := range []string{step.SealedDir, step.OutDir} {
				info, err := os.Lstat(b.path(dir))
				b.must(err)
				if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 0 || stat.Gid != 0 || info.Mode() != os.ModeDir|0o755 {
					t.Errorf("%s is of %d:%d with mode %v", dir, stat.Uid, stat.Gid, info.Mode())
				}
			}
			left, err := os.ReadDir(b.path(step.OutDir))
			b.must(err)
			if len(left) != 2 || left[0].Name() != step.MetadataDir || left[1].Name() != step.ResultFile {
				t.Errorf("the output is %v", left)
			}
			if got := layer.Attributes(b.path(step.OutDir + "/" + step.ResultFile)); got != nil {
				t.Errorf("the result has %q", got)
			}
		})
	}
}

func TestAFolderThatAScriptPutsInThePlaceOfOursIsAnError(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"of layers that are made": {
			`mv ROOT/packfile ROOT/other; mkdir -p SEALED/etc OUT/md; echo x > SEALED/etc/planted; cp -r ROOT/other/step ROOT/packfile/step`,
			"is not the folder any more that it was before the script",
		},
		"of layers that are made, by a link": {`mv SEALED SEALED.old; mkdir ROOT/other; ln -s ROOT/other SEALED`, step.SealedDir + " is not the folder any more"},
		"of results":                         {`mv OUT OUT.old; cp -r OUT.old OUT`, step.OutDir + " is not the folder any more"},
		"of results, which is gone":          {`rm -rf OUT`, "no such file or directory"},
		"of the layer":                       {`mv ROOT/layers ROOT/other; mkdir -p $LAYER`, "the run script moved $LAYER"},
		"of the layer, by a link":            {`mv $LAYER $LAYER.old; mkdir ROOT/other; ln -s ROOT/other $LAYER`, "the run script moved $LAYER"},
		"of the layer, by a link further up": {`mv ROOT/layers ROOT/other; mkdir -p ROOT/fake/app/modules; ln -s fake ROOT/layers`, "the run script moved $LAYER"},
	} {
		t.Run(name, func(t *testing.T) {
			if out := rootBox(t, test.script).run(); out.code != 1 || !strings.Contains(out.stderr, test.want) {
				t.Errorf("got %+v, want %q", out, test.want)
			}
		})
	}
	t.Run("of results of a question", func(t *testing.T) {
		b := newBox(t, step.KindTest)
		b.script(`mv `+b.path(step.OutDir)+` `+b.path("/other")+`; mkdir -p $MD`).fail(1, "is not the folder any more")
	})
}

// TestWhatAScriptMountsIsInNoLayer has a script with a right that BuildKit gives no step.
func TestWhatAScriptMountsIsInNoLayer(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"over the layer": {`mkdir ROOT/other; mount --bind ROOT/other $LAYER`, "$LAYER"},
		"in the layer":   {`mkdir ROOT/other $LAYER/d; mount --bind ROOT/other $LAYER/d`, "/d is a mount that a script left"},
		"over the folder of layers that are made": {`mount --bind $LAYER SEALED`, step.SealedDir + " is not the folder any more"},
		"over the folder of results":              {`mount --bind $LAYER OUT; mkdir $MD`, step.OutDir + " is not the folder any more"},
	} {
		t.Run(name, func(t *testing.T) {
			b := rootBox(t, test.script)
			cmd := b.command()
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			out, err := cmd.CombinedOutput()
			if _, exited := err.(*exec.ExitError); !exited || !strings.Contains(string(out), test.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestWhatASetupScriptLeavesInOurFoldersIsGoneBeforeTheScriptRuns(t *testing.T) {
	b := newSetupBox(t)
	b.spec.Time = treeTime.Unix()
	b.write(step.SpecDir+"/setup", `cd `+b.root+`; for dir in .`+step.SealedDir+` .`+step.OutDir+` .`+b.inBox()+`; do
		mkdir -p $dir/md; echo x > $dir/planted; echo x > $dir/md/planted; chmod 2777 $dir; done`)
	b.script("ls -A $LAYER; ls -A $MD; stat -c %a $LAYER")
	b.expect("755")
	if b.exists(step.SealedDir + "/planted") {
		t.Error("it is in the layer")
	}
}
