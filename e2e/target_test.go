package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// A build image that is another target of bake.

// toolApp is an app with two layers, one of which uses the tool of its build image.
var toolApp = testbed.Packfile(
	testbed.Layer("tool").Export().Version("STAMP-1").Run("cat /tool > $LAYER/id; echo ${EDITION:-none} >> $LAYER/id"),
	testbed.Layer("deps").Export().Inputs("deps.lock").Run("cat $TOOL/id $APP/deps.lock > $LAYER/id").Link("tool", "path-as", "TOOL"),
)

// bakes builds an app on a daemon whose build image is another target, made by some lines of a Dockerfile, and pushes it.
func bakes(t *testing.T, host, dir, previous string, tools ...string) (built, pushed) {
	t.Helper()
	config := append(os.Environ(), "BUILDX_CONFIG="+t.TempDir(), "BUILDX_BUILDER=other")
	create := command(t, "buildx", "create", "--name", "other", "--driver", "remote", or(host, os.Getenv("BUILDKIT_HOST")))
	create.Env = config
	if out, err := run(create); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	image := imageName(t)
	contexts := map[string]string{"build-image": "target:tools", "run-image": "docker-image://" + env.empty}
	if previous != "" {
		contexts["previous"] = "docker-image://" + previous
	}
	var named []string
	for name, value := range contexts {
		named = append(named, fmt.Sprintf("%s = %q", name, value))
	}
	file := filepath.Join(t.TempDir(), "docker-bake.hcl")
	write(t, filepath.Dir(file), map[string]string{"docker-bake.hcl": fmt.Sprintf(`
target "app" {
  context = %q
  dockerfile = "packfile.toml"
  tags = [%q]
  contexts = {
    %s
  }
}
target "tools" {
  context = %[1]q
  dockerfile-inline = <<END
FROM %[4]s
USER 0
%[5]s
END
}
`, dir, image, strings.Join(named, "\n    "), env.busybox, strings.Join(tools, "\n"))})
	bake := command(t, "buildx", "bake", "--provenance=false", "--allow=fs.read="+dir, "--push", "-f", file, "app")
	bake.Env = config
	b := watch(t, bake)
	return b, pull(t, image)
}

// wantBaked fails unless the run steps of exactly these layers ran. bake writes the target before their names.
func (b built) wantBaked(t *testing.T, what string, want ...string) {
	t.Helper()
	var ran []string
	for _, name := range b.executed(`\[app (tool|deps)\] run( \(.*\))?`) {
		layer, _, _ := strings.Cut(strings.TrimPrefix(name, "[app "), "]")
		ran = append(ran, layer)
	}
	slices.Sort(want)
	if !slices.Equal(ran, want) {
		t.Errorf("%s: run steps of %q ran, want %q\n%s", what, ran, want, b.progress)
	}
}

func TestABuildImageThatIsATargetKeepsReuse(t *testing.T) {
	t.Parallel()
	dir := app(t, toolApp)
	tools := []string{"RUN cat /proc/sys/kernel/random/uuid > /tool # " + dir, "ENV EDITION=first"}
	b, first := bakes(t, "", dir, "", tools...)
	b.wantBaked(t, "the first build", "tool", "deps")
	for _, l := range first.label.Layers {
		if l.Key == "" {
			t.Errorf("%s has no key", l.Name)
		}
	}
	host := secondDaemon(t)
	b, second := bakes(t, host, dir, first.name, tools...)
	b.wantBaked(t, "with the image before")
	equal(t, "digest of the image", second.digest, first.digest)
	if b.didRun("[app 2/2] " + tools[0]) {
		t.Errorf("the target is made, and nothing needs it\n%s", b.progress)
	}

	write(t, dir, map[string]string{"deps.lock": "changed"})
	b, _ = bakes(t, host, dir, first.name, tools...)
	b.wantBaked(t, "another input", "deps")

	// What steps see of the target is what it did, and what it says of its environment.
	for what, changed := range map[string][]string{
		"another command":     {"RUN echo another > /tool # " + dir, "ENV EDITION=first"},
		"another environment": {tools[0], "ENV EDITION=second"},
	} {
		b, img := bakes(t, host, dir, first.name, changed...)
		b.wantBaked(t, what, "tool", "deps")
		if img.blob(t, "layer tool").Digest == first.blob(t, "layer tool").Digest {
			t.Errorf("%s: the layer is the same", what)
		}
	}
	if got := first.Config.Labels["io.buildpacks.lifecycle.metadata"]; strings.Contains(got, "input:") {
		t.Errorf("the label names an input: %s", got)
	}
}

func TestABuildImageThatIsATargetWithFilesIsNotReused(t *testing.T) {
	t.Parallel()
	dir := app(t, toolApp)
	_, first := bakes(t, "", dir, "", "COPY main.txt /tool")
	b, _ := bakes(t, otherDaemon(t), dir, first.name, "COPY main.txt /tool")
	b.wantBaked(t, "a target with files", "tool", "deps")
	contains(t, b.progress.String(), "[app warning] previous image: none of its layers is reused: the build image has no digest, "+
		`since it is made from the client's folder "context"`)
}
