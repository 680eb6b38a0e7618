package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
)

func repositoryOf(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

func TestEverythingThatABuildTookIsAMaterial(t *testing.T) {
	t.Parallel()
	dir, s := described(t)
	r := request{dir: dir, opts: map[string]string{"attest:provenance": "mode=max"}}
	check := func(what string, a attested) {
		t.Helper()
		all := a.materials(t, "linux/amd64")
		for _, dep := range []string{"tool", "compiler"} {
			hasMaterial(t, what, all, s.URL+"/"+dep+".tgz", sha(dep))
		}
		for _, image := range []string{env.frontend, env.busybox, env.empty} {
			hasMaterial(t, what, all, repositoryOf(image), "")
		}
	}
	_, first := r.attest(t)
	check("first build", first)
	_, cached := r.attest(t)
	check("build from the cache", cached)
	r.previous, r.image = first.name, ""
	_, reused := r.attest(t)
	check("layer of the previous image", reused)
	r.host, r.image = secondDaemon(t), ""
	taken := s.count("/tool.tgz")
	b, elsewhere := r.attest(t)
	if b.hasVertex("[acme/app/tool] run") {
		t.Errorf("the layer was not reused:\n%s", b.log)
	}
	check("layer of the previous image on another builder", elsewhere)
	if n := s.count("/tool.tgz") - taken; n != 0 {
		t.Errorf("the dep of a layer that is reused was asked for %d times", n)
	}
}

func TestMaterialsThatAreNotFoundChangeNothingElse(t *testing.T) {
	t.Parallel()
	dir, _ := described(t)
	r := request{dir: dir}
	_, first := r.pushTo(t, imageName(t))
	r.previous = first.altered(t, func(c *ocispecs.Image, _ *ocispecs.Manifest) {
		c.Config.Labels = first.Config.Labels
		ours := slices.Index(first.origins(), "layer tool")
		records, err := llb.References(c.RootFS.DiffIDs[ours:], ours)
		if err != nil {
			t.Fatal(err)
		}
		none := bk.Scratch().File(bk.Mkdir("/x", 0o755))
		if records, err = llb.AddMaterials(records, [][]llb.Material{{{Source: none, File: "x", Digest: digest.FromString("x")}}}); err != nil {
			t.Fatal(err)
		}
		field, err := json.Marshal(records)
		if err != nil {
			t.Fatal(err)
		}
		c.Author = string(field)
	})
	r.host, r.opts = otherDaemon(t), map[string]string{"attest:provenance": "mode=max"}
	b, a := r.attest(t)
	if b.hasVertex("[acme/app/tool] run") || a.images["linux/amd64"].Digest.Encoded() == "" {
		t.Errorf("the layer was not reused:\n%s", b.log)
	}
	hasMaterial(t, "previous image", a.materials(t, "linux/amd64"), repositoryOf(first.name), "")
}
