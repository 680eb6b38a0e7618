package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// statement is an in-toto statement of an attestation.
type statement struct {
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
	Subject       []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

const (
	spdxPredicate = "https://spdx.dev/Document"
	slsaPredicate = "https://slsa.dev/provenance/v1"
)

// attested is a pushed index: its images, and what is attested of each, by platform.
type attested struct {
	pushed
	images     map[string]ocispecs.Descriptor
	statements map[string][]statement
}

// attest builds an image with attestations, pushes it and reads all of it back.
func (r request) attest(t *testing.T) (built, attested) {
	t.Helper()
	r.image = or(r.image, imageName(t))
	b := r.build(t)
	return b, pullAttested(t, r.image)
}

func pullAttested(t *testing.T, name string) attested {
	t.Helper()
	a := attested{pushed: pushed{name: name}, images: map[string]ocispecs.Descriptor{}, statements: map[string][]statement{}}
	index := indexOf(t, name)
	platform := map[string]string{}
	for _, m := range index.Manifests {
		if m.Annotations["vnd.docker.reference.type"] == "" {
			platform[m.Digest.String()] = platforms.Format(*m.Platform)
			a.images[platforms.Format(*m.Platform)] = m
		}
	}
	for _, m := range index.Manifests {
		of, ok := platform[m.Annotations["vnd.docker.reference.digest"]]
		if !ok {
			continue
		}
		var manifest ocispecs.Manifest
		decode(t, raw(t, strings.TrimSuffix(name, ":latest")+"@"+m.Digest.String()), &manifest)
		for _, l := range manifest.Layers {
			var s statement
			decode(t, a.blobData(t, l.Digest), &s)
			a.statements[of] = append(a.statements[of], s)
		}
	}
	return a
}

// one is the only statement of a kind about the image of a platform.
func (a attested) one(t *testing.T, platform, predicate string) statement {
	t.Helper()
	var found []statement
	for _, s := range a.statements[platform] {
		if s.PredicateType == predicate {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d statements about %s of %d", platform, len(found), predicate, len(a.statements[platform]))
	}
	return found[0]
}

// provenance is what a provenance has that tests ask for.
type provenance struct {
	BuildDefinition struct {
		ResolvedDependencies []material `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
}

type material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

func (a attested) materials(t *testing.T, platform string) []material {
	t.Helper()
	var p provenance
	decode(t, a.one(t, platform, slsaPredicate).Predicate, &p)
	return p.BuildDefinition.ResolvedDependencies
}

// hasMaterial fails unless something is among the materials.
func hasMaterial(t *testing.T, build string, all []material, uriPart, sha256 string) {
	t.Helper()
	for _, m := range all {
		if strings.Contains(m.URI, uriPart) && (sha256 == "" || m.Digest["sha256"] == sha256) {
			return
		}
	}
	t.Errorf("%s: no material %s, sha256 %s, in %+v", build, uriPart, sha256, all)
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v:\n%.1000s", err, data)
	}
}
