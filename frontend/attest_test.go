package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/result"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/sbom"
)

func TestAnSBOMGeneratorIsOneThatTheUserNamed(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "true": false, "type=sbom": false, "generator=example.com/scan": true, "type=sbom,generator=example.com/scan": true,
		`"generator=a,b",x`: true, "my-generator=x": false, `"`: false,
	} {
		for _, option := range []string{"attest:sbom", "build-arg:BUILDKIT_ATTEST_SBOM"} {
			a := attester{client: &fakeGateway{opts: map[string]string{option: value}}}
			if got := a.hasGenerator(); got != want {
				t.Errorf("%s=%s: %t", option, value, got)
			}
		}
	}
}

// fakeSteps builds states into the files that their operations make.
type fakeSteps struct {
	built map[string][]byte // content of files by name
	err   error
}

func (s *fakeSteps) solve(ctx context.Context, st bk.State) (gw.Reference, error) {
	if s.err != nil {
		return nil, s.err
	}
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ops, err := llb.ParseOperations(def.Def)
	for _, op := range ops {
		for _, action := range op.GetFile().GetActions() {
			s.built[action.GetMkfile().GetPath()] = action.GetMkfile().GetData()
		}
	}
	return namedRef{name: "built"}, err
}

func (s *fakeSteps) answerAll(context.Context, []fact.Inquiry) (fact.Facts, error) {
	return nil, errors.New("nothing is asked here")
}

func TestARebasedImageIsAttestedWhatItsLabelSays(t *testing.T) {
	data, err := json.Marshal(layerkey.Label{Name: "acme/app", Layers: []layerkey.Record{{Name: "node", Parts: layerkey.Parts{Layer: "/layers/packfile/node"}}}})
	if err != nil {
		t.Fatal(err)
	}
	img := &dockerspec.DockerOCIImage{}
	img.Config.Labels = map[string]string{layerkey.LabelName: string(data), label.Lifecycle: "{}"}
	steps := &fakeSteps{built: map[string][]byte{}}
	asked := &dockerui.Client{Config: dockerui.Config{SBOM: &dockerui.SBOM{}}}
	made, err := attester{client: &fakeGateway{}, ui: asked, steps: steps}.rebased(t.Context(), img)
	if err != nil || len(made) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	a := made[0]
	if a.Kind != gwpb.AttestationKind_InToto || a.Path != sbom.FileName || a.InToto.PredicateType != "https://spdx.dev/Document" ||
		string(a.Metadata[result.AttestationReasonKey]) != "sbom" || a.Ref.(namedRef).name != "built" {
		t.Errorf("%+v", a)
	}
	if document := string(steps.built["/"+sbom.FileName]); !strings.Contains(document, "acme/app") {
		t.Errorf("the document is %s", document)
	}

	for name, test := range map[string]attester{
		"when nobody asks":                      {client: &fakeGateway{}, ui: &dockerui.Client{}, steps: steps},
		"when a generator is BuildKit's to run": {client: &fakeGateway{opts: map[string]string{"attest:sbom": "generator=x"}}, ui: asked, steps: steps},
	} {
		if made, err := test.rebased(t.Context(), img); len(made) > 0 || err != nil {
			t.Errorf("%s: %v, %v", name, made, err)
		}
	}
	failing := attester{client: &fakeGateway{}, ui: asked, steps: &fakeSteps{err: errors.New("boom")}}
	if made, err := failing.rebased(t.Context(), img); len(made) > 0 || err == nil {
		t.Errorf("when it cannot be built: %v, %v", made, err)
	}
}

func TestWhatAGeneratorGetsWrongIsSaidToBeItsFault(t *testing.T) {
	a := attester{ui: &dockerui.Client{Config: dockerui.Config{SBOM: &dockerui.SBOM{Generator: "example.com/scan"}}}}
	boom := errors.New("boom")
	if err := a.generatorError(boom); err.Error() != "SBOM generator example.com/scan: boom" || !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := a.generatorError(nil); err != nil {
		t.Error(err)
	}
}
