package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/internal/testbed"
)

// What [config.image] and [config.env] make of an image, and of the folders that its processes and volumes need.

// dockerConfig is the config of an image with the fields that only Docker's specification has.
func (p pushed) dockerConfig(t *testing.T) (img dockerspec.DockerOCIImage) {
	t.Helper()
	if err := json.Unmarshal(p.blobData(t, p.manifest.Config.Digest), &img); err != nil {
		t.Fatal(err)
	}
	return img
}

// set is a set of strings, as configs of images have them.
func set(names ...string) map[string]struct{} {
	all := map[string]struct{}{}
	for _, name := range names {
		all[name] = struct{}{}
	}
	return all
}

// talkative is a run image whose config says all that one can.
func talkative(t *testing.T) string {
	t.Helper()
	return dockerfile(t, t.TempDir(), "FROM "+env.busybox+`
EXPOSE 22 8080/udp
VOLUME /kept
STOPSIGNAL SIGHUP
HEALTHCHECK --interval=7s CMD ["true"]
ONBUILD RUN echo somebody builds on it
ONBUILD ENV X=y
`)
}

// servingImage is what a server says of its image.
const servingImage = `
[config.image]
expose = ["8080", "53/udp", "7000-7001"]
volumes = ["/data", "/workspace/uploads"]
stop-signal = "QUIT"

[config.image.healthcheck]
command = ["sh", "-c", "echo $GREETING from $PWD"]
interval = "30s"
timeout = "3s"
start-period = "1m"
start-interval = "1s"
retries = 4
`

func TestThePackfileSaysWhatTheImageConfigTellsThoseWhoRunIt(t *testing.T) {
	t.Parallel()
	variable := testbed.Text("\n[[config.env.launch]]\nname = \"GREETING\"\nvalue = \"hello\"\n")
	dir := files(t, map[string]string{"packfile.toml": sh + servingImage + variable.String()})
	run := talkative(t)
	b, img := request{dir: dir, runImg: run}.pushTo(t, imageName(t))
	config := img.dockerConfig(t).Config
	equal(t, "ports", config.ExposedPorts, set("22/tcp", "8080/udp", "8080/tcp", "53/udp", "7000/tcp", "7001/tcp"))
	equal(t, "volumes", config.Volumes, set("/kept", "/data", "/workspace/uploads"))
	equal(t, "signal", config.StopSignal, "SIGQUIT")
	equal(t, "health check", config.Healthcheck, &dockerspec.HealthcheckConfig{
		Test:     []string{"CMD", "/cnb/lifecycle/launcher", "--", "sh", "-c", "echo $GREETING from $PWD"},
		Interval: 30 * time.Second, Timeout: 3 * time.Second, StartPeriod: time.Minute, StartInterval: time.Second, Retries: 4,
	})
	equal(t, "ONBUILD", config.OnBuild, []string(nil))
	contains(t, b.log, `ONBUILD of the run image is dropped: "RUN echo somebody builds on it", "ENV X=y"`)

	// The command of the health check has the environment of the app.
	check := config.Healthcheck.Test[1:]
	equal(t, "what the check prints", container(t, img.name, []string{"--entrypoint", check[0]}, check[1:]...), "hello from /workspace\n")

	t.Run("and no order of keys or of lists counts", func(t *testing.T) {
		t.Parallel()
		other := replace(replace(servingImage, `["8080", "53/udp", "7000-7001"]`, `["7001/tcp", "7000", "53/udp", "8080/tcp"]`),
			`["/data", "/workspace/uploads"]`, `["/workspace/uploads", "/data"]`)
		other = replace(replace(other, "stop-signal = \"QUIT\"\n", ""), "[config.image]\n", "[config.image]\nstop-signal = \"3\"\n")
		other = replace(replace(other, "retries = 4\n", ""), "[config.image.healthcheck]\n", "[config.image.healthcheck]\nretries = 4\n")
		dir := files(t, map[string]string{"packfile.toml": sh + variable.String() + other})
		write(t, dir, map[string]string{".dockerignore": "packfile.toml\n.dockerignore\n"})
		mine := files(t, map[string]string{"packfile.toml": sh + servingImage + variable.String(), ".dockerignore": "packfile.toml\n.dockerignore\n"})
		_, first := request{dir: mine, runImg: run}.pushTo(t, imageName(t))
		_, second := request{dir: dir, runImg: run}.pushTo(t, imageName(t))
		equal(t, "digest", second.digest, first.digest)
	})
	t.Run("a line for a shell, and no check at all", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string][]string{
			"healthcheck = { command = [\"exit $CODE\"], direct = false }\n": {"CMD", "/cnb/lifecycle/launcher", "exit $CODE"},
			"healthcheck = \"none\"\n":                                       {"NONE"},
			"":                                                               {"CMD", "true"}, // the run image's
		} {
			dir := files(t, map[string]string{"packfile.toml": sh + "[config.image]\n" + text})
			_, img := request{dir: dir, runImg: run}.pushTo(t, imageName(t))
			equal(t, "test", img.dockerConfig(t).Config.Healthcheck.Test, want)
		}
	})
	t.Run("and the lifecycle's rebaser leaves it as it is", func(t *testing.T) {
		t.Parallel()
		other := lifecycleRebase(t, img, dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nEXPOSE 23\nLABEL a=b\n"))
		got := pull(t, other).dockerConfig(t).Config
		equal(t, "ports", got.ExposedPorts, config.ExposedPorts)
		equal(t, "volumes", got.Volumes, config.Volumes)
		equal(t, "signal", got.StopSignal, config.StopSignal)
		equal(t, "command of the health check", got.Healthcheck.Test, config.Healthcheck.Test)
		equal(t, "label", got.Labels["io.packfile.image"], config.Labels["io.packfile.image"])
	})
	t.Run("and a rebase keeps it, beside what the new run image says", func(t *testing.T) {
		t.Parallel()
		swapped := dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nEXPOSE 23\nVOLUME /new\nSTOPSIGNAL SIGINT\nHEALTHCHECK CMD [\"false\"]\nONBUILD ENV A=b\nLABEL a=b\n")
		_, again := rebased(t, request{runImg: swapped, previous: img.name})
		_, built := request{dir: dir, runImg: swapped}.pushTo(t, imageName(t))
		equal(t, "config", again.dockerConfig(t).Config.ExposedPorts, set("23/tcp", "8080/tcp", "53/udp", "7000/tcp", "7001/tcp"))
		// The label of the run image is what a rebase leaves out.
		got, want := again.dockerConfig(t).Config, built.dockerConfig(t).Config
		delete(want.Labels, "a")
		equal(t, "config", got, want)

		plain := files(t, map[string]string{"packfile.toml": sh})
		_, bare := request{dir: plain, runImg: run}.pushTo(t, imageName(t))
		_, moved := rebased(t, request{runImg: swapped, previous: bare.name})
		equal(t, "ports of an app that says nothing", moved.dockerConfig(t).Config.ExposedPorts, set("23/tcp"))
		equal(t, "its health check", moved.dockerConfig(t).Config.Healthcheck.Test, []string{"CMD", "false"})
	})
}

// podmanHealthcheck is the health check of an image in the registry, as podman knows it.
func podmanHealthcheck(t *testing.T, image string) string {
	t.Helper()
	script := `. hack/lib/place.sh; . hack/lib/podman.sh; containers pull --quiet --tls-verify=false "$0" >/dev/null && containers image inspect --format '{{json .HealthCheck}}' "$0"`
	cmd := command(t, "bash", "-c", script, image)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestAHealthcheckIsInImagesOfBothMediaTypesAndPodmanReadsItInDockers(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh + "[config.image.healthcheck]\ncommand = [\"true\"]\n"})
	for types, known := range map[string]bool{"true": false, "false": true} {
		name := imageName(t)
		request{dir: dir, runImg: env.busybox, output: "type=image,push=true,oci-mediatypes=" + types + ",name=" + name}.build(t)
		img := pull(t, name)
		equal(t, "test", img.dockerConfig(t).Config.Healthcheck.Test, []string{"CMD", "/cnb/lifecycle/launcher", "--", "true"})
		if got := podmanHealthcheck(t, name); strings.Contains(got, "launcher") != known {
			t.Errorf("with oci-mediatypes=%s podman knows the health check %s", types, got)
		}
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	request{dir: dir, runImg: env.busybox, output: "type=docker,dest=" + archive}.build(t)
	var manifest []struct{ Config string }
	out := must(t, "tar", "-xOf", archive, "manifest.json")
	decode(t, []byte(out), &manifest)
	var config dockerspec.DockerOCIImage
	decode(t, []byte(must(t, "tar", "-xOf", archive, manifest[0].Config)), &config)
	equal(t, "test in an archive for Docker", config.Config.Healthcheck.Test[0], "CMD")
}

func TestFoldersOutsideOfTheAppAreMadeAndThoseOfTheRunImageStay(t *testing.T) {
	t.Parallel()
	run := dockerfile(t, t.TempDir(), "FROM "+env.busybox+`
USER 0:0
RUN mkdir -p /data /var/lib/private /sticky /real && chmod 1775 /data && chown 5:6 /data && echo kept > /data/file && chmod 751 /var/lib \
 && chown 7:8 /var/lib && chmod 1777 /sticky && ln -s real /link && echo x > /var/lib/private/x
USER 1000:1000
`)
	dir := files(t, map[string]string{"uploads/there": "", "packfile.toml": sh + `
[config.image]
volumes = ["/data", "/workspace/uploads", "/workspace/new/deep", "/link", "/var/lib/own"]
` + testbed.Tables(
		testbed.Process("web", "sh", "-c", "pwd; touch . /workspace/uploads/x /workspace/new/deep/x /var/lib/own/x; cat /data/file").With("working-dir", "/sticky/work"),
		testbed.Process("b", "pwd").With("working-dir", "/sticky/work/below"),
		testbed.Process("c", "pwd").With("working-dir", "uploads"),
		testbed.Process("d", "pwd").With("working-dir", "/tmp"),
		testbed.Process("e", "pwd").With("working-dir", "/workspace/none"),
	)})
	for _, r := range []request{{}, {host: oldestDaemon(t)}, {opts: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1700000000"}}} {
		r.dir, r.runImg = dir, run
		_, img := r.pushTo(t, imageName(t))
		got := map[string]string{}
		for name, f := range img.tree(t, "folders") {
			got[name] = fmt.Sprintf("%c %o %d:%d %s", f.Typeflag, f.Mode, f.Uid, f.Gid, f.Linkname)
			if f.ModTime.Unix() != img.Created.Unix() {
				t.Errorf("%s has time %v", name, f.ModTime)
			}
		}
		const ours = "5 755 1000:1000 "
		equal(t, "folders", got, map[string]string{
			"data": "5 1775 5:6 ", "link": "2 777 0:0 real", "var": "5 755 0:0 ", "var/lib": "5 751 7:8 ", "var/lib/own": ours,
			"sticky": "5 1777 0:0 ", "sticky/work": ours, "sticky/work/below": ours,
			"workspace": ours, "workspace/new": ours, "workspace/new/deep": ours, "workspace/uploads": ours,
		})
		equal(t, "order", img.origins()[len(img.origins())-5:], []string{"folders", "app", "launcher", "launch metadata", "process types"})
		equal(t, "what it does", container(t, img.name, nil), "/sticky/work\nkept\n")
		equal(t, "a folder below", container(t, img.name, []string{"--entrypoint", "b"}), "/sticky/work/below\n")
	}
}

func TestAFolderInThePlaceOfAFileOfTheRunImageIsAnErrorThere(t *testing.T) {
	t.Parallel()
	run := dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nUSER 0:0\nRUN echo x > /data\nUSER 1000:1000\n")
	for text, want := range map[string]string{
		"[config.image]\nvolumes = [\n\"/other\",\n\"/data\"\n]\n":                 `>>> "/data"`,
		testbed.Tables(testbed.Process("web", "x").With("working-dir", "/data/x")): `>>> working-dir = "/data/x"`,
	} {
		dir := files(t, map[string]string{"packfile.toml": sh + text})
		contains(t, request{dir: dir, runImg: run}.fail(t), want, "not a directory")
	}
}

// lifecycleLauncher is a lifecycle image with the launcher of Cloud Native Buildpacks.
func lifecycleLauncher(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("launcher")
	if err != nil {
		t.Skip("the lifecycle's launcher comes with make test")
	}
	dir := t.TempDir()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "launcher"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return dockerfile(t, dir, "FROM scratch\nCOPY launcher /cnb/lifecycle/launcher\n")
}

func TestProcessesHaveTheVariablesOfConfig(t *testing.T) {
	t.Parallel()
	show := "echo $OVER,$DEFAULT,$ADDED,$LAYER_ONLY,$ONLY,$PLACE"
	app := sh + `
[[config.env.launch]]
name = "OVER"
value = "app"

[[config.env.launch]]
name = "DEFAULT"
value = "app"
op = "default"

[[config.env.launch]]
name = "ADDED"
value = "app"
op = "append"
delim = ":"

[[config.env.launch]]
name = "ONLY"
value = "worker"
process = "worker"

[[config.env.launch]]
name = "PLACE"
value = "{{.App}}/{{.TARGETARCH}}"

[[config.env.launch]]
name = "LOST"
value = "x"
process = "nobody"
`
	layers := testbed.Tables(
		testbed.Process("web", "sh", "-c", show), testbed.Process("worker", "sh", "-c", show),
		testbed.Layer("z").Export().Env("launch", "OVER", "layer").Env("launch", "ADDED", "layer").Env("launch", "LAYER_ONLY", "layer"),
	)
	dir := files(t, map[string]string{"packfile.toml": app + layers})
	plain := files(t, map[string]string{"packfile.toml": sh + layers})
	opts := map[string]string{"build-arg:PACKFILE_APP": dir}
	_, before := request{dir: plain, runImg: env.busybox, opts: opts}.pushTo(t, imageName(t))
	for launcher, image := range map[string]string{"ours": "", "the lifecycle's": lifecycleLauncher(t)} {
		t.Run(launcher, func(t *testing.T) {
			t.Parallel()
			r := request{dir: dir, runImg: env.busybox, opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
			if image != "" {
				r.opts["context:launcher"] = "docker-image://" + image
			}
			b, img := r.pushTo(t, imageName(t))
			contains(t, b.log, `packfile.toml:`, `variable LOST is for process "nobody", which the image does not have`)
			equal(t, "keys", img.label.Layers[0].Key, before.label.Layers[0].Key)
			equal(t, "layers", img.origins(), before.origins())
			for name, test := range map[string]struct {
				options []string
				want    string
			}{
				"the default process":        {nil, "app,app,layer:app,layer,,/workspace/amd64\n"},
				"another one":                {[]string{"--entrypoint", "worker"}, "app,app,layer:app,layer,worker,/workspace/amd64\n"},
				"what the user sets":         {[]string{"-e", "OVER=user", "-e", "DEFAULT=user", "-e", "ONLY=user"}, "app,user,layer:app,layer,user,/workspace/amd64\n"},
				"a command, by the launcher": {[]string{"--entrypoint", "launcher"}, "app,app,layer:app,layer,,/workspace/amd64\n"},
			} {
				var args []string
				if slices.Contains(test.options, "launcher") {
					args = []string{"--", "sh", "-c", show}
				}
				equal(t, name, container(t, img.name, test.options, args...), test.want)
			}
		})
	}
}

func TestModulesSpeakOfTheImageAndTheAppGoesBefore(t *testing.T) {
	t.Parallel()
	module := func(id, config string) string {
		return "[config]\nid = \"" + id + "\"\n" + config
	}
	const echo = "command = [\"sh\", \"-c\", \"echo $A,$B,$C\"]\n"
	dir := files(t, map[string]string{
		"modules/one/packfile.toml": module("test/one", `
image = { expose = ["1"], volumes = ["/one"], stop-signal = "HUP", healthcheck = { command = ["one"] } }
env.launch = [{ name = "A", value = "one" }, { name = "B", value = "one" }, { name = "C", value = "one" }]
`),
		"modules/two/packfile.toml": module("test/two", `
image = { expose = ["2"], volumes = ["/two"], stop-signal = "INT", healthcheck = { command = ["two"] } }
env.launch = [{ name = "B", value = "two" }, { name = "C", value = "+two", op = "append" }]
`),
		"packfile.toml": `
[config]
id = "test/app"
image = { expose = ["3/udp"], stop-signal = "TERM" }
env.launch = [{ name = "C", value = "+app", op = "append" }]

[[processes]]
type = "web"
` + echo + `
[[buildpacks]]
uri = "modules/one"
[[buildpacks]]
uri = "modules/two"
`})
	check := func(t *testing.T, ref string) {
		t.Helper()
		c := pull(t, ref).dockerConfig(t).Config
		equal(t, "ports", c.ExposedPorts, set("1/tcp", "2/tcp", "3/udp"))
		equal(t, "volumes", c.Volumes, set("/one", "/two"))
		equal(t, "signal", c.StopSignal, "SIGTERM")
		equal(t, "health check", c.Healthcheck.Test[3], "two")
		equal(t, "variables", container(t, ref, nil), "one,two,one+two+app\n")
	}
	check(t, request{dir: dir, runImg: env.busybox}.push(t))
	t.Run("and so does a project descriptor", func(t *testing.T) {
		t.Parallel()
		write(t, dir, map[string]string{"other/project.toml": `
[_]
schema-version = "0.2"
id = "test/project"
[[io.buildpacks.group]]
uri = "one"
[io.packfile.config]
image = { expose = ["3/udp"] }
env.launch = [{ name = "C", value = "project" }]
`, "other/one/packfile.toml": module("test/one", "env.launch = [{ name = \"A\", value = \"one\" }]\n[[processes]]\ntype = \"web\"\n"+echo)})
		ref := request{dir: filepath.Join(dir, "other"), runImg: env.busybox, opts: map[string]string{"filename": "project.toml"}}.push(t)
		equal(t, "ports", pull(t, ref).dockerConfig(t).Config.ExposedPorts, set("3/udp"))
		equal(t, "variables", container(t, ref, nil), "one,,project\n")
	})
	// The app goes before wherever it stands in its order.
	write(t, dir, map[string]string{"packfile.toml": must(t, "cat", filepath.Join(dir, "packfile.toml")) + `
[[order]]
group = [{ id = "test/app" }, { id = "test/one" }, { id = "test/two" }]
`})
	check(t, request{dir: dir, runImg: env.busybox}.push(t))
}
