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
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations"
	scan "github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/result"
	"github.com/moby/buildkit/util/bklog"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/sbom"
)

// spdxPredicate is the type of in-toto statements that have an SPDX document as their predicate.
const spdxPredicate = "https://spdx.dev/Document"

// attest makes what is to be attested of one platform's result, as far as it is ours to make.
func (b *build) attest(ctx context.Context, d *convert.Decisions, in convert.Input, res *dockerui.BuildResult) error {
	if err := b.recordMaterials(ctx, d); err != nil {
		return err
	}
	return b.makeSBOM(ctx, d, in, res)
}

// makeSBOM makes the SBOM of one platform's result, if it is asked for: ours, or with a generator ours and what that finds
// in the image, as one document.
func (b *build) makeSBOM(ctx context.Context, d *convert.Decisions, in convert.Input, res *dockerui.BuildResult) error {
	if b.ui.SBOM == nil {
		return nil
	}
	if b.ui.Target != "" {
		var err error
		if d, err = b.describeTarget(ctx, d); err != nil {
			return err
		}
	}
	document, err := d.SBOMDocument()
	if err != nil {
		return err
	}
	if document == nil {
		return errors.New("SBOM: not all layers are described")
	}
	made := spdxAttestation()
	if !b.hasGenerator() {
		return b.addSBOM(ctx, in.Platform, made, documentState(document))
	}
	merged, err := b.generateSBOM(ctx, d, in.Platform, res.Reference, document)
	if err != nil {
		return err
	}
	made.Kind, made.Path, made.InToto.Subjects = gwpb.AttestationKind_Bundle, "", nil // the generator's statements have their own
	return b.generatorError(b.addSBOM(ctx, in.Platform, made, merged))
}

// makeRebasedSBOM makes the SBOM of a rebased image, which is what its label says. A generator is BuildKit's to run: there is
// no build that could merge what it finds.
func (b *build) makeRebasedSBOM(ctx context.Context, img *dockerspec.DockerOCIImage) error {
	if b.ui.SBOM == nil || b.hasGenerator() {
		return nil
	}
	document, err := convert.SBOMOf(img)
	if err != nil {
		return err
	}
	return b.addSBOM(ctx, img.Platform, spdxAttestation(), documentState(document))
}

// spdxAttestation is an attestation whose predicate is an SPDX document about the image itself.
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

// documentState is a folder with our document alone.
func documentState(document []byte) bk.State {
	return bk.Scratch().File(bk.Mkfile("/"+sbom.FileName, 0o644, document), dockerui.WithInternalName("SBOM"))
}

// addSBOM keeps an attestation that has its content in a state.
func (b *build) addSBOM(ctx context.Context, p ocispecs.Platform, made gw.Attestation, content bk.State) (err error) {
	if made.Ref, err = b.solve(ctx, content); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sboms[platformID(p)] = made
	return nil
}

// describeTarget finds out what the target has in it: for the image that is known already.
func (b *build) describeTarget(ctx context.Context, d *convert.Decisions) (*convert.Decisions, error) {
	inquiries, err := d.AskTarget(ctx)
	if err != nil {
		return nil, err
	}
	answers, err := b.answerAll(ctx, inquiries)
	if err != nil {
		return nil, err
	}
	return d.With(answers)
}

// generateSBOM is what the SBOM generator finds in an image, with our document in its own.
func (b *build) generateSBOM(ctx context.Context, d *convert.Decisions, p ocispecs.Platform, image gw.Reference, document []byte) (none bk.State, err error) {
	native := b.ui.BuildPlatforms[0]
	scanner, err := scan.CreateSBOMScanner(ctx, b.client, b.ui.SBOM.Generator, native, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &native, ResolveMode: b.ui.ImageResolveMode.String()},
	}, b.ui.SBOM.Parameters)
	if err != nil {
		return none, b.generatorError(err)
	}
	scanned, err := image.ToState()
	if err != nil {
		return none, err
	}
	var opts []bk.ConstraintsOpt
	if b.ui.IsNoCache("") {
		opts = append(opts, bk.IgnoreCache)
	}
	found, err := scanner(ctx, platformID(p), scanned, nil, opts...)
	if err != nil {
		return none, b.generatorError(err)
	}
	return d.MergeSBOM(*found.Ref, b.ui.SBOM.Generator, document)
}

// generatorError says of an error that it is about the SBOM generator.
func (b *build) generatorError(err error) error {
	if err == nil {
		return nil
	}
	return &said{message: fmt.Sprintf("SBOM generator %s: %v", b.ui.SBOM.Generator, err), error: err}
}

// addSBOMs adds the SBOMs of all platforms to the result.
func (b *build) addSBOMs(ctx context.Context, rb *dockerui.ResultBuilder) error {
	return rb.EachPlatform(ctx, platformVisit(func(_ context.Context, id string, p ocispecs.Platform) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		made, ok := b.sboms[platformID(p)]
		if len(b.sboms) == 1 { // when the user named no platform, dockerui's idea of the default may be another
			for _, made = range b.sboms {
				ok = true
			}
		}
		if ok {
			rb.AddAttestation(id, made)
		}
		return nil
	}))
}

func platformID(p ocispecs.Platform) string { return platforms.FormatAll(platforms.Normalize(p)) }

// hasGenerator says whether the user named an SBOM generator. BuildKit's own reading of the option fills in its default,
// which is not wanted: we need none.
func (b *build) hasGenerator() bool {
	opts := b.client.BuildOpts().Opts
	for _, name := range []string{"attest:" + attestations.KeyTypeSbom, buildArg + "BUILDKIT_ATTEST_" + strings.ToUpper(attestations.KeyTypeSbom)} {
		fields, err := csv.NewReader(strings.NewReader(opts[name])).Read()
		if err == nil && slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "generator=") }) {
			return true
		}
	}
	return false
}

// recordMaterials makes the provenance name the deps of layers that are reused, if it is asked for. That it cannot is no
// reason to fail: the previous image is named, and its provenance says the rest.
func (b *build) recordMaterials(ctx context.Context, d *convert.Decisions) error {
	if _, asked := b.client.BuildOpts().Opts["attest:"+attestations.KeyTypeProvenance]; !asked {
		return nil
	}
	states, err := d.Materials()
	if err != nil {
		return err
	}
	eg, ctx := guard.NewGroup(ctx)
	for _, st := range states {
		eg.Go(func() error {
			if _, err := b.solve(ctx, st); err != nil {
				bklog.G(ctx).Debugf("materials: %v", err)
			}
			return nil
		})
	}
	return eg.Wait()
}
