package e2e

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/packfile/frontend/e2e/lesser"
	"github.com/packfile/frontend/frontend"
)

// What holds on the newest BuildKit holds on the oldest that is supported too: hack/oldest pins that one, and
// hack/tools.sh oldest builds it.

// onEachBuildKit runs a test on the daemon of BUILDKIT_HOST, which is the newest, and on the oldest.
func onEachBuildKit(t *testing.T, test func(t *testing.T, host string)) {
	t.Helper()
	for name, host := range map[string]string{"newest": os.Getenv("BUILDKIT_HOST"), "oldest": oldestDaemon(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, host)
		})
	}
}

// oldestVersion is the BuildKit that hack/oldest pins.
func oldestVersion(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(strings.TrimSpace(must(t, "go", "list", "-C", "../hack/oldest", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit")), "v")
}

var orLater = regexp.MustCompile(`BuildKit v?([0-9][0-9.]*[0-9]) or later`)

func TestTheOldestBuildKitOfTestsDocsAndMessagesIsOne(t *testing.T) {
	t.Parallel()
	want := oldestVersion(t)
	if got := must(t, "../.dev/bin/buildkitd-oldest", "--version"); !strings.Contains(got, " v"+want+" ") {
		t.Errorf("the oldest daemon is %q, hack/oldest has %s: run hack/tools.sh oldest", got, want)
	}
	named := 0
	for _, page := range pages(t) {
		for _, m := range orLater.FindAllStringSubmatch(readPage(t, page), -1) {
			named++
			if m[1] != want {
				t.Errorf("%s says %q, hack/oldest has %s", page, m[0], want)
			}
		}
	}
	if named == 0 {
		t.Error("no page of the documentation says which BuildKit it takes")
	}
	c := clientOf(t, os.Getenv("BUILDKIT_HOST"))
	_, err := c.Build(t.Context(), client.SolveOpt{}, "", func(ctx context.Context, g gw.Client) (*gw.Result, error) {
		return frontend.Build(ctx, lesser.Gateway{Client: g, Lacks: []apicaps.CapID{pb.CapFileBase}})
	}, nil)
	if err == nil {
		t.Fatal("built without file operations")
	}
	contains(t, err.Error(), "BuildKit "+want+" or later")
}

func TestImagesAreTheSameOnTheOldestBuildKit(t *testing.T) {
	t.Parallel()
	dir := checkOut(t, syntheticProject(t), checkout{})
	images := map[string]identity{}
	for name, host := range map[string]string{"newest": os.Getenv("BUILDKIT_HOST"), "oldest": oldestDaemon(t)} {
		r := request{dir: dir, host: host, buildImg: env.busybox, runImg: env.busybox, image: imageName(t), opts: map[string]string{"build-arg:PACKFILE_APP": dir}}
		if b := r.build(t); len(b.runSteps()) == 0 {
			t.Errorf("nothing was executed on the %s\n%s", name, b.log)
		}
		images[name] = pushedIdentity(t, r.image)
	}
	if different := images["newest"].differences(images["oldest"]); len(different) > 0 {
		t.Errorf("different: %s", strings.Join(different, ", "))
	}
}

// Each way round: what one pushed is reused by the other.
func TestLayersAreReusedBetweenTheNewestAndTheOldestBuildKit(t *testing.T) {
	t.Parallel()
	for name, hosts := range map[string]func(t *testing.T) (first, second string){
		"the oldest reuses": func(t *testing.T) (string, string) { return os.Getenv("BUILDKIT_HOST"), oldestDaemon(t) },
		"the newest reuses": func(t *testing.T) (string, string) { return oldestDaemon(t), otherDaemon(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			builds, reuses := hosts(t)
			dir := app(t, three)
			_, first := request{dir: dir, host: builds}.pushTo(t, imageName(t))
			p := newProxy(t)
			next := request{dir: dir, host: reuses, previous: p.Image(first.name)}
			b, second := next.pushTo(t, p.Image(imageName(t)))
			b.wantRuns(t, layersOfThree)
			equal(t, "digest of the image", second.digest, first.digest)
			for _, l := range layersOfThree {
				if n := pulled(p, first.blob(t, "layer "+l).Digest.String()); n > 0 {
					t.Errorf("%d bytes of layer %s were pulled", n, l)
				}
			}

			write(t, dir, map[string]string{"deps.lock": "changed"})
			b, third := next.pushTo(t, p.Image(imageName(t)))
			b.wantRuns(t, layersOfThree, "modules")
			equal(t, "layer that is reused", third.blob(t, "layer tool").Digest, first.blob(t, "layer tool").Digest)
		})
	}
}

// Before BuildKit 0.34 that may not end when the image is large; building.md has the way round.
func TestDocsExportNoWholeImageIntoAFolder(t *testing.T) {
	t.Parallel()
	layers := 0
	for _, page := range pages(t) {
		for command := range strings.Lines(strings.ReplaceAll(readPage(t, page), "\\\n", " ")) {
			if !strings.Contains(command, "type=local,dest=") {
				continue
			}
			if layers++; !strings.Contains(command, "--target ") {
				t.Errorf("%s: %s", page, command)
			}
		}
	}
	if layers == 0 {
		t.Error("no layer is exported into a folder")
	}
}
