// Package merge adds our SPDX document to that of an SBOM generator about the same image. It decodes as little as that
// takes, and keeps the rest. packfile-step uses it. It is apart from package sbom, which writes our document, so that
// packfile-step does not link that package.
package merge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/measure"
)

// Of in-toto statements (https://github.com/in-toto/attestation) and of SPDX documents in them.
const (
	spdxPredicate = "https://spdx.dev/Document"
	spdxVersion   = "SPDX-2.3" // what documents of an earlier 2.x are too
	spdxNamespace = "https://packfile.io/spdx/sha256-"
	coreName      = "sbom" // the statement with this file name is about the image itself, others are about more
)

// maxStatement is the size of the largest statement that BuildKit takes, in bytes.
const maxStatement = 80 << 20

// mostOfStatement is the largest measure of a statement.
var mostOfStatement = measure.Size{Bytes: maxStatement, Values: 5_000_000, Depth: measure.Record.Depth}

// object is a JSON object of which we change a few fields. All others stay as they are.
type object = map[string]any

// Folder copies the in-toto statements that an SBOM generator left in folder found into the new folder merged, and adds
// our SPDX document to the statement about the image. The generator is not ours: Folder checks all of its files, so that
// an error names the generator's file and does not come from BuildKit's exporter.
func Folder(found string, ours []byte, merged string) error {
	entries, err := os.ReadDir(found)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("it left no SBOM")
	}
	core := 0
	for i, e := range entries {
		if base, _, _ := strings.Cut(e.Name(), "."); base == coreName {
			core = i
		}
	}
	if err := os.Mkdir(merged, 0o755); err != nil {
		return err
	}
	for i, e := range entries {
		data, err := readStatement(filepath.Join(found, e.Name()))
		if err == nil {
			data, err = checkStatement(data, ours, i == core)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", e.Name(), err)
		}
		if err := os.WriteFile(filepath.Join(merged, e.Name()), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checkStatement checks a statement of a generator and returns it, with our document in it if withOurs is set.
func checkStatement(data, ours []byte, withOurs bool) ([]byte, error) {
	var statement object
	if err := decodeObject(data, &statement); err != nil {
		return nil, fmt.Errorf("it is no in-toto statement: %w", err)
	}
	if kind := statement["predicateType"]; kind != spdxPredicate {
		return nil, fmt.Errorf("it is no in-toto statement about SPDX: its predicateType is %.100q, not %q", fmt.Sprint(kind), spdxPredicate)
	}
	theirs, ok := statement["predicate"].(object)
	if version, _ := theirs["spdxVersion"].(string); !ok || !strings.HasPrefix(version, "SPDX-2.") {
		return nil, fmt.Errorf("its predicate is no SPDX document of version 2: spdxVersion is %.100q", version)
	}
	if !withOurs {
		return data, nil
	}
	var document object
	if err := decodeObject(ours, &document); err != nil {
		return nil, err
	}
	if err := mergeDocuments(theirs, document); err != nil {
		return nil, err
	}
	return json.Marshal(statement)
}

// readStatement reads a regular file. It follows no link.
func readStatement(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	if info.Size() > maxStatement {
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxStatement)
	}
	return os.ReadFile(path)
}

// decodeObject decodes one JSON object. Numbers stay as they are written.
func decodeObject(data []byte, into *object) error {
	if _, err := measure.JSON(data, mostOfStatement); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if *into == nil {
		return errors.New("it is null")
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is more behind it")
	}
	return nil
}

// mergeDocuments adds the packages and relationships of our SPDX document to theirs, which gets a new namespace: a
// namespace stands for one content.
func mergeDocuments(theirs, ours object) error {
	taken := map[string]bool{}
	for _, list := range []string{"packages", "files", "snippets"} {
		elements, err := elements(theirs, list)
		if err != nil {
			return err
		}
		for _, e := range elements {
			if o, ok := e.(object); ok {
				taken[fmt.Sprint(o["SPDXID"])] = true
			}
		}
	}
	rename(ours, taken)
	for _, list := range []string{"packages", "relationships"} {
		have, err := elements(theirs, list)
		if err != nil {
			return err
		}
		added, err := elements(ours, list)
		if err != nil {
			return err
		}
		theirs[list] = append(have, added...)
	}
	if err := addCreators(theirs, ours); err != nil {
		return err
	}
	theirs["spdxVersion"] = spdxVersion
	data, err := json.Marshal(theirs)
	if err != nil {
		return err
	}
	theirs["documentNamespace"] = spdxNamespace + digest.FromBytes(data).Encoded()
	return nil
}

// elements returns a list of a document, empty when the document has none.
func elements(document object, name string) ([]any, error) {
	list, ok := document[name].([]any)
	if !ok && document[name] != nil {
		return nil, fmt.Errorf("%s of its SPDX document is no list", name)
	}
	return list, nil
}

// rename gives an element of our document another id when theirs has an element with that id.
func rename(ours object, taken map[string]bool) {
	renamed := map[any]string{}
	packages, _ := ours["packages"].([]any)
	for _, p := range packages {
		p := p.(object)
		id, free := p["SPDXID"].(string), ""
		for free = id; taken[free]; free += "-packfile" {
		}
		p["SPDXID"], renamed[id], taken[free] = free, free, true
	}
	relationships, _ := ours["relationships"].([]any)
	for _, r := range relationships {
		r := r.(object)
		for _, end := range []string{"spdxElementId", "relatedSpdxElement"} {
			if id, ok := renamed[r[end]]; ok {
				r[end] = id
			}
		}
	}
}

// addCreators adds our creators to those of the merged document.
func addCreators(theirs, ours object) error {
	info, ok := theirs["creationInfo"].(object)
	if !ok {
		return errors.New("its SPDX document has no creationInfo")
	}
	have, err := elements(info, "creators")
	if err != nil {
		return err
	}
	added, err := elements(ours["creationInfo"].(object), "creators")
	if err != nil {
		return err
	}
	for _, c := range added {
		if !slices.Contains(have, c) {
			have = append(have, c)
		}
	}
	info["creators"] = have
	return nil
}
