package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// synthetic is a packfile that uses all there is: every kind of layer, file and link. Its steps write down what they see
// of the machine and of the app, so that what they see is the image's as well. SETCAP is the SHA-256 of a program.
//
// What they do not write down are times of the app's folders: the native snapshotter copies folders for a step that may
// write to them, and loses their times.
const synthetic = `
[config]
id = "test.example/everything"
version = "1.0.0"
shell = "/bin/sh -eu"
user = "0:0"

[[processes]]
type = "web"
command = ["serve", "--port", "80"]
args = ["static"]
[[processes]]
type = "worker"
command = "echo $SEEN"
direct = false

[[caches]]
name = "downloads"
[caches.setup]
inline = "cat /proc/sys/kernel/random/uuid > $CACHE/id"

[[slices]]
paths = ["static", "*.css"]
[[slices]]
paths = ["nothing-*"]
[[slices]]
paths = ["**/page.html"]

[[layers]]
name = "files"
export = true
version = "1"
[layers.metadata]
licence = "MIT"
[layers.build.run]
inline = """
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
"""
[[layers.build.deps]]
name = "setcap"
version = "1"
uri = "https://example.com/setcap"
sha = "SETCAP"
[[layers.build.profile]]
inline = "export PROFILED=1"
[[layers.build.env.both]]
name = "FILES"
value = "{{.Layer}}"
[[layers.build.env.launch]]
name = "SEEN"
value = "{{.App}}"
op = "append"
delim = ":"

[[layers]]
name = "seen"
export = true
expose = true
version = "1"
[layers.build.run]
inline = """
{ hostname; id; umask; pwd; date +%Z; nproc > /dev/null; env | sort; } > $LAYER/machine
cd $TREE
cp -a . $LAYER/copy
find . -type f -exec stat -c '%n %a %u:%g %h %s %Y' {} + | sort > $LAYER/files
find . ! -type f -exec stat -c '%N %a %u:%g %Y' {} + | sort > $LAYER/folders
cd $APP
find . -type f -exec stat -c '%n %a %u:%g %h %s %Y' {} + | sort > $LAYER/app-files
find . ! -type f -exec stat -c '%N %a %u:%g' {} + | sort > $LAYER/app-folders
touch $DOWNLOADS/used
"""
[[layers.build.links]]
name = "files"
path-as = "TREE"
version-as = "TREE_VERSION"
metadata-as = "TREE_METADATA"
link-content = true
[[layers.build.links]]
name = "downloads"
path-as = "DOWNLOADS"

[[layers]]
name = "selected"
export = true
[layers.build]
inputs = ["bin", "static/**/*.html"]
[layers.build.test]
inline = "find . -exec stat -c '%n %a' {} + | sort | sha256sum | cut -c1-12 > $MD/version"
[layers.build.run]
inline = "cp -R . $LAYER/inputs; cp -a . $LAYER/kept"

[[layers]]
name = "matched"
export = true
[layers.build.test]
match = ["bin", "*.txt"]
[layers.build.run]
inline = "bin/run > $LAYER/out"

[[layers]]
name = "whole"
export = true
[layers.require]
inline = "ls -R > $MD/listing"
[layers.provide.run]
inline = "cp -a . $LAYER/app"

[[layers]]
name = "page"
[layers.build]
lock-app = true
[layers.build.run]
inline = "mkdir -p static/made; sed s/TITLE/title/ template.html > static/made/page.html; rm template.html"
`

// syntheticProject writes the app of that packfile.
func syntheticProject(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "setcap")
	build := command(t, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./setcap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := run(build); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	dir := files(t, map[string]string{
		"packfile.toml":    strings.Replace(synthetic, "SETCAP", fmt.Sprintf("%x", sha256.Sum256(data)), 1),
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
