package e2e

import (
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
)

// A run image for all processors of an architecture is one for the newer ones too; the image is for these alone.
func TestVariantOfThePlatformIsInTheImageAndTheIndex(t *testing.T) {
	t.Parallel()
	base := natives()[0]
	variant := map[string]string{"amd64": "v2", "arm64": "v9"}[arch(base)]
	if variant == "" {
		t.Fatalf("no variant of %s is known to this test", base)
	}
	text := testbed.Packfile(
		testbed.Process("web", "/x"),
		testbed.Layer("a").Export().Env("launch", "VARIANT", "{{.TARGETVARIANT}}"),
	)
	r := request{dir: files(t, map[string]string{"packfile.toml": text}), runImg: env.busybox, opts: map[string]string{"platform": base + "/" + variant}}
	_, alone := r.pushTo(t, imageName(t))
	equal(t, "platform of the image", alone.Platform, ocispecs.Platform{OS: "linux", Architecture: arch(base), Variant: variant})
	_, same := rebased(t, request{runImg: env.busybox, previous: alone.name})
	equal(t, "platform after a rebase", same.Platform, alone.Platform)

	r.image, r.opts["platform"] = imageName(t), base+","+base+"/"+variant
	r.build(t)
	index := indexOf(t, r.image)
	if len(index.Manifests) != 2 {
		t.Fatalf("%d manifests", len(index.Manifests))
	}
	for i, want := range []string{"", variant} {
		m := index.Manifests[i]
		equal(t, "platform in the index", *m.Platform, ocispecs.Platform{OS: "linux", Architecture: arch(base), Variant: want})
		image := pull(t, strings.TrimSuffix(r.image, ":latest")+"@"+m.Digest.String())
		equal(t, "platform in the config", image.Platform, *m.Platform)
	}
}
