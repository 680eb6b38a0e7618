package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/internal/testbed"
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
	opts := map[string]string{"target": "rebase", "context:build-image": ""}
	maps.Copy(opts, r.opts)
	r.opts = opts
	return r.pushTo(t, imageName(t))
}

func TestRebase(t *testing.T) {
	t.Parallel()
	app := testbed.Packfile(
		testbed.Config("shell", "/bin/sh"),
		testbed.Process("web", "sh", "-c", "cat /patched; cat $TOOL /workspace/greeting; pwd; id -u"),
		testbed.Slice("x"),
		testbed.Layer("tool").Export().Version("1").Run("echo tool > $LAYER/tool").Env("launch", "TOOL", "{{.Layer}}/tool"),
	)
	dir := files(t, map[string]string{"greeting": "hello\n", "x": "", "packfile.toml": app})
	p := newProxy(t)
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	swapped := patched(t, env.busybox, "")
	newBase := inspect(t, swapped)

	b, second := rebased(t, request{runImg: p.Image(swapped), previous: p.Image(first.name)})
	ours := len(first.origins()) - len(inspect(t, env.busybox).RootFS.DiffIDs)
	base := len(newBase.RootFS.DiffIDs)
	equal(t, "layers of the run image", second.RootFS.DiffIDs[:base], newBase.RootFS.DiffIDs)
	equal(t, "layers of the app", second.RootFS.DiffIDs[base:], first.RootFS.DiffIDs[len(first.RootFS.DiffIDs)-ours:])
	equal(t, "blobs of the app", second.manifest.Layers[base:], first.manifest.Layers[len(first.manifest.Layers)-ours:])
	equal(t, "what it was started with", second.Config.Entrypoint, first.Config.Entrypoint)
	equal(t, "label of the run image", second.Config.Labels["io.buildpacks.base.released"], "today")
	for _, l := range second.manifest.Layers {
		if n := pulled(p, l.Digest.String()); n > 0 {
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
	equal(t, "name of the run image", md.RunImage.Image, p.Image(swapped))

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
	t.Run("says that a time for the app's files has no effect", func(t *testing.T) {
		b, again := rebased(t, request{runImg: swapped, previous: first.name, opts: map[string]string{"build-arg:PACKFILE_APP_TIME": "1700000000"}})
		contains(t, b.log, "PACKFILE_APP_TIME has no effect: a rebase leaves the times of files as they are")
		equal(t, "layers of the app", again.RootFS.DiffIDs[base:], second.RootFS.DiffIDs[base:])
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

func TestARebasedImageKeepsWhatItSaysOfDeps(t *testing.T) {
	t.Parallel()
	dir, shelf := described(t)
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	swapped := patched(t, env.busybox, "")
	_, again := rebased(t, request{runImg: swapped, previous: first.name})
	_, built := request{dir: dir, runImg: swapped}.pushTo(t, imageName(t))
	equal(t, "config", again.Image, built.Image)
	equal(t, "digest", again.digest, built.digest)

	taken := shelf.count("/tool.tgz")
	_, next := request{dir: dir, runImg: swapped, previous: again.name, host: otherDaemon(t), opts: map[string]string{"attest:provenance": "mode=max"}}.attest(t)
	hasMaterial(t, "build after a rebase", next.materials(t, "linux/amd64"), shelf.URL+"/tool.tgz", sha("tool"))
	equal(t, "requests for the dep", shelf.count("/tool.tgz")-taken, 0)
}

// lifecycleRebase is the lifecycle's own rebaser, on a copy of the image. It returns the name of that.
func lifecycleRebase(t *testing.T, app pushed, runImage string) string {
	t.Helper()
	name := strings.TrimSuffix(app.name, "latest") + "rebased"
	must(t, "skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://"+app.name, "docker://"+name)
	// The image names another run image, so that it has to be forced.
	rebaser := command(t, "lifecycle", "-force", "-run-image", runImage, "-report", filepath.Join(t.TempDir(), "report.toml"), name)
	rebaser.Args[0], rebaser.Env = "rebaser", append(os.Environ(), "CNB_PLATFORM_API=0.14")
	if out, err := run(rebaser); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

func TestAnImageThatTheLifecycleHasRebasedIsThePreviousOne(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	swapped := patched(t, env.busybox, "")
	other := lifecycleRebase(t, first, swapped)
	_, own := rebased(t, request{runImg: swapped, previous: first.name})
	b, next := request{dir: dir, host: otherDaemon(t), runImg: swapped, previous: other}.pushTo(t, imageName(t))
	b.wantRuns(t, layersOfThree)
	contains(t, b.log, "[tool] reused from the previous image", "[modules] reused", "[other] reused")
	if strings.Contains(b.log, "[warning] previous image") {
		t.Errorf("it warns:\n%s", b.log)
	}
	equal(t, "digest of what a build makes of it, and of what the frontend rebases", next.digest, own.digest)

	t.Run("but for what else is in the folder of a layer", func(t *testing.T) {
		stray := dockerfile(t, files(t, map[string]string{"stray": "another's"}),
			"FROM "+env.busybox+"\nCOPY stray /layers/packfile/tool/stray\n")
		other := lifecycleRebase(t, first, stray)
		b := request{dir: dir, host: otherDaemon(t), runImg: env.busybox, previous: other}.build(t)
		b.wantRuns(t, layersOfThree, "tool", "modules")
		contains(t, b.log, "[tool] run (the previous image does not hold it as its label says)", "[other] reused")
	})
}
