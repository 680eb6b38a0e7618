package e2e

import (
	"archive/tar"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// What a layer can hold: every kind of file comes out of the image as it went in, or the build fails and says why; and
// nothing comes along that no one put there.

// python is the head of a packfile whose steps are Python and run as root.
const python = "[config]\nshell = \"/usr/bin/python3\"\nuser = \"0:0\"\n"

// kinds has a layer with every kind of file, and one that lists what it sees of that.
const kinds = python + `
[[layers]]
name = "a"
export = true
version = "STAMP"
[layers.build.run]
inline = '''
import os, socket
os.chdir(os.environ["LAYER"])
def write(name, text="x", mode=0o644):
    with open(name, "w") as f: f.write(text)
    os.chmod(name, mode)
os.makedirs("empty/folder")
for name, mode in {"closed": 0, "private": 0o700, "sticky": 0o1777, "setgid": 0o2755}.items():
    os.mkdir(name); os.chmod(name, mode)
for name, mode in {"plain": 0o644, "none": 0, "setuid": 0o4755, "setgid/file": 0o2755, "readonly": 0o444}.items():
    write(name, name, mode)
write("owned"); os.chown("owned", 12, 34567)
os.mkdir("owned-folder"); os.chown("owned-folder", 0, 7)
os.symlink("/etc/passwd", "absolute"); os.symlink("plain", "relative"); os.symlink("nowhere", "dangling"); os.symlink("empty", "folder-link")
os.symlink("plain", "owned-link"); os.chown("owned-link", 5, 6, follow_symlinks=False)
os.link("plain", "empty/hardlink"); os.link("relative", "linked-link")
os.mkfifo("fifo")
with open("sparse", "w") as f:
    f.seek(8 << 20); f.write("end")
write("capable", mode=0o755)
os.setxattr("capable", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
write("attribute"); os.setxattr("attribute", "user.origin", b"x")
os.utime("plain", (2000000000, 2000000000)); os.utime("empty", (0, 0))
write("executable", "#!/bin/sh", 0o755)
'''

[[layers]]
name = "b"
export = true
[layers.build]
inputs = ["bump"]
[layers.build.run]
inline = '''
import os, hashlib
lines = []
inodes = {}
for folder, names, files in os.walk("/layers/packfile/a"):
    for path in [folder] + [os.path.join(folder, n) for n in files + [n for n in names if os.path.islink(os.path.join(folder, n))]]:
        s = os.lstat(path)
        line = [path, oct(s.st_mode), s.st_uid, s.st_gid, int(s.st_mtime)]
        if os.path.islink(path): line.append(os.readlink(path))
        elif os.path.isfile(path):
            line += [s.st_size, hashlib.sha256(open(path, "rb").read()).hexdigest()]
            line.append(os.getxattr(path, "security.capability").hex() if "security.capability" in os.listxattr(path) else "")
        line.append(inodes.setdefault(s.st_ino, path) if not os.path.isdir(path) else "")
        lines.append(" ".join(map(str, line)))
open(os.environ["LAYER"] + "/list", "w").write(chr(10).join(sorted(lines)))
'''
[[layers.build.links]]
name = "a"
`

func TestEveryKindOfFileIsInTheImageAsItWasMade(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"bump": "1", "packfile.toml": replace(kinds, "STAMP", rand.Text())})
	b, first := request{dir: dir, buildImg: env.buildImage}.pushTo(t, imageName(t))
	contains(t, b.log, "/layers/packfile/a/attribute has the extended attribute user.origin, which will not be in the image")
	got := map[string]string{}
	all := first.files(t, "layer a")
	for name, f := range all {
		line := fmt.Sprintf("%c %o %d:%d", f.Typeflag, f.Mode, f.Uid, f.Gid)
		if f.Linkname != "" {
			line += " " + f.Linkname
		}
		if f.Typeflag == tar.TypeReg {
			line += fmt.Sprintf(" %d", f.Size)
		}
		if f.ModTime.Unix() != epoch {
			line += f.ModTime.String()
		}
		for _, record := range slices.Sorted(maps.Keys(f.PAXRecords)) {
			line += fmt.Sprintf(" %s=%x", record, f.PAXRecords[record])
		}
		got[name] = line
	}
	equal(t, "files", got, map[string]string{
		"empty": "5 755 0:0", "empty/folder": "5 755 0:0", "closed": "5 0 0:0", "private": "5 700 0:0",
		"sticky": "5 1777 0:0", "setgid": "5 2755 0:0", "owned-folder": "5 755 0:7",
		"plain": "1 644 0:0 layers/packfile/a/empty/hardlink", "empty/hardlink": "0 644 0:0 5", "none": "0 0 0:0 4",
		"setuid": "0 4755 0:0 6", "setgid/file": "0 2755 0:0 11", "readonly": "0 444 0:0 8", "executable": "0 755 0:0 9",
		"owned": "0 644 12:34567 1", "attribute": "0 644 0:0 1",
		"absolute": "2 777 0:0 /etc/passwd", "relative": "2 777 0:0 plain", "linked-link": "2 777 0:0 plain",
		"dangling": "2 777 0:0 nowhere", "folder-link": "2 777 0:0 empty", "owned-link": "2 777 5:6 plain",
		"fifo": "6 644 0:0", "sparse": fmt.Sprint("0 644 0:0 ", 8<<20+3),
		"capable": "0 755 0:0 1 SCHILY.xattr.security.capability=0100000200040000000000000000000000000000",
	})
	equal(t, "content of a sparse file", all["sparse"].content == strings.Repeat("\x00", 8<<20)+"end", true)
	equal(t, "content of a file with two names", all["empty/hardlink"].content, "plain")
	first.wantDiffID(t, "layer a", "a")
	list := first.files(t, "layer b")["list"].content
	for _, line := range []string{
		"/setuid 0o104755 0 0 315619201 6 ", "/fifo 0o10644 0 0 315619201 ", "/owned 0o100644 12 34567 ", "/closed 0o40000 0 0 ",
		" 0100000200040000000000000000000000000000 ", "/plain 0o100644 0 0 315619201 5 ",
	} {
		contains(t, list, line)
	}

	// A layer that is taken over is unpacked from the image. It must be the same to those who look into it.
	write(t, dir, map[string]string{"bump": "2"})
	b, second := request{dir: dir, buildImg: env.buildImage, host: otherDaemon(t), previous: first.name}.pushTo(t, imageName(t))
	b.wantRuns(t, []string{"a", "b"}, "b")
	equal(t, "blob of the layer", second.blob(t, "layer a"), first.blob(t, "layer a"))
	equal(t, "what a layer sees of one that was taken over", second.files(t, "layer b")["list"].content, list)
}

// wantDiffID fails unless the label says the diff id of a layer that the config has.
func (p pushed) wantDiffID(t *testing.T, origin, name string) {
	t.Helper()
	place := slices.Index(p.origins(), origin)
	for _, l := range p.label.Layers {
		if path.Base(l.Name) == name {
			equal(t, "diff id of "+origin, l.DiffID, p.RootFS.DiffIDs[place].String())
			return
		}
	}
	t.Errorf("the label has no layer %s: %+v", name, p.label)
}

// hardNames are those that a file can have, as far as they are hard for anyone.
var hardNames = []string{"two\nlines", "a\ttab", "\xff\xfe", strings.Repeat("n", 255), "back\\slash", "*?[a]", " ", "-rf", "..a", "ü",
	strings.Repeat(strings.Repeat("d", 200)+"/", 18) + strings.Repeat("d", 163)}

// makeHardNames is a run script that makes a file of each name, with the name as its content, and a symlink to a part of it.
const makeHardNames = `
import os, base64
names = base64.b64decode("NAMES").split(bytes(1))
for name in names:
    os.chdir(os.environ["LAYER"])
    if b"/" in name:
        os.makedirs(os.path.dirname(name))
    with open(name, "wb") as f: f.write(name)
    os.symlink(name[-200:], name[:50] + b".link")
`

func TestFilesOfAnyNameAreInTheImage(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": python + `
[[layers]]
name = "a"
export = true
[layers.build.run]
inline = '''` + replace(makeHardNames, "NAMES", base64.StdEncoding.EncodeToString([]byte(strings.Join(hardNames, "\x00")))) + `'''

[[layers]]
name = "b"
export = true
[layers.build.run]
inline = '''
import os
a = b"/layers/packfile/a"
found = [os.path.relpath(os.path.join(folder, f), a) for folder, _, files in os.walk(a) for f in files]
open(os.environ["LAYER"] + "/list", "wb").write(bytes(1).join(sorted(f for f in found if not os.path.islink(os.path.join(a, f)))))
'''
[[layers.build.links]]
name = "a"
`})
	// The app has them as well.
	for _, name := range hardNames {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	_, img := request{dir: dir, buildImg: env.buildImage}.pushTo(t, imageName(t))
	sorted := slices.Sorted(slices.Values(hardNames))
	var got []string
	for name, f := range img.files(t, "layer a") {
		switch f.Typeflag {
		case tar.TypeReg:
			equal(t, "content of "+name, f.content, name)
			got = append(got, name)
		case tar.TypeSymlink:
			if !slices.ContainsFunc(hardNames, func(name string) bool { return strings.HasSuffix(name, f.Linkname) }) {
				t.Errorf("%q leads to %q", name, f.Linkname)
			}
		}
	}
	slices.Sort(got)
	equal(t, "names in the layer", got, sorted)
	equal(t, "names that another layer sees", strings.Split(img.files(t, "layer b")["list"].content, "\x00"), sorted)
	img.wantDiffID(t, "layer a", "a")

	inApp := img.tree(t, "app")
	for _, name := range hardNames {
		if _, ok := inApp["workspace/"+name]; !ok {
			t.Errorf("%q is not in the app", name)
		}
	}
}

func TestLayerThatCannotBeInAnImageFailsItsRunStep(t *testing.T) {
	t.Parallel()
	device := "/layers/packfile/a/null is a device node, which cannot be in an image: builders without root cannot make it; remove it"
	if strings.HasPrefix(daemonKind(), "rootless") {
		device = "/layers/packfile/a/null: Operation not permitted"
	}
	for name, test := range map[string]struct{ script, want string }{
		"device":          {"mknod $LAYER/null c 1 3", device},
		"removed file":    {"mkdir $LAYER/etc; touch $LAYER/etc/.wh.passwd", "/layers/packfile/a/etc/.wh.passwd cannot be in an image: in a layer, a name that begins with .wh. removes a file of the layers below; rename or remove it"},
		"very long path":  {"cd $LAYER; for i in $(seq 20); do mkdir " + strings.Repeat("d", 200) + "; cd " + strings.Repeat("d", 200) + "; done", "its path is longer than 3800 bytes; use shorter names or fewer folders"},
		"moved layer":     {"mv /layers /moved; mkdir -p $LAYER", "the run script moved $LAYER (/layers/packfile/a) away; the folder has to stay where it is, what is in it may be anything"},
		"other layer":     {"echo x > /layers/packfile/tool/x", "/layers/packfile/tool/x: Read-only file system"},
		"removing $LAYER": {"rm -r $LAYER", "/layers/packfile/a': "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := request{dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
				testbed.Config("shell", "/bin/sh -eu", "user", "0:0"),
				testbed.Layer("tool").Run("true"),
				testbed.Layer("a").Export().Run(test.script).Link("tool"),
			)})}.fail(t)
			contains(t, log, test.want, "[a] run", "packfile.toml:")
		})
	}
}

func TestWhatIsWrittenOutsideOfTheLayerIsThrownAway(t *testing.T) {
	t.Parallel()
	img := request{dir: files(t, map[string]string{"app.txt": "app", "packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "user", "0:0"),
		testbed.Cache("c"),
		testbed.Layer("tool").Expose().Run("echo tool > $LAYER/x"),
		testbed.Layer("a").Export().Run(`
ln -s /tmp $LAYER/outside
mkdir /layers/packfile/other
for dir in / /etc /tmp $HOME $APP /layers /layers/packfile/other /layers/packfile/c /dev $LAYER/outside; do
	echo leftover-mark > $dir/leftover
done
echo "127.0.0.1 leftover-mark" >> /etc/hosts || true
echo "# leftover-mark" >> /etc/resolv.conf || true
rm $APP/app.txt
`).
			Link("tool").Link("c"),
		testbed.Layer("b").Export().LockApp().Run("echo made > made.txt; echo leftover-mark > /tmp/leftover; rm -rf $LAYER || true"),
	)})}.export(t)
	want := map[string][]string{
		"layer a": {"layers", "layers/packfile", "layers/packfile/a", "layers/packfile/a/outside"},
		"layer b": {"layers", "layers/packfile", "layers/packfile/b"},
		"app":     {"workspace", "workspace/app.txt", "workspace/made.txt", "workspace/packfile.toml"},
	}
	for _, l := range img.ours() {
		if paths := slices.Sorted(maps.Keys(l.files)); want[l.origin] != nil {
			equal(t, l.origin, paths, want[l.origin])
			delete(want, l.origin)
		}
		for name, f := range l.files {
			if strings.Contains(name, "leftover") || strings.Contains(f.content, "leftover-mark") && !strings.HasSuffix(name, "packfile.toml") {
				t.Errorf("%s has %s", l.origin, name)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("the image lacks %v", want)
	}
}

// The container runtime makes folders that an image without them has to have: /dev, /proc, /sys, and places of mounts.
func TestNothingThatTheContainerRuntimeMakesGetsIntoTheImage(t *testing.T) {
	t.Parallel()
	img := request{buildImg: env.empty, dir: files(t, map[string]string{"packfile.toml": testbed.Tables(
		testbed.Cache("c"),
		testbed.Layer("a").Export().Link("c").Env("launch", "A", "a"),
		testbed.Layer("b").Export().LockApp().Link("a"),
	)})}.export(t)
	want := map[string][]string{
		"layer a": {"layers", "layers/packfile", "layers/packfile/a", "layers/packfile/a/env.launch", "layers/packfile/a/env.launch/A.override"},
		"layer b": {"layers", "layers/packfile", "layers/packfile/b"},
		"app":     {"workspace", "workspace/packfile.toml"},
	}
	for _, l := range img.ours() {
		if want[l.origin] != nil {
			equal(t, l.origin, slices.Sorted(maps.Keys(l.files)), want[l.origin])
		}
	}
}

func TestSocketsAreLeftOutOfTheImageAndClosedFoldersAreNot(t *testing.T) {
	t.Parallel()
	b, img := request{buildImg: env.buildImage, dir: files(t, map[string]string{"new": rand.Text(), "packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/usr/bin/python3"),
		testbed.Layer("a").Export().Run(`
import os, socket
os.chdir(os.environ["LAYER"])
os.mkdir("run")
socket.socket(socket.AF_UNIX).bind("run/server.sock")
os.mkdir("closed"); open("closed/file", "w").close()
os.chmod("closed/file", 0); os.chmod("closed", 0)
`),
		testbed.Layer("b").Export().Run(`
import os
os.makedirs(os.environ["LAYER"] + "/" + "-".join(os.listdir("/layers/packfile/a/run") + sorted(os.listdir("/layers/packfile/a"))))
`).
			Link("a"),
	)})}.pushTo(t, imageName(t))
	contains(t, b.log, "packfile-step: /layers/packfile/a/run/server.sock is a socket, which an image cannot hold: it is left out")
	equal(t, "files", slices.Sorted(maps.Keys(img.files(t, "layer a"))), []string{"closed", "closed/file", "run"})
	equal(t, "files that another layer sees", slices.Sorted(maps.Keys(img.files(t, "layer b"))), []string{"closed-run"})
	img.wantDiffID(t, "layer a", "a")
}

func TestAppThatCannotBeInAnImageFailsTheBuild(t *testing.T) {
	t.Parallel()
	device := "/workspace/null is a device node, which cannot be in an image"
	if strings.HasPrefix(daemonKind(), "rootless") {
		device = "mknod: null: Operation not permitted"
	}
	for name, test := range map[string]struct{ file, script, want string }{
		"file of the context":         {"sub/.wh.gone", "true", "/workspace/sub/.wh.gone cannot be in an image: in a layer, a name that begins with .wh. removes a file"},
		"file of a lock-app layer":    {"sub/file", "mv sub/file sub/.wh.file", "/workspace/sub/.wh.file cannot be in an image"},
		"device of a lock-app layer":  {"sub/file", "mknod null c 1 3", device},
		"deep folder of such a layer": {"sub/file", "for i in $(seq 20); do mkdir " + strings.Repeat("d", 200) + "; cd " + strings.Repeat("d", 200) + "; done", "too long"},
		"file in a slice of an app":   {"slice/.wh.x", "true", "/workspace/slice/.wh.x cannot be in an image"},
		"empty folder of the context": {".wh.folder/file", "rm .wh.folder/file", "/workspace/.wh.folder cannot be in an image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := request{dir: files(t, map[string]string{test.file: "", "packfile.toml": testbed.Packfile(
				testbed.Config("shell", "/bin/sh -eu", "user", "0:0"),
				testbed.Slice("slice"),
				testbed.Layer("a").LockApp().Run(test.script),
			)})}.fail(t)
			contains(t, log, test.want)
		})
	}
}

func TestFifosOfTheAppStayAndSocketsAreEmptyFiles(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh})
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, l := range (request{dir: dir}).export(t).ours() {
		if l.origin == "app" {
			equal(t, "kind of a fifo", l.files["workspace/fifo"].Typeflag, byte(tar.TypeFifo))
			socket := l.files["workspace/socket"]
			equal(t, "kind and size of a socket", fmt.Sprintf("%c %d", socket.Typeflag, socket.Size), "0 0")
		}
	}
}

func TestARestoredLayerHasEveryKindOfFileAsItWasLeft(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(kinds, "inline = '''")
	makeAll, _, _ := strings.Cut(rest, "'''")
	dir := files(t, nil)
	app := rand.Text()
	image := func(run string) pushed {
		text := python + `
[[layers]]
name = "a"
export = true
restore = true
[layers.build.run]
inline = '''
import os, sys
os.chdir(os.environ["LAYER"])
print("RUN found", len(os.listdir(".")))
if os.path.exists("plain"):
    assert os.getxattr("attribute", "user.origin") == b"x"
    assert os.stat("plain").st_ino == os.stat("empty/hardlink").st_ino
    sys.exit()
` + makeAll + "'''\n"
		write(t, dir, map[string]string{"packfile.toml": replace(text, "RUN", run)})
		b, img := request{dir: dir, buildImg: env.buildImage, opts: map[string]string{"build-arg:PACKFILE_APP": app}}.pushTo(t, imageName(t))
		contains(t, b.log, run+" found")
		return img
	}
	first, second := image("first"), image("second")
	equal(t, "blob of the layer", second.blob(t, "layer a"), first.blob(t, "layer a"))
}
