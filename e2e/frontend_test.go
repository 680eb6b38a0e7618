package e2e

import (
	"archive/tar"
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

var oneLayer = testbed.Packfile(testbed.Layer("a").Export().Run("cp -r $APP/. $LAYER"))

func TestBuildxReadsTheSyntaxLineAndAnyFileName(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "x", "packfile.toml": oneLayer})
	if out, err := buildx(t, dir, "--output", "type=local,dest="+t.TempDir()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	syntax := "# syntax=" + env.frontend + "\n"
	yaml := syntax + `
config:
  shell: /bin/sh -eu
layers:
- name: a
  export: true
  build:
    run:
      inline: cp $APP/app.txt $LAYER
`
	for name, text := range map[string]string{
		"build.yaml": yaml, "build.yml": yaml, "Buildfile": syntax + oneLayer, "Yamlfile": yaml, "other.toml": syntax + oneLayer,
	} {
		write(t, dir, map[string]string{name: text})
		dest := t.TempDir()
		out, err := buildx(t, dir, "-f", filepath.Join(dir, name), "--target", "a", "--output", "type=local,dest="+dest)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		if got := (built{out: dest}).read(t, "app.txt"); got != "x" {
			t.Errorf("%s: app.txt is %q", name, got)
		}
	}
}

func TestBuildctlDefaultsToPackfileToml(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"app.txt": "x", "packfile.toml": oneLayer})
	request{dir: dir, target: "a", opts: map[string]string{"filename": ""}}.build(t)
}

func TestImagesAreNamedByThePackfileOrByContexts(t *testing.T) {
	t.Parallel()
	named := "[config]\nshell = \"/bin/sh\"\nbuild-image = \"" + env.busybox + "\"\nrun-image = \"" + env.empty + "\"\n"
	layer := strings.TrimPrefix(oneLayer, sh)
	none := map[string]string{"context:build-image": "", "context:run-image": ""}
	dir := files(t, map[string]string{"packfile.toml": named + layer})
	request{dir: dir, opts: none}.build(t)
	write(t, dir, map[string]string{"packfile.toml": replace(named, env.busybox, "nowhere.invalid/none") + layer})
	request{dir: dir, opts: map[string]string{"context:run-image": ""}}.build(t)
	contains(t, request{dir: dir, opts: none}.fail(t), "nowhere.invalid/none", ">>> build-image = ")
	write(t, dir, map[string]string{"packfile.toml": oneLayer})
	contains(t, request{dir: dir, opts: none}.fail(t), "no run-image", "--build-context run-image=docker-image://")
	contains(t, request{dir: files(t, map[string]string{"packfile.toml": ""}), opts: none}.fail(t), "packfile.toml:1:1", "no run-image")
	contains(t, request{dir: dir, opts: map[string]string{"context:build-image": ""}}.fail(t), "no build-image", "--build-context build-image=docker-image://")
}

func TestDockerignoreKeepsFilesOut(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"in.txt": "", "out.txt": "", ".dockerignore": "out.txt\n", "packfile.toml": oneLayer})
	list := func() string {
		b := request{dir: dir, target: "a"}.build(t)
		var names []string
		entries, err := os.ReadDir(b.out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " ")
	}
	if got := list(); got != ".dockerignore in.txt packfile.toml" {
		t.Errorf("the app is %q", got)
	}
	write(t, dir, map[string]string{"packfile.toml.dockerignore": "in.txt\n*.toml\n"})
	if got := list(); got != ".dockerignore out.txt packfile.toml.dockerignore" {
		t.Errorf("with a packfile.toml.dockerignore the app is %q", got)
	}
}

func TestGitContext(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "repo.git")
	write(t, repo, map[string]string{"app.txt": "from git", "sub/packfile.toml": replace(oneLayer, "cp -r $APP/. $LAYER", "ignored") + "", "sub/app.txt": "in sub", "run.sh": "cp $APP/app.txt $LAYER/content\n"})
	write(t, repo, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").RunFile("run.sh"))})
	git := func(args ...string) {
		t.Helper()
		gitIn(t, repo, args...)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "one")
	url := serveGit(t, base) + "/repo.git"
	r := request{target: "a", opts: map[string]string{"context": url}}
	if got := r.build(t).read(t, "content"); got != "from git" {
		t.Errorf("content is %q", got)
	}
	write(t, repo, map[string]string{"app.txt": "a new commit"})
	git("commit", "-qam", "two")
	if got := r.build(t).read(t, "content"); got != "a new commit" {
		t.Errorf("after a new commit the content is %q", got)
	}
}

func waitForPort(t *testing.T, addr string) {
	t.Helper()
	for range 100 {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", addr)
}

func TestTarContextFromStandardInput(t *testing.T) {
	t.Parallel()
	var archive bytes.Buffer
	tw := tar.NewWriter(&archive)
	for name, text := range map[string]string{
		"app.txt":       "from the archive",
		"run.sh":        "cp $APP/app.txt $LAYER/content\n",
		"packfile.toml": "# syntax=" + env.frontend + "\n" + sh + "\n[[layers]]\nname = \"a\"\nversion = \"1\"\n[layers.build.run]\npath = \"run.sh\"\n",
	} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		tw.Write([]byte(text))
	}
	tw.Close()
	dest := t.TempDir()
	cmd := command(t, "buildx", "build", "--progress=plain", "-f", "packfile.toml", "--target", "a", "--output", "type=local,dest="+dest,
		"--build-context", "build-image=docker-image://"+env.busybox, "--build-context", "run-image=docker-image://"+env.empty, "-")
	cmd.Stdin = &archive
	if out, err := run(cmd); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := (built{out: dest}).read(t, "content"); got != "from the archive" {
		t.Errorf("content is %q", got)
	}
}

func TestSecretsReachOnlyTheStepsThatNameThem(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-is-the-secret"
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("a").Export().Run(`
test "$(cat $TOKEN_FILE)" = "$TOKEN"
printf %s "$TOKEN" | wc -c > $LAYER/size
echo ${OTHER:-unset} > $LAYER/other
`).
			Secret("token", "path-as", "TOKEN_FILE", "env-as", "TOKEN").
			Secret("other", "path-as", "OTHER", "required", false),
		testbed.Layer("b").Export().Run("ls -A /run/secrets > $LAYER/list 2>/dev/null || true; echo ${TOKEN:-unset} > $LAYER/token"),
	)})
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	r := request{dir: dir, output: "type=oci,dest=" + filepath.Join(t.TempDir(), "image.tar"), args: []string{"--secret", "id=token,src=" + file}}
	b := r.build(t)
	image, err := os.ReadFile(strings.TrimPrefix(r.output, "type=oci,dest="))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.log, secret) || bytes.Contains(image, []byte(secret)) {
		t.Error("the secret is in the log or in the image")
	}
	r.target, r.output = "a", ""
	a := r.build(t)
	if got := a.read(t, "size") + a.read(t, "other"); got != "21\nunset\n" {
		t.Errorf("the step saw %q", got)
	}
	r.target = "b"
	if got := r.build(t).read(t, "token"); got != "unset\n" {
		t.Errorf("another step saw %q", got)
	}
	r.args = nil
	r.target = "a"
	r.opts = map[string]string{"no-cache": ""}
	contains(t, r.fail(t), `secret "token" was not given`, "--secret id=token")
}

func TestNetworkNoneIsKept(t *testing.T) {
	t.Parallel()
	packfile := sh + "NETWORK" + `
[[layers]]
name = "a"
[layers.build.run]
SCRIPT
inline = "cat /proc/net/dev | grep -c : > $LAYER/interfaces || true"
`
	interfaces := func(network, script string, opts map[string]string) string {
		dir := files(t, map[string]string{"packfile.toml": replace(replace(packfile, "NETWORK", network), "SCRIPT", script)})
		return request{dir: dir, target: "a", opts: opts}.build(t).read(t, "interfaces")
	}
	const none = "network = \"none\"\n"
	for what, got := range map[string]string{
		"config":   interfaces(none, "", nil),
		"script":   interfaces("", none, nil),
		"the user": interfaces("", "network = \"default\"\n", map[string]string{"force-network-mode": "none"}),
	} {
		if got != "1\n" {
			t.Errorf("with no network in %s there are %q interfaces", what, got)
		}
	}
	if got := interfaces(none, "network = \"default\"\n", nil); got == "1\n" {
		t.Error("a script cannot have the network back")
	}
}

func TestSeveralPlatformsInOneBuild(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Process("web", "cat", "/layers/packfile/a/machine"),
		testbed.Layer("a").Export().Run("echo $TARGETPLATFORM $TARGETARCH > $LAYER/machine"),
	)})
	image := imageName(t)
	out, err := buildx(t, dir, "--platform", "linux/amd64,linux/386", "--tag", image, "--push")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, "[linux/386 a] run", "[linux/amd64 a] run")
	for _, arch := range []string{"amd64", "386"} {
		config := must(t, "skopeo", "--override-arch", arch, "inspect", "--config", "--tls-verify=false", "docker://"+image)
		contains(t, config, `"architecture": "`+arch+`"`)
		dest := t.TempDir()
		out, err := buildx(t, dir, "--platform", "linux/"+arch, "--target", "a", "--output", "type=local,dest="+dest)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := (built{out: dest}).read(t, "machine"); got != "linux/"+arch+" "+arch+"\n" {
			t.Errorf("the layer for %s says %q", arch, got)
		}
	}
}

func TestTargetExportsOneLayerAlone(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("a").Run("mkdir $LAYER/bin; echo tool > $LAYER/bin/tool"),
		testbed.Layer("b").Run("exit 1"),
	)})
	b := request{dir: dir, target: "a"}.build(t)
	if got := b.read(t, "bin/tool"); got != "tool\n" {
		t.Errorf("bin/tool is %q", got)
	}
	contains(t, request{dir: dir, target: "c"}.fail(t), `target "c"`, "a, b")
}

func TestCallAnswersWithoutBuilding(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").With("restore", true).Run("exit 1").Secret("token", "path-as", "T"))})
	out, err := buildx(t, dir, "--call=check")
	if err == nil {
		t.Error("check found nothing")
	}
	contains(t, out, "RestoreDependsOnHistory", "packfile.toml:")
	if out, err = buildx(t, dir, "--call=targets"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	contains(t, out, "a ", "(default)")
	if out, err = buildx(t, dir, "--call=outline"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	contains(t, out, "token")
	out, err = buildx(t, dir, "--call=nonsense")
	if err == nil {
		t.Errorf("an unknown call was answered\n%s", out)
	}
}

func TestCacheToAndFromARegistryServesEveryStep(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"lock.json": "1", "packfile.toml": testbed.Packfile(testbed.Layer("a").Export().Test("cat /proc/sys/kernel/random/uuid > $MD/version").Run(stamp))})
	cache := imageName(t)
	first := request{dir: dir, target: "a", args: []string{"--export-cache", "type=registry,mode=max,ref=" + cache}}.build(t)
	other := secondDaemon(t)
	second := request{dir: dir, target: "a", host: other, args: []string{"--import-cache", "type=registry,ref=" + cache}}.build(t)
	if second.read(t, "stamp") != first.read(t, "stamp") {
		t.Errorf("the second daemon ran a step again\n%s", second.log)
	}
	if third := (request{dir: dir, target: "a", host: other, opts: map[string]string{"no-cache": ""}}).build(t); third.read(t, "stamp") == first.read(t, "stamp") {
		t.Error("the stamp is no witness: it is the same without the cache")
	}
}

func TestOptionsOfEveryProcessReachSteps(t *testing.T) {
	t.Parallel()
	agent := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", agent)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("a").Making("ssh", []string{"default"}).Run(`
test -S "$SSH_AUTH_SOCK"
{
hostname
grep -o "192.0.2.7.*" /etc/hosts
ulimit -n
grep " /dev/shm " /proc/mounts | grep -o "size=[^, ]*"
} > $LAYER/seen
`),
	)})
	b := request{dir: dir, target: "a", args: []string{"--ssh", "default=" + agent}, opts: map[string]string{
		"hostname": "builder", "add-hosts": "db=192.0.2.7", "ulimit": "nofile=777:777", "shm-size": "1048576",
	}}.build(t)
	got := strings.Fields(b.read(t, "seen"))
	if want := "builder 192.0.2.7 db 777 size=1024k"; strings.Join(got, " ") != want {
		t.Errorf("the step saw %q, want %q", got, want)
	}
}

func TestLabelsOfTheBuildAreOnTheImage(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": oneLayer})
	image := imageName(t)
	request{dir: dir, image: image, opts: map[string]string{"label:team": "blue"}}.build(t)
	equal(t, "label", inspect(t, image).Config.Labels["team"], "blue")
}
