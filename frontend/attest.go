package frontend

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/attestations"
	scan "github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/result"
	"github.com/moby/buildkit/util/bklog"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/sbom"
	"github.com/packfile/frontend/source/live"
)

// attester makes the attestations of images that the user asked for and that are the frontend's to make: SBOMs, and the materials
// of the provenance.
type attester struct {
	client gw.Client
	ui     *dockerui.Client
	door   *live.Door
	steps  steps
}

// steps runs states, and steps that answer questions.
type steps interface {
	// solve builds a state, and fails if that does.
	solve(context.Context, bk.State) (gw.Reference, error)
	// answerAll returns the answers to inquiries that do not depend on each other.
	answerAll(context.Context, []fact.Inquiry) (fact.Facts, error)
}

func (b *build) attester() attester { return attester{b.client, b.ui, b.door, b.solver} }

// attest returns the attestations about one platform's image. It runs steps: those that describe the target of a build, and the
// SBOM generator that the user named.
func (a attester) attest(ctx context.Context, d *graph.Decisions, img *image.Image, p ocispecs.Platform, built gw.Reference) ([]gw.Attestation, error) {
	if err := a.recordMaterials(ctx, d); err != nil {
		return nil, err
	}
	if a.ui.SBOM == nil {
		return nil, nil
	}
	document, err := a.document(ctx, d, img)
	if err != nil {
		return nil, err
	}
	if !a.hasGenerator() {
		return a.withContent(ctx, spdxAttestation(), documentState(document))
	}
	merged, err := a.generate(ctx, d, p, built, document)
	if err != nil {
		return nil, err
	}
	made := spdxAttestation()
	made.Kind, made.Path, made.InToto.Subjects = gwpb.AttestationKind_Bundle, "", nil // the generator's statements have their own
	attestations, err := a.withContent(ctx, made, merged)
	return attestations, a.generatorError(err)
}

// rebased returns the attestations about a rebased image: its SBOM label as a document. It returns none when the user named a
// generator, which is BuildKit's to run: there is no build that could merge what it finds.
func (a attester) rebased(ctx context.Context, img *dockerspec.DockerOCIImage) ([]gw.Attestation, error) {
	if a.ui.SBOM == nil || a.hasGenerator() {
		return nil, nil
	}
	document, err := image.DocumentOf(img)
	if err != nil {
		return nil, err
	}
	return a.withContent(ctx, spdxAttestation(), documentState(document))
}

// document returns the SBOM of the image, or of the target. It runs no step for the image, whose content is known already.
func (a attester) document(ctx context.Context, d *graph.Decisions, img *image.Image) (document []byte, err error) {
	if a.ui.Target == "" {
		document, err = img.Document()
	} else {
		document, err = a.targetDocument(ctx, d)
	}
	if document == nil && err == nil {
		err = errors.New("SBOM: not all layers are described")
	}
	return document, err
}

// targetDocument returns the SBOM of the target. It runs the step that describes it.
func (a attester) targetDocument(ctx context.Context, d *graph.Decisions) ([]byte, error) {
	inquiries, err := image.AskTarget(ctx, d)
	if err != nil {
		return nil, err
	}
	answers, err := a.steps.answerAll(ctx, inquiries)
	if err != nil {
		return nil, err
	}
	if d, err = d.With(answers); err != nil {
		return nil, err
	}
	return image.TargetDocument(d)
}

// spdxAttestation returns an attestation whose predicate is an SPDX document about the image itself.
func spdxAttestation() gw.Attestation {
	return gw.Attestation{
		Kind: gwpb.AttestationKind_InToto,
		Path: sbom.FileName,
		Metadata: map[string][]byte{
			result.AttestationReasonKey: []byte(result.AttestationReasonSBOM),
			result.AttestationSBOMCore:  []byte(scan.CoreSBOMName),
		},
		InToto: result.InTotoAttestation{
			PredicateType: spdxPredicate,
			Subjects:      []result.InTotoSubject{{Kind: gwpb.InTotoSubjectKind_Self}},
		},
	}
}

// spdxPredicate is the predicate type of in-toto statements with an SPDX document.
const spdxPredicate = "https://spdx.dev/Document"

// documentState returns a folder that holds our document and nothing else.
func documentState(document []byte) bk.State {
	return bk.Scratch().File(bk.Mkfile("/"+sbom.FileName, 0o644, document), dockerui.WithInternalName("SBOM"))
}

// withContent builds a state and returns an attestation with it as content.
func (a attester) withContent(ctx context.Context, made gw.Attestation, content bk.State) ([]gw.Attestation, error) {
	var err error
	if made.Ref, err = a.steps.solve(ctx, content); err != nil {
		return nil, err
	}
	return []gw.Attestation{made}, nil
}

// generate runs the SBOM generator on an image, and returns what it finds beside our document.
func (a attester) generate(ctx context.Context, d *graph.Decisions, p ocispecs.Platform, built gw.Reference, document []byte) (none bk.State, err error) {
	scanner, err := a.door.Scanner(ctx, a.ui.SBOM.Generator, a.ui.SBOM.Parameters)
	if err != nil {
		return none, a.generatorError(err)
	}
	scanned, err := built.ToState()
	if err != nil {
		return none, err
	}
	var opts []bk.ConstraintsOpt
	if a.ui.IsNoCache("") {
		opts = append(opts, bk.IgnoreCache)
	}
	found, err := scanner(ctx, platforms.FormatAll(platforms.Normalize(p)), scanned, nil, opts...)
	if err != nil {
		return none, a.generatorError(err)
	}
	return image.MergeSBOM(d.Builder, *found.Ref, a.ui.SBOM.Generator, document)
}

// generatorError adds to an error that it comes from the SBOM generator. It returns nil for nil.
func (a attester) generatorError(err error) error {
	if err == nil {
		return nil
	}
	return &said{message: fmt.Sprintf("SBOM generator %s: %v", a.ui.SBOM.Generator, err), error: err}
}

// hasGenerator reports whether the user named an SBOM generator. It reads the option itself, since BuildKit fills in a default
// generator, which we do not need.
func (a attester) hasGenerator() bool {
	opts := a.client.BuildOpts().Opts
	for _, name := range []string{"attest:" + attestations.KeyTypeSbom, buildArg + "BUILDKIT_ATTEST_" + strings.ToUpper(attestations.KeyTypeSbom)} {
		fields, err := csv.NewReader(strings.NewReader(opts[name])).Read()
		if err == nil && slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "generator=") }) {
			return true
		}
	}
	return false
}

// recordMaterials makes the provenance name the deps of reused layers, if the user asked for provenance. It does not fail the
// build when they are not to be had: the provenance names the previous image, whose own provenance says the rest.
func (a attester) recordMaterials(ctx context.Context, d *graph.Decisions) error {
	if _, asked := a.client.BuildOpts().Opts["attest:"+attestations.KeyTypeProvenance]; !asked {
		return nil
	}
	states, err := image.Materials(d)
	if err != nil {
		return err
	}
	eg, ctx := guard.NewGroup(ctx)
	for _, st := range states {
		eg.Go(func() error {
			if _, err := a.steps.solve(ctx, st); err != nil {
				bklog.G(ctx).Debugf("materials: %v", err)
			}
			return nil
		})
	}
	return eg.Wait()
}
