package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	commonexptypes "github.com/moby/buildkit/exporter/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/sbom"
)

// namedRef is a result that has a name and nothing else.
type namedRef struct {
	gw.Reference
	name string
}

// rowFor returns what a build of a platform returns; every part of it tells which platform it belongs to.
func rowFor(p ocispecs.Platform) *platformResult {
	epoch := time.Unix(315532801, 0)
	img := &dockerspec.DockerOCIImage{}
	img.Platform = p
	img.Config.Labels = map[string]string{ocispecs.AnnotationTitle: "app", "com.example": "no annotation"}
	base := &dockerspec.DockerOCIImage{}
	base.Author = "base of " + p.Architecture
	attested := spdxAttestation()
	attested.Ref = namedRef{name: "SBOM of " + p.Architecture}
	return &platformResult{
		BuildResult:  dockerui.BuildResult{Reference: namedRef{name: p.Architecture}, Image: img, BaseImage: base, Epoch: &epoch},
		inlineCache:  []byte("records of " + p.Architecture),
		attestations: []gw.Attestation{attested},
	}
}

func TestEachPlatformHasItsOwnRowOfTheResult(t *testing.T) {
	targets := []ocispecs.Platform{{OS: "linux", Architecture: "arm64", Variant: "v8"}, {OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm", Variant: "v7"}}
	for name, test := range map[string]struct {
		targets []ocispecs.Platform
		multi   bool
		keys    []string // of configs behind their prefix, "" for one that has none
	}{
		"several":                    {targets, true, []string{"/linux/arm64", "/linux/amd64", "/linux/arm/v7"}},
		"one, and none other":        {targets[:1], false, []string{""}},
		"one as if there were more":  {targets[1:2], true, []string{"/linux/amd64"}},
		"that nobody named":          {nil, false, []string{""}},
		"one twice, as it was named": {[]ocispecs.Platform{targets[1], targets[1]}, true, []string{"/linux/amd64"}},
	} {
		t.Run(name, func(t *testing.T) {
			ui := &dockerui.Client{Config: dockerui.Config{TargetPlatforms: test.targets, MultiPlatformRequested: test.multi}}
			platforms := test.targets
			if platforms == nil {
				platforms = []ocispecs.Platform{{OS: "linux", Architecture: "riscv64"}} // whatever dockerui takes for the default
			}
			res, err := buildPlatforms(t.Context(), ui, func(_ context.Context, i int) (*platformResult, error) { return rowFor(platforms[i]), nil })
			if err != nil {
				t.Fatal(err)
			}
			if configs := len(slices.DeleteFunc(slices.Collect(maps.Keys(res.Metadata)), func(key string) bool {
				return key != exptypes.ExporterImageConfigKey && !strings.HasPrefix(key, exptypes.ExporterImageConfigKey+"/")
			})); configs != len(test.keys) {
				t.Errorf("%d configs", configs)
			}
			built, err := exptypes.ParsePlatforms(res.Metadata)
			if err != nil {
				t.Fatal(err)
			}
			for i, key := range test.keys {
				want, id := platforms[i].Architecture, built.Platforms[i].ID
				var config map[string]any
				if err := json.Unmarshal(res.Metadata[exptypes.ExporterImageConfigKey+key], &config); err != nil {
					t.Fatal(err)
				}
				var records []byte
				if field, err := json.Marshal(config[llb.InlineCacheField]); err != nil || json.Unmarshal(field, &records) != nil || string(records) != "records of "+want {
					t.Errorf("%s has the inline cache %q", want, records)
				}
				if config["architecture"] != want || config["os"] != "linux" {
					t.Errorf("%s has the config %v", want, config)
				}
				if base := res.Metadata[exptypes.ExporterImageBaseConfigKey+key]; !strings.Contains(string(base), "base of "+want+`"`) {
					t.Errorf("%s has the base %s", want, base)
				}
				if epoch := res.Metadata[commonexptypes.ExporterEpochKey+key]; string(epoch) != "315532801" {
					t.Errorf("%s has the epoch %s", want, epoch)
				}
				ref, ok := res.FindRef(id)
				if !ok || ref.(namedRef).name != want {
					t.Errorf("%s is %v", id, ref)
				}
				attested := res.Attestations[id]
				if len(attested) == 0 || attested[0].Ref.(namedRef).name != "SBOM of "+want || attested[0].Path != sbom.FileName {
					t.Errorf("%s has the attestations %v", id, attested)
				}
			}
			annotations := map[string]string{}
			for key, value := range res.Metadata {
				if a, ok, err := exptypes.ParseAnnotationKey(key); ok && err == nil {
					annotations[a.Key] = string(value)
				}
			}
			if diff := cmp.Diff(map[string]string{ocispecs.AnnotationTitle: "app"}, annotations); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnImageWithoutInlineCacheAndSBOMHasNone(t *testing.T) {
	ui := &dockerui.Client{}
	res, err := buildPlatforms(t.Context(), ui, func(context.Context, int) (*platformResult, error) {
		row := rowFor(ocispecs.Platform{OS: "linux", Architecture: "amd64"})
		row.inlineCache, row.attestations = nil, nil
		return row, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if config := string(res.Metadata[exptypes.ExporterImageConfigKey]); strings.Contains(config, "buildkit") || len(res.Attestations) > 0 {
		t.Errorf("%s, and %d attestations", config, len(res.Attestations))
	}
}

func TestAPlatformThatFailsFailsTheBuild(t *testing.T) {
	targets := []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
	ui := &dockerui.Client{Config: dockerui.Config{TargetPlatforms: targets, MultiPlatformRequested: true}}
	boom := errors.New("boom")
	for name, fail := range map[string]func() (*platformResult, error){
		"with an error": func() (*platformResult, error) { return nil, boom },
		"with a panic":  func() (*platformResult, error) { panic(boom) },
		"with a config that is too large": func() (*platformResult, error) {
			row := rowFor(targets[1])
			row.inlineCache = make([]byte, maxMessage)
			return row, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := buildPlatforms(t.Context(), ui, func(_ context.Context, i int) (*platformResult, error) {
				if i == 1 {
					return fail()
				}
				return rowFor(targets[0]), nil
			})
			if err == nil || !strings.Contains(err.Error(), "boom") && !strings.Contains(err.Error(), "configs of the images have") {
				t.Errorf("%v, %v", res, err)
			}
		})
	}
}
