package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
)

// An app image on another run image: by the frontend itself, and as the lifecycle's rebaser and pack do it.

// patched is a run image with a file more than another, and labels.
func patched(t *testing.T, from, labels string) string {
	t.Helper()
	dir := files(t, map[string]string{"patched": "yes"})
	return dockerfile(t, dir, "FROM "+from+"\nCOPY patched /patched\nLABEL io.buildpacks.base.released=today "+labels+"\n")
}

// rebased puts an image on a run image with the frontend, on a builder that has neither.
func rebased(t *testing.T, r request) (built, pushed) {
	t.Helper()
	r.dir, r.host = t.TempDir(), or(r.host, otherDaemon(t)) // no source, and not even a packfile
	r.opts = map[string]string{"target": "rebase", "context:build-image": ""}
	return r.pushTo(t, imageName(t))
}

func TestRebase(t *testing.T) {
	t.Parallel()
	const app = `
[config]
shell = "/bin/sh"
[[processes]]
type = "web"
command = ["sh", "-c", "cat /patched; cat $TOOL /workspace/greeting; pwd; id -u"]
[[slices]]
paths = ["x"]
[[layers]]
name = "tool"
export = true
version = "1"
[layers.build.run]
inline = "echo tool > $LAYER/tool"
[[layers.build.env.launch]]
name = "TOOL"
value = "{{.Layer}}/tool"
`
	dir := files(t, map[string]string{"greeting": "hello\n", "x": "", "packfile.toml": app})
	p := newProxy(t)
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	swapped := patched(t, env.busybox, "")
	newBase := inspect(t, swapped)

	b, second := rebased(t, request{runImg: p.name(swapped), previous: p.name(first.name)})
	ours := len(first.origins()) - len(inspect(t, env.busybox).RootFS.DiffIDs)
	base := len(newBase.RootFS.DiffIDs)
	equal(t, "layers of the run image", second.RootFS.DiffIDs[:base], newBase.RootFS.DiffIDs)
	equal(t, "layers of the app", second.RootFS.DiffIDs[base:], first.RootFS.DiffIDs[len(first.RootFS.DiffIDs)-ours:])
	equal(t, "blobs of the app", second.manifest.Layers[base:], first.manifest.Layers[len(first.manifest.Layers)-ours:])
	equal(t, "what it was started with", second.Config.Entrypoint, first.Config.Entrypoint)
	equal(t, "label of the run image", second.Config.Labels["io.buildpacks.base.released"], "today")
	for _, l := range second.manifest.Layers {
		if n := p.bytes(l.Digest.String()); n > 0 {
			t.Errorf("%d bytes of a layer were pulled", n)
		}
	}
	for _, step := range []string{"run", "load build context", "[internal] app"} {
		if strings.Contains(b.log, step+"\n") {
			t.Errorf("the rebase had a vertex %q:\n%s", step, b.log)
		}
	}
	equal(t, "what it says", container(t, second.name, nil), "yestool\nhello\n/workspace\n1000\n")

	md := cnbLabel[label.LifecycleMetadata](t, second.Config.Labels[label.Lifecycle])
	equal(t, "top layer", md.RunImage.TopLayer, newBase.RootFS.DiffIDs[base-1].String())
	equal(t, "name of the run image", md.RunImage.Image, p.name(swapped))

	t.Run("gives the image that a build on the new run image gives", func(t *testing.T) {
		_, again := rebased(t, request{runImg: swapped, previous: first.name})
		_, built := request{dir: dir, runImg: swapped}.pushTo(t, imageName(t))
		// What a build takes over from a run image beside its labels is what differs; here that is nothing.
		equal(t, "config", again.Image, built.Image)
		equal(t, "digest", again.digest, built.digest)
	})
	t.Run("can be rebased again, and be the previous image of a build", func(t *testing.T) {
		_, back := rebased(t, request{runImg: env.busybox, previous: second.name})
		equal(t, "digest", back.digest, first.digest)
		b := request{dir: dir, host: otherDaemon(t), runImg: env.busybox, previous: second.name}.build(t)
		contains(t, b.log, "[tool] reused from the previous image")
	})
	t.Run("takes the run image of the packfile, through docker buildx", func(t *testing.T) {
		name := imageName(t)
		write(t, dir, map[string]string{"packfile.toml": strings.Replace(app, "[config]", "[config]\nrun-image = \""+swapped+"\"", 1)})
		out, err := run(command(t, "buildx", "build", "-f", dir+"/packfile.toml", "--target", "rebase", "--build-context",
			"previous=docker-image://"+first.name, "--provenance=false", "--push", "-t", name, dir))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		equal(t, "what it says", container(t, name, nil), "yestool\nhello\n/workspace\n1000\n")
	})
	t.Run("leaves an image that no rebaser of the frontend can work on when another tool did it", func(t *testing.T) {
		other := lifecycleRebase(t, first, swapped)
		equal(t, "what it says", container(t, other, nil), "yestool\nhello\n/workspace\n1000\n")
		contains(t, request{dir: t.TempDir(), runImg: swapped, previous: other, opts: map[string]string{"target": "rebase"}}.fail(t),
			"cannot rebase the previous image: its layers cannot be taken by reference")
	})
}

func TestRebaseThatMustFail(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh})
	image := request{dir: dir, runImg: env.busybox}.push(t)
	for name, test := range map[string]struct {
		r    request
		want string
	}{
		"no previous image":        {request{runImg: env.busybox}, "name the image to rebase with --build-context previous="},
		"no app image":             {request{runImg: env.busybox, previous: env.busybox}, "has no label io.buildpacks.lifecycle.metadata"},
		"one that is not there":    {request{runImg: env.busybox, previous: image + "x"}, "not found"},
		"another distribution":     {request{runImg: env.runImage, previous: image}, `it was made for distribution "", and the new run image has "debian"`},
		"a run image with nothing": {request{runImg: "scratch", previous: image}, "the new run image has no layers"},
		"no run image":             {request{previous: image, opts: map[string]string{"context:run-image": ""}}, "a rebase needs none if --build-context run-image="},
		"a packfile that cannot be read": {request{runImg: env.busybox, previous: image, opts: map[string]string{
			"context": "http://127.0.0.1:1/packfile.toml"}}, "connection refused"},
		"an image that says no": {request{runImg: env.busybox, previous: request{dir: dir, runImg: patched(t, env.busybox,
			"io.buildpacks.rebasable=false")}.push(t)}, "says that it cannot be rebased"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.r.dir = t.TempDir()
			if test.r.opts == nil {
				test.r.opts = map[string]string{}
			}
			test.r.opts["target"] = "rebase"
			contains(t, test.r.fail(t), test.want)
		})
	}
}

func TestRebaseOfImagesThatLie(t *testing.T) {
	t.Parallel()
	_, img := request{dir: files(t, map[string]string{"packfile.toml": sh}), runImg: env.busybox}.pushTo(t, imageName(t))
	lie := func(change func(*label.LifecycleMetadata)) func(*ocispecs.Image, *ocispecs.Manifest) {
		return func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			md := cnbLabel[label.LifecycleMetadata](t, img.Config.Labels[label.Lifecycle])
			change(&md)
			c.Config = img.Config
			c.Config.Labels = map[string]string{}
			if err := label.Set(c.Config.Labels, label.Lifecycle, md); err != nil {
				t.Fatal(err)
			}
		}
	}
	const changed = "it was changed after it was built"
	for name, test := range map[string]struct {
		change func(*ocispecs.Image, *ocispecs.Manifest)
		want   string
	}{
		"a label that is no JSON": {func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			c.Config.Labels = map[string]string{label.Lifecycle: "{"}
		}, "cannot be read"},
		"a top layer of the app's":     {lie(func(md *label.LifecycleMetadata) { md.RunImage.TopLayer = md.Launcher.SHA }), changed},
		"a layer that is not there":    {lie(func(md *label.LifecycleMetadata) { md.App[0].SHA = digest.FromString("x").String() }), changed},
		"more layers than there are":   {lie(func(md *label.LifecycleMetadata) { md.App = slices.Repeat(md.App, 100) }), changed},
		"fewer layers than there are":  {lie(func(md *label.LifecycleMetadata) { md.App = nil }), changed},
		"layers of the run image":      {lie(func(md *label.LifecycleMetadata) { md.App = append(md.App, label.Layer{SHA: md.RunImage.TopLayer}) }), changed},
		"an inline cache that is none": {func(c *ocispecs.Image, _ *ocispecs.Manifest) { c.Config, c.Author = img.Config, `"bm90IGpzb24="` }, "cannot be taken by reference"},
	} {
		t.Run(name, func(t *testing.T) {
			image := img.altered(t, test.change)
			contains(t, request{dir: t.TempDir(), runImg: env.busybox, previous: image, opts: map[string]string{"target": "rebase"}}.fail(t), test.want)
		})
	}
}

// lifecycleRebase does what the lifecycle's rebaser does (platform specification, "rebaser"; the notes on lifecycle 0.21), with
// nothing but what it reads. It returns the name of the image.
func lifecycleRebase(t *testing.T, app pushed, runImage string) string {
	t.Helper()
	run := pull(t, runImage)
	if !slices.Contains(app.Config.Env, "CNB_PLATFORM_API=0.12") {
		t.Fatal("without CNB_PLATFORM_API the rebaser wants io.buildpacks.stack.id on both images")
	}
	var md map[string]any
	if err := json.Unmarshal([]byte(app.Config.Labels[label.Lifecycle]), &md); err != nil {
		t.Fatal(err)
	}
	of := md["runImage"].(map[string]any)
	top := slices.Index(app.RootFS.DiffIDs, digest.Digest(of["topLayer"].(string)))
	if top < 0 {
		t.Fatalf("top layer %s is not in the image", of["topLayer"])
	}
	for _, name := range []string{"io.buildpacks.base.distro.name", "io.buildpacks.base.distro.version"} {
		equal(t, name, app.Config.Labels[name], run.Config.Labels[name])
	}
	config, manifest := app.Image, app.manifest
	config.RootFS.DiffIDs = append(slices.Clone(run.RootFS.DiffIDs), app.RootFS.DiffIDs[top+1:]...)
	manifest.Layers = append(slices.Clone(run.manifest.Layers), app.manifest.Layers[top+1:]...)
	config.History = nil
	for range config.RootFS.DiffIDs {
		config.History = append(config.History, ocispecs.History{Created: config.Created})
	}
	of["topLayer"], of["reference"] = run.RootFS.DiffIDs[len(run.RootFS.DiffIDs)-1], run.name
	if err := label.Set(config.Config.Labels, label.Lifecycle, md); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(config) // what the type does not know, the inline cache among it, is lost
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range run.manifest.Layers {
		from := strings.SplitN(run.repository(), "/v2/", 2)[1]
		send(t, http.MethodPost, fmt.Sprintf("%s/blobs/uploads/?mount=%s&from=%s", app.repository(), l.Digest, from), "", nil)
	}
	manifest.Config.Digest, manifest.Config.Size = digest.FromBytes(data), int64(len(data))
	at := send(t, http.MethodPost, app.repository()+"/blobs/uploads/", "", nil).Header.Get("Location")
	send(t, http.MethodPut, at+"&digest="+manifest.Config.Digest.String(), "application/octet-stream", data)
	if data, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	send(t, http.MethodPut, app.repository()+"/manifests/rebased", manifest.MediaType, data)
	return strings.TrimSuffix(app.name, "latest") + "rebased"
}
