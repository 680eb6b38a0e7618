// Package sbom writes software bills of materials for app images: SPDX 2.3 documents in JSON that say what an image is
// made of, according to its packfile and the metadata of its layers. It reads no file and asks no network.
//
// Equal values give equal bytes. All values may come from an attacker: a value that SPDX does not allow is left out or
// becomes NOASSERTION, and is never an error.
package sbom

import (
	"bytes"
	"cmp"
	_ "crypto/sha256" // go-digest calls it
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/packfile/frontend/metadata"
)

// FileName is the file name of a document in the folders where Cloud Native Buildpacks have theirs (Buildpack API,
// "Bill-of-Materials").
const FileName = "sbom.spdx.json"

// creator is the tool that documents name, without a version: an image does not depend on the version that made it.
const creator = "packfile-frontend"

// namespace begins the namespace of every document; the document's digest ends it. The address leads nowhere.
const namespace = "https://packfile.io/spdx/sha256-"

// Image is an image and the layers that it is made of.
type Image struct {
	Name, Version string
	Layers        []Layer
	Debs          []Deb // packages of the distribution that the image has more than its run image
}

// Layer is one layer of the packfile.
type Layer struct {
	Name     string
	Metadata metadata.Table // as its run step left it
	Links    []string       // names of other layers in the image that it links
}

// Document returns the SPDX document of an image, with created as its time.
func (im Image) Document(created time.Time) ([]byte, error) {
	image := newPackage("image", im.Name, im.Version, nil)
	image.PrimaryPackagePurpose = "CONTAINER"
	d := newDocument(image)
	ids := map[string]common.ElementID{}
	for _, l := range im.Layers {
		ids[l.Name] = d.addLayer(l)
		d.relate(image.PackageSPDXIdentifier, common.TypeRelationshipContains, ids[l.Name])
	}
	for _, l := range im.Layers {
		for _, name := range l.Links {
			if linked, ok := ids[name]; ok {
				d.relate(ids[l.Name], common.TypeRelationshipDependsOn, linked)
			}
		}
	}
	d.addDebs(image, im.Debs)
	return d.encode(created)
}

// Document returns the SPDX document of one layer, with created as its time.
func (l Layer) Document(created time.Time) ([]byte, error) {
	d := newDocument(l.pkg())
	d.addDeps(l)
	return d.encode(created)
}

// pkg returns the layer as a package.
func (l Layer) pkg() *v2_3.Package {
	return newPackage("layer", l.Name, l.Metadata.Text(metadata.Version), l.Metadata)
}

// document is an SPDX document of which one package is the root.
type document struct {
	root     *v2_3.Package
	packages map[common.ElementID]*v2_3.Package
	relation map[string]*v2_3.Relationship
	licenses map[string]*v2_3.OtherLicense // that SPDX does not list, by id
}

func newDocument(root *v2_3.Package) *document {
	d := &document{
		root: root, packages: map[common.ElementID]*v2_3.Package{}, relation: map[string]*v2_3.Relationship{},
		licenses: map[string]*v2_3.OtherLicense{},
	}
	d.add(root)
	d.relate("DOCUMENT", common.TypeRelationshipDescribe, root.PackageSPDXIdentifier)
	return d
}

// add adds a package and returns its id. Equal packages, such as a dep that two layers have, become one.
func (d *document) add(p *v2_3.Package) common.ElementID {
	d.packages[p.PackageSPDXIdentifier] = p
	return p.PackageSPDXIdentifier
}

func (d *document) addLayer(l Layer) common.ElementID {
	d.add(l.pkg())
	return d.addDeps(l)
}

// addDeps adds a layer with its deps, and returns the layer's id.
func (d *document) addDeps(l Layer) common.ElementID {
	layer := l.pkg().PackageSPDXIdentifier
	for _, dep := range deps(l.Metadata) {
		d.relate(layer, common.TypeRelationshipDependsOn, d.add(dep.pkg()))
	}
	return layer
}

func (d *document) relate(a common.ElementID, relationship string, b common.ElementID) {
	d.relation[strings.Join([]string{string(a), relationship, string(b)}, " ")] = &v2_3.Relationship{
		RefA: common.DocElementID{ElementRefID: a}, RefB: common.DocElementID{ElementRefID: b}, Relationship: relationship,
	}
}

// encode returns the document in JSON. Its namespace is made of everything else, so that documents with the same
// namespace are equal.
func (d *document) encode(created time.Time) ([]byte, error) {
	doc := &v2_3.Document{
		SPDXVersion:    v2_3.Version,
		DataLicense:    v2_3.DataLicense,
		SPDXIdentifier: "DOCUMENT",
		DocumentName:   strings.TrimSpace(d.root.PackageName + " " + d.root.PackageVersion),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: creator}},
			Created:  created.UTC().Format(time.RFC3339),
		},
		Packages:      sorted(d.packages),
		OtherLicenses: sorted(d.licenses),
		Relationships: sorted(d.relation),
	}
	unnamed, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	doc.DocumentNamespace = namespace + digest.FromBytes(unnamed).Encoded()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	err = enc.Encode(doc)
	return out.Bytes(), err
}

// sorted returns the values of a map in the order of their keys.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	values := make([]V, len(keys))
	for i, k := range keys {
		values[i] = m[k]
	}
	return values
}
