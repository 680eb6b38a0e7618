package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// What [config] and the run image make the app image say of itself, and what the build makes of images and options that it
// cannot believe.

const greetings = `
[config]
name = "Greetings"
version = "1.2.0"
description = "Says hello"
homepage = "https://example.com/greetings"
licenses = ["MIT", "Apache-2.0 OR BSD-3-Clause"]
shell = "/bin/sh -eu"

[config.labels]
"com.example.team" = "blue"
"com.example.empty" = ""
"org.opencontainers.image.title" = "Hello"
"org.opencontainers.image.source" = "https://example.com/source"
`

// imageLabels are what the labels of an image are without those by which tools know what it is made of.
func imageLabels(labels map[string]string) map[string]string {
	rest := maps.Clone(labels)
	maps.DeleteFunc(rest, func(name, _ string) bool {
		return strings.HasPrefix(name, "io.buildpacks.") || strings.HasPrefix(name, "io.packfile.")
	})
	return rest
}

func TestConfigDescribesTheImageInLabelsAndAnnotations(t *testing.T) {
	t.Parallel()
	base := dockerfile(t, t.TempDir(), "FROM "+env.busybox+`
LABEL org.opencontainers.image.title=Base org.opencontainers.image.vendor=Somebody org.label-schema.name=Base \
      com.example.team=base com.example.base=kept io.buildpacks.base.distro.name=tiny
`)
	r := request{dir: files(t, map[string]string{"packfile.toml": greetings}), runImg: base,
		opts: map[string]string{"label:com.example.build": "7", "label:org.opencontainers.image.version": "1.2.1"}}
	_, img := r.pushTo(t, imageName(t))
	annotations := map[string]string{
		"org.opencontainers.image.title":       "Hello",
		"org.opencontainers.image.version":     "1.2.1",
		"org.opencontainers.image.description": "Says hello",
		"org.opencontainers.image.url":         "https://example.com/greetings",
		"org.opencontainers.image.licenses":    "MIT AND (Apache-2.0 OR BSD-3-Clause)",
		"org.opencontainers.image.source":      "https://example.com/source",
	}
	labels := maps.Clone(annotations)
	maps.Copy(labels, map[string]string{
		"com.example.team": "blue", "com.example.empty": "", "com.example.build": "7", "com.example.base": "kept",
	})
	equal(t, "labels", imageLabels(img.Config.Labels), labels)
	equal(t, "annotations", img.manifest.Annotations, annotations)
	equal(t, "label of the base", img.Config.Labels["io.buildpacks.base.distro.name"], "tiny")

	// Annotations of the user come beside them, and there they are in every form of image.
	ref := imageName(t)
	r.args = []string{"--output", "type=image,push=true,name=" + ref + ",annotation.com.example.note=n,annotation." +
		"org.opencontainers.image.vendor=us"}
	r.build(t)
	maps.Copy(annotations, map[string]string{"com.example.note": "n", "org.opencontainers.image.vendor": "us"})
	equal(t, "annotations with the user's", pull(t, ref).manifest.Annotations, annotations)
	for _, output := range []string{"type=image,oci-mediatypes=false,push=true,name=" + imageName(t), "type=docker,dest=" + filepath.Join(t.TempDir(), "x.tar")} {
		r.args = []string{"--output", output}
		r.build(t)
	}
	r.args, r.opts = nil, map[string]string{"platform": strings.Join(natives(), ",")}
	r.runImg = env.busybox
	_, img = r.pushTo(t, imageName(t))
	for _, p := range natives() {
		equal(t, "title for "+p, img.of(t, p).manifest.Annotations["org.opencontainers.image.title"], "Hello")
	}
}

func TestNobodyElseWritesTheLabelsOfTheBuild(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh})
	for _, name := range []string{layerkey.LabelName, label.Lifecycle} {
		contains(t, request{dir: dir, opts: map[string]string{"label:" + name: "x"}}.fail(t), `label "`+name+`" is written by the build`)
	}
}

// recast pushes an image once more, with another config, and returns its name.
func (p pushed) recast(t *testing.T, change func(config map[string]any)) string {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal(p.blobData(t, p.manifest.Config.Digest), &config); err != nil {
		t.Fatal(err)
	}
	change(config)
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	manifest := p.manifest
	manifest.Config.Digest, manifest.Config.Size = digest.FromBytes(data), int64(len(data))
	upload := send(t, http.MethodPost, p.repository()+"/blobs/uploads/", "", nil)
	send(t, http.MethodPut, upload.Header.Get("Location")+"&digest="+manifest.Config.Digest.String(), "application/octet-stream", data)
	if data, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	send(t, http.MethodPut, p.repository()+"/manifests/recast", manifest.MediaType, data)
	return strings.TrimSuffix(p.name, "latest") + "recast"
}

// plainImage is the busybox image under a name of the test's own.
func plainImage(t *testing.T) pushed {
	t.Helper()
	return pull(t, dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nLABEL a=b\n"))
}

func TestImagesThatDoNotSayWhatTheyAreForAreRefused(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": oneLayer})
	for name, change := range map[string]func(map[string]any){
		"no config":       func(c map[string]any) { clear(c) },
		"no architecture": func(c map[string]any) { delete(c, "architecture") },
		"no os":           func(c map[string]any) { delete(c, "os") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image := plainImage(t).recast(t, change)
			const why = ": it is no image that could be used: its config has no os and architecture"
			contains(t, request{dir: dir, runImg: image}.fail(t), "named context run-image: "+image+why)
			contains(t, request{dir: dir, buildImg: image}.fail(t), "named context build-image: "+image+why)
		})
	}
}

func TestWhatARunImageSaysOfItselfIsNotBelieved(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": oneLayer + "[[processes]]\ntype = \"web\"\ncommand = [\"cat\", \"app.txt\"]\n", "app.txt": "hello"})
	app := request{dir: dir, runImg: env.busybox}.push(t)
	honest := pull(t, request{dir: dir, runImg: plainImage(t).name}.push(t))
	liar := plainImage(t).recast(t, func(c map[string]any) {
		config := c["config"].(map[string]any)
		config["Labels"] = map[string]string{
			label.Lifecycle:                    "garbage",
			label.Build:                        `{"processes":7}`,
			label.Project:                      "[",
			layerkey.LabelName:                 pull(t, app).Config.Labels[layerkey.LabelName],
			"io.packfile.other":                "x",
			"io.buildpacks.builder.metadata":   "{}",
			"io.buildpacks.exec-env":           "test",
			"org.opencontainers.image.version": "9",
			"a":                                "b",
		}
		config["Entrypoint"] = []string{"/nowhere"}
		config["Cmd"] = []string{"junk"}
		config["WorkingDir"] = "../junk"
		config["User"] = "1000:1000"
		config["Env"] = []string{"PATH=/bin", "CNB_USER_ID=nobody", "CNB_GROUP_ID=-1", "CNB_APP_DIR=/junk", "CNB_LAYERS_DIR=", "CNB_PLATFORM_API=0.1"}
		c["author"] = "somebody"
		c["created"] = "not a time"
		delete(c, "created")
	})
	img := pull(t, request{dir: dir, runImg: liar}.push(t))
	lifecycle := func(p pushed) (md label.LifecycleMetadata) {
		if err := json.Unmarshal([]byte(p.Config.Labels[label.Lifecycle]), &md); err != nil {
			t.Fatal(err)
		}
		md.RunImage, md.Stack = label.RunImage{}, label.Stack{}
		return md
	}
	equal(t, "label "+label.Lifecycle, lifecycle(img), lifecycle(honest))
	config, want := img.Config, honest.Config
	config.Labels[label.Lifecycle], want.Labels[label.Lifecycle] = "", ""
	config.Env, want.Env = nil, nil
	equal(t, "config", config, want)
	equal(t, "environment", img.Config.Env, []string{
		"PATH=/cnb/process:/cnb/lifecycle:/bin", "CNB_USER_ID=nobody", "CNB_GROUP_ID=-1", "CNB_APP_DIR=/workspace", "CNB_LAYERS_DIR=/layers",
		"CNB_PLATFORM_API=0.12", "CNB_DEPRECATION_MODE=quiet",
	})
	equal(t, "what it says when it is run", container(t, img.name, nil), "hello")
}

func TestTimesOfAnImageThatAreNone(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh})
	for epoch, want := range map[string]string{
		"yesterday":                 `SOURCE_DATE_EPOCH "yesterday" is neither a number of seconds since 1970 nor "context"`,
		"-1":                        "is neither a number",
		"1.5":                       "is neither a number",
		"0x10":                      "is neither a number",
		" 1":                        "is neither a number",
		"8589934592":                "SOURCE_DATE_EPOCH is not between 1970 and 2242-03-16",
		"9223372036854775807":       "SOURCE_DATE_EPOCH is not between",
		"99999999999999999999999":   "SOURCE_DATE_EPOCH is not between",
		"-999999999999999999999999": "is neither a number",
	} {
		t.Run(epoch, func(t *testing.T) {
			t.Parallel()
			contains(t, request{dir: dir, opts: map[string]string{"build-arg:SOURCE_DATE_EPOCH": epoch}}.fail(t), want)
		})
	}
	for value, want := range map[string]int64{"context": epoch, "0": 0, "8589934591": 8589934591} { // the context is no commit
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			img := request{dir: dir, opts: map[string]string{"build-arg:SOURCE_DATE_EPOCH": value}}.export(t)
			equal(t, "created", img.Created.Unix(), want)
			for _, l := range img.ours() {
				for name, f := range l.files {
					equal(t, "time of "+name+" in "+l.origin, f.ModTime.Unix(), want)
				}
			}
		})
	}
}

// lifecycleImage is an image with our own launcher, which is known by what stands behind its end.
func lifecycleImage(t *testing.T, more string) string {
	t.Helper()
	return dockerfile(t, t.TempDir(), "FROM "+env.frontend+" AS ours\nFROM "+env.busybox+` AS marked
USER 0
COPY --from=ours /launcher /cnb/lifecycle/launcher
RUN echo marked >> /cnb/lifecycle/launcher && chmod 700 /cnb/lifecycle/launcher && touch /cnb/lifecycle/rebaser
FROM scratch
COPY --from=marked /cnb /cnb
`+more)
}

func TestLauncherOfALifecycleImage(t *testing.T) {
	t.Parallel()
	app := testbed.Tables(testbed.Process("web", "cat", "app.txt"))
	launcher := "launcher = \"" + lifecycleImage(t, "LABEL io.buildpacks.lifecycle.version=0.21.5\n") + "\"\n"
	dir := files(t, map[string]string{"app.txt": "hello", "packfile.toml": sh + launcher + app})
	_, theirs := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	check := func(img pushed, version string) {
		t.Helper()
		layer := img.tree(t, "launcher")
		f := layer["cnb/lifecycle/launcher"]
		if !strings.HasSuffix(f.content, "marked\n") || f.Mode&0o7777 != 0o755 || f.Uid != 0 || f.Gid != 0 || len(layer) != 3 {
			t.Errorf("the launcher has mode %o, belongs to %d:%d, stands among %d files, ends in %q",
				f.Mode, f.Uid, f.Gid, len(layer), f.content[max(0, len(f.content)-10):])
		}
		var md label.BuildMetadata
		if err := json.Unmarshal([]byte(img.Config.Labels[label.Build]), &md); err != nil {
			t.Fatal(err)
		}
		equal(t, "version of the launcher", md.Launcher.Version, version)
		equal(t, "what the image says", container(t, img.name, nil), "hello")
	}
	check(theirs, "0.21.5")

	// What the user names goes before what the packfile names, and so that nothing else changes.
	write(t, dir, map[string]string{"packfile.toml": sh + app})
	_, ours := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	named := request{dir: dir, runImg: env.busybox, opts: map[string]string{
		"context:launcher": "docker-image://" + lifecycleImage(t, ""), "build-arg:SOURCE_DATE_EPOCH": "315619201"}}
	_, other := named.pushTo(t, imageName(t))
	check(other, "")
	equal(t, "layers but the launcher", without(other, "launcher"), without(ours, "launcher"))
	write(t, dir, map[string]string{"packfile.toml": sh + replace(launcher, "launcher = \"", "launcher = \"nowhere.invalid/") + app})
	named.build(t)
}

// without are the layers of an image but one.
func without(p pushed, origin string) (layers []ocispecs.Descriptor) {
	for i, o := range p.origins() {
		if o != origin {
			layers = append(layers, p.manifest.Layers[i])
		}
	}
	return layers
}

func TestLauncherThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ image, want string }{
		"no such file": {env.busybox, "the image has no /cnb/lifecycle/launcher"},
		"a folder": {dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nUSER 0\nRUN mkdir -p /cnb/lifecycle/launcher\n"),
			"/cnb/lifecycle/launcher of the image is no regular file"},
		"a link": {dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nUSER 0\nRUN mkdir -p /cnb/lifecycle && ln -s /bin/true /cnb/lifecycle/launcher\n"),
			"/cnb/lifecycle/launcher of the image is no regular file"},
		"no image": {"scratch", "it is no image"},
		"nowhere":  {"nowhere.invalid/none", "nowhere.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": sh + "launcher = \"" + test.image + "\"\n"})
			contains(t, request{dir: dir}.fail(t), ">>> launcher = ", "launcher: "+test.image+": ", test.want)
		})
	}
	single := plainImage(t).name
	dir := files(t, map[string]string{"packfile.toml": sh + "launcher = \"" + single + "\"\n"})
	contains(t, request{dir: dir, opts: map[string]string{"platform": foreign()}}.fail(t),
		">>> launcher = ", "launcher: "+single+": the image is for "+natives()[0]+", and not for "+foreign())
}
