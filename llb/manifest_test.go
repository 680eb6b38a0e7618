package llb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func manifestOf(t *testing.T, value any) (Manifest, error) {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return ParseManifest(data)
}

func TestOnlyTheManifestOfTheImageItselfIsImported(t *testing.T) {
	config := []byte(`{"os":"linux","rootfs":{"diff_ids":["sha256:1"]}}`)
	good := func() ocispecs.Manifest {
		return ocispecs.Manifest{
			Config: ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))},
			Layers: []ocispecs.Descriptor{{Digest: digest.FromString("layer")}},
		}
	}
	m, err := manifestOf(t, good())
	if err != nil || m.Index() || m.CheckImport(config) != nil {
		t.Errorf("%v %v", err, m.CheckImport(config))
	}
	for name, change := range map[string]func(*ocispecs.Manifest){
		"another config":              func(m *ocispecs.Manifest) { m.Config.Digest = digest.FromString("x") },
		"another size":                func(m *ocispecs.Manifest) { m.Config.Size = 1 << 50 },
		"a build cache":               func(m *ocispecs.Manifest) { m.Config.MediaType = "application/vnd.buildkit.cacheconfig.v0" },
		"more layers than the config": func(m *ocispecs.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) },
		"a layer that is elsewhere":   func(m *ocispecs.Manifest) { m.Layers[0].URLs = []string{"https://example.com"} },
	} {
		bad := good()
		change(&bad)
		if m, err := manifestOf(t, bad); err != nil || m.CheckImport(config) == nil {
			t.Errorf("%s is not refused: %v", name, err)
		}
	}
	for _, bad := range []string{
		`{"config":{},"manifests":[]}`, `{"layers":[],"Manifests":[]}`, "[]", "{", strings.Repeat(" ", MaxManifest) + "{}",
	} {
		if _, err := ParseManifest([]byte(bad)); err == nil {
			t.Errorf("%.40q is not refused", bad)
		}
	}
	index, err := manifestOf(t, ocispecs.Index{})
	if err != nil || !index.Index() || index.CheckImport(config) == nil {
		t.Errorf("an index is imported: %v", err)
	}
}

func TestTheManifestOfAPlatformIsTheOneThatBuildKitTakes(t *testing.T) {
	entry := func(name, platform string) ocispecs.Descriptor {
		d := ocispecs.Descriptor{Digest: digest.FromString(name)}
		if os, arch, ok := strings.Cut(platform, "/"); ok {
			arch, variant, _ := strings.Cut(arch, "/")
			d.Platform = &ocispecs.Platform{OS: os, Architecture: arch, Variant: variant}
		}
		return d
	}
	arm := ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	for name, test := range map[string]struct {
		entries []ocispecs.Descriptor
		want    string
	}{
		"its own":                    {[]ocispecs.Descriptor{entry("a", "linux/amd64"), entry("b", "linux/arm/v7")}, "b"},
		"the first of two":           {[]ocispecs.Descriptor{entry("a", "linux/arm/v7"), entry("b", "linux/arm/v7")}, "a"},
		"the nearest":                {[]ocispecs.Descriptor{entry("a", "linux/arm/v6"), entry("b", "linux/arm/v7")}, "b"},
		"none for another":           {[]ocispecs.Descriptor{entry("a", "linux/amd64"), entry("b", "unknown/unknown")}, ""},
		"none that does not say":     {[]ocispecs.Descriptor{entry("a", "")}, ""},
		"nothing of an empty index":  {nil, ""},
		"one before one without any": {[]ocispecs.Descriptor{entry("a", ""), entry("b", "linux/arm/v7")}, "b"},
	} {
		own, others := Manifest{Manifests: test.entries}.For(arm)
		want := digest.Digest("")
		if test.want != "" {
			want = digest.FromString(test.want)
		}
		if own != want {
			t.Errorf("%s: got %s", name, own)
		}
		for _, o := range others {
			if o.Digest == own {
				t.Errorf("%s: it is one of the others", name)
			}
		}
	}
}

func TestInlineCacheIsWhatBuildKitReads(t *testing.T) {
	const layer = `"rootfs":{"diff_ids":["sha256:1"]},"history":[{}]`
	for config, want := range map[string]string{
		`{` + layer + `}`: "",
		`{` + layer + `,"moby.buildkit.cache.v0":"b25l"}`:                                                "one",
		`{` + layer + `,"moby.buildkit.cache.v0":"b25l","MOBY.buildkit.cache.V0":"dHdv"}`:                "two",
		`{` + layer + `,"moby.buildkit.cache.v0":"b25l","moby.buil` + "d\u212a" + `it.cache.v0":"dHdv"}`: "two",
	} {
		if got, err := InlineCache([]byte(config)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", config, got, err)
		}
	}
	for _, history := range []string{"", `,"history":[]`, `,"history":[{"empty_layer":true}]`} {
		config := fmt.Sprintf(`{"rootfs":{"diff_ids":["sha256:1"]},"moby.buildkit.cache.v0":"b25l"%s}`, history)
		if _, err := InlineCache([]byte(config)); err == nil {
			t.Errorf("%s would end the daemon", config)
		}
	}
}
