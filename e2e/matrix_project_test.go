package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// synthetic is a packfile that uses all there is: every kind of layer, file and link. Its steps write down what they see
// of the machine and of the app, so that what they see is the image's as well. SETCAP is the SHA-256 of a program, IMAGE an image.
//
// What they do not write down are times of the app's folders: the native snapshotter copies folders for a step that may
// write to them, and loses their times. Nor do they write down the time of the root of an image, which no image has.
var synthetic = testbed.Packfile(
	testbed.Config("id", "test.example/everything", "version", "1.0.0", "shell", "/bin/sh -eu", "user", "0:0",
		"app", []string{"!notes.txt", "!static/made", "static/made/*.html"}, "args", []string{"SEEN_BY_ALL"},
		"labels.revision", `{{or .Args.REVISION "none"}}`),
	testbed.Text(`
[config.image]
expose = ["8080", "53/udp", "7000-7002"]
volumes = ["/data", "/var/lib/own", "/workspace/static/new"]
stop-signal = "INT"
healthcheck = { command = ["true"], interval = "30s", retries = 2 }
[[config.env.launch]]
name = "SEEN"
value = "{{.App}}"
op = "prepend"
[[config.env.launch]]
name = "ROLE"
value = "worker"
process = "worker"
`),
	testbed.Process("folder", "pwd").With("working-dir", "/srv/deep/er"),
	testbed.Process("web", "serve", "--port", "80").With("args", []string{"static"}),
	testbed.ShellProcess("worker", "echo $SEEN"),
	testbed.Cache("downloads", "setup.inline", "cat /proc/sys/kernel/random/uuid > $CACHE/id"),
	testbed.Slice("static", "*.css", "!static/page.html"),
	testbed.Slice("nothing-*"),
	testbed.Slice("**/page.html"),
	testbed.Layer("files").Export().Version("1").With("metadata.licence", "MIT").
		Making("app-symlinks.linked", "deep", "app-symlinks.'static/made/own'", ".").Run(`
cd $LAYER
mkdir -p deep/er/est bin empty
for f in file deep/er/est/file deep/er/hard bin/setuid bin/secret bin/capable; do echo $f > $f; done
printf x > 'a name
of two lines'
ln deep/er/hard bin/hard
ln -s ../deep/er/hard bin/link
ln -s /nowhere bin/dangling
mkfifo bin/pipe
dd if=/dev/zero of=sparse bs=1 count=0 seek=8M 2>/dev/null
echo end >> sparse
touch -t 203001010000 future
chown -R 5:6 deep/er bin/setuid
chown -h 5:6 bin/link
chmod 4755 bin/setuid
chmod 600 bin/secret
chmod 2750 deep/er
chmod 1777 empty
cp $(get-dep setcap) /tmp/setcap
chmod +x /tmp/setcap
/tmp/setcap bin/capable
cp -a $(get-dep setcap) kept
`).
		Env("both", "FILES", "{{.Layer}}").Env("launch", "SEEN", "{{.App}}", "op", "append", "delim", ":").
		Dep("setcap", "1", "https://example.com/setcap", "sha", "SETCAP").Profile("export PROFILED=1"),
	testbed.Layer("seen").Export().Expose().Version("1").Run(`
{ hostname; id; umask; pwd; date +%Z; nproc > /dev/null; env | sort; } > $LAYER/machine
cd $TREE
cp -a . $LAYER/copy
find . -type f -exec stat -c '%n %a %u:%g %h %s %Y' {} + | sort > $LAYER/files
find . ! -type f -exec stat -c '%N %a %u:%g %Y' {} + | sort > $LAYER/folders
cd $APP
find . -type f -exec stat -c '%n %a %u:%g %h %s %Y' {} + | sort > $LAYER/app-files
find . ! -type f -exec stat -c '%N %a %u:%g' {} + | sort > $LAYER/app-folders
touch $DOWNLOADS/used
`).
		Link("files", "path-as", "TREE", "version-as", "TREE_VERSION", "metadata-as", "TREE_METADATA", "link-content", true).
		Link("downloads", "path-as", "DOWNLOADS"),
	testbed.Layer("selected").Export().Inputs("bin", "static/**/*.html", "!bin/setuid").
		Test("find . -exec stat -c '%n %a' {} + | sort | sha256sum | cut -c1-12 > $MD/version").
		Run("cp -R . $LAYER/inputs; cp -a . $LAYER/kept"),
	testbed.Layer("matched").Export().Match("bin", "*.txt", "!bin/setuid").Run("bin/run > $LAYER/out"),
	testbed.Layer("folder").Export().Version("1").Run(`
cd "$(get-dep image)"
cp -a . $LAYER/copy
find . -mindepth 1 -type f -exec stat -c '%n %a %u:%g %h %s %Y' {} + | sort > $LAYER/files
find . -mindepth 1 ! -type f -exec stat -c '%N %a %u:%g %Y' {} + | sort > $LAYER/folders
`).
		Dep("image", "1", "docker://IMAGE", "platform", "linux/{{.TARGETARCH}}"),
	testbed.Provided("whole").Export().Require("ls -R > $MD/listing").Run("cp -a . $LAYER/app"),
	testbed.Layer("told").Export().Version("1").Making("args", []string{"REVISION"}).Env("launch", "REVISION", `{{or .Args.REVISION "none"}}`),
	testbed.Layer("page").LockApp().
		Run("mkdir -p static/made; sed s/TITLE/title/ template.html > static/made/page.html; rm template.html; cat linked/er/est/file > linked.txt").
		Link("files"),
)

// setcap is a program that gives a file a capability. It is built once.
var setcap = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "packfile-setcap-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "setcap")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./setcap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := run(build); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(program)
})

// syntheticProject writes the app of that packfile.
func syntheticProject(t *testing.T) string {
	t.Helper()
	data, err := setcap()
	if err != nil {
		t.Fatal(err)
	}
	dir := files(t, map[string]string{
		"packfile.toml":    replace(replace(synthetic, "SETCAP", fmt.Sprintf("%x", sha256.Sum256(data))), "IMAGE", env.empty),
		"deps/setcap@1":    string(data),
		"bin/run":          "#!/bin/sh\necho run\n",
		"bin/setuid":       "#!/bin/sh\nid -u\n",
		"main.css":         "css",
		"notes.txt":        "notes",
		"static/a/ü b.txt": "text",
		"static/page.html": "page",
		"template.html":    "TITLE",
		".dockerignore":    "ignored\n",
		"ignored":          "ignored",
	})
	for _, err := range []error{
		os.Chmod(filepath.Join(dir, "bin/run"), 0o755),
		os.Chmod(filepath.Join(dir, "bin/setuid"), os.ModeSetuid|0o755),
		os.Link(filepath.Join(dir, "notes.txt"), filepath.Join(dir, "static/a/hard")),
		os.Symlink("../notes.txt", filepath.Join(dir, "static/link")),
		os.Mkdir(filepath.Join(dir, "empty"), 0o755),
		os.Chmod(filepath.Join(dir, "empty"), os.ModeSticky|os.ModeSetgid|0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
