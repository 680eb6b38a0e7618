package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// rootStep builds a layer by a script that root runs, and exports the whole image.
func rootStep(t *testing.T, script string) (built, map[string]bool) {
	t.Helper()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "user", "0:0"),
		testbed.Layer("l").Export().Run(`
echo x > $LAYER/x
`+script+`
`),
	)})
	out := t.TempDir()
	b := request{dir: dir, output: "type=local,dest=" + out}.try(t)
	paths := map[string]bool{}
	filepath.WalkDir(out, func(path string, _ os.DirEntry, err error) error {
		paths[strings.TrimPrefix(path, out)] = true
		return err
	})
	return b, paths
}

func TestWhatRootWritesBesideItsLayerIsNotInTheImage(t *testing.T) {
	t.Parallel()
	b, paths := rootStep(t, `
mkdir -p /packfile/sealed/etc; echo x > /packfile/sealed/etc/planted; touch /packfile/sealed/.wh.bin
chown 7:7 /packfile/sealed; chmod 2777 /packfile/sealed
echo '{"metadata":{"version":"forged"}}' > /packfile/out/result.json
rm -f /packfile/bin/packfile-step /packfile/step/spec.json 2>/dev/null || true
(setsid sh -c 'while :; do mkdir -p /packfile/sealed/etc; echo x > /packfile/sealed/etc/planted; done' > /dev/null 2>&1 &)
for process in 1 $PPID; do
	if cat /proc/$process/environ > /dev/null 2>&1; then echo read $process; fi
	if cat /proc/$process/mem > /dev/null 2>&1 || true > /proc/$process/mem 2>/dev/null; then echo opened $process; fi
done
if mount -t tmpfs none $LAYER 2>/dev/null; then echo mounted; fi`)
	if b.err != nil {
		t.Fatalf("%v\n%s", b.err, b.log)
	}
	for _, line := range []string{"read 1", "opened", "mounted"} {
		if strings.Contains(b.log, " "+line) {
			t.Errorf("%q is in\n%s", line, b.log)
		}
	}
	if !paths["/layers/packfile/l/x"] {
		t.Errorf("the layer is not there: %v", paths)
	}
	for _, planted := range []string{"/etc/planted", "/.wh.bin"} {
		if paths[planted] {
			t.Errorf("%s is in the image", planted)
		}
	}
}

func TestRootMayNotPutAnotherFolderInThePlaceOfOurs(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		`mv /packfile /other; mkdir -p /packfile/sealed /packfile/out/md`: "/packfile/out is not the folder any more that it was before the script",
		`mv /layers /other; mkdir -p $LAYER; echo x > $LAYER/y`:           "the run script moved $LAYER (/layers/packfile/l) away",
		`mv /layers /other; ln -s / /layers; mkdir -p $LAYER`:             "the run script moved $LAYER",
	} {
		b, _ := rootStep(t, script)
		if b.err == nil {
			t.Errorf("%s: the build succeeded", script)
		}
		contains(t, b.log, want)
	}
}

// TestAStepOfAnImageThatFailsSaysHow: the image and what is asked of its layers are solved at the same time.
func TestAStepOfAnImageThatFailsSaysHow(t *testing.T) {
	t.Parallel()
	for range 5 {
		b, _ := rootStep(t, "exit 3")
		if b.err == nil {
			t.Fatal("the build succeeded")
		}
		contains(t, b.log, "packfile.toml: [l] run failed with exit code 3")
	}
	t.Run("also when files were looked at for two reasons", func(t *testing.T) {
		dir := files(t, map[string]string{"a": "", "packfile.toml": testbed.Packfile(testbed.Layer("l").Export().Inputs("a").Match("a").Run("exit 3"))})
		contains(t, request{dir: dir, image: imageName(t)}.fail(t), "packfile.toml: [l] run failed with exit code 3")
	})
}

// keystore is a secret of bytes, as Java has them.
var keystore = []byte("PK-hunter2-private-key\x00\x01\x02more-hunter2")

func TestASecretThatNoVariableCanHoldIsNotInTheLog(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content []byte
		want    string
	}{
		"a NUL byte": {keystore, `secret "keystore" has a NUL byte, which no variable can hold: use path-as in place of env-as = "KEYSTORE"`},
		"too long":   {bytes.Repeat([]byte("hunter2"), 20_000), `secret "keystore" has 140000 bytes, more than the 131062 that variable KEYSTORE can hold`},
	} {
		for section, text := range map[string]string{
			"run": "[layers.build]\ninputs = [\"packfile.toml\"]\nsecrets = [{ id = \"keystore\", env-as = \"KEYSTORE\" }]\n[layers.build.run]\n",
			"test": "[layers.build]\ninputs = [\"packfile.toml\"]\n[layers.build.run]\ninline = \"true\"\n[layers.build.test]\n" +
				"secrets = [{ id = \"keystore\", env-as = \"KEYSTORE\" }]\n",
			"require": "[layers.provide.run]\ninline = \"true\"\n[layers.require]\nsecrets = [{ id = \"keystore\", env-as = \"KEYSTORE\" }]\n",
		} {
			dir := files(t, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"l\"\n" + text + "inline = \"echo ${#KEYSTORE}\"\n"})
			file := filepath.Join(t.TempDir(), "keystore")
			if err := os.WriteFile(file, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			log := request{dir: dir, target: "l", args: []string{"--secret", "id=keystore,src=" + file}}.fail(t)
			contains(t, log, test.want)
			if strings.Contains(log, "hunter2") {
				t.Errorf("%s, %s: the secret is in the log:\n%s", name, section, log)
			}
		}
	}
}

func TestASetupScriptOfACacheSeesNoSecretsOfTheLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Cache("npm", "setup.inline", `
env > $CACHE/found
cat /packfile/secrets/* /run/secrets/* >> $CACHE/found 2>&1 || true
for socket in /run/buildkit/*; do if test -w $socket; then echo agent >> $CACHE/found; fi; done
if cat /proc/1/environ >> $CACHE/found; then echo root >> $CACHE/found; fi 2>/dev/null
ln -s $CACHE/stolen /run/secrets/token
`),
		testbed.Layer("l").Making("ssh", []string{"default"}).Run(`
cat $NPM/found > $LAYER/found
ls $NPM > $LAYER/listed
test -w "$SSH_AUTH_SOCK"
test "$(cat $FILE)" = "$TOKEN"
test "$(stat -c %a:%u $FILE)" = "400:$(id -u)"
echo "${#TOKEN} $FILE" > $LAYER/length
`).
			Link("npm", "path-as", "NPM").Secret("token", "path-as", "FILE", "env-as", "TOKEN"),
	)})
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key")
	must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	b := request{dir: dir, target: "l", args: []string{"--secret", "id=token,src=" + file, "--ssh", "default=" + key}}.build(t)
	found := b.read(t, "found")
	contains(t, found, "CACHE=", "Permission denied")
	for _, of := range []string{"hunter2", "SSH_AUTH_SOCK", "agent\n", "root\n"} {
		if strings.Contains(found, of) {
			t.Errorf("%q is in what the setup script found:\n%s", of, found)
		}
	}
	if listed := b.read(t, "listed"); strings.Contains(listed, "stolen") {
		t.Error("the secret was written where the setup script said")
	}
	if got, want := b.read(t, "length"), "7 /run/secrets/token\n"; got != want {
		t.Errorf("the script has a secret of length and place %q, want %q", got, want)
	}
}
