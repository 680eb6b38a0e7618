package layerkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// Bounds of the metadata of a layer: labels of the image hold it, and every later build reads it into memory.
const (
	MaxMetadataBytes   = 1 << 20 // names and values together
	MaxMetadataEntries = 10_000
	MaxMetadataDepth   = 32 // of tables in tables
)

// MaxRecord is the largest record that is read, and the largest label, in bytes.
const MaxRecord = 8 << 20

const (
	maxLayers = 10_000
	maxName   = 256          // bytes of a layer's name
	maxTime   = 253402300799 // the end of the year 9999, after which RFC 3339 has no form for a time
)

// ParseLabel reads the label of an image, which anyone can have written: its result keeps the bounds above, and its keys
// and digests are valid or absent. It ignores unknown fields. Errors are one line.
func ParseLabel(data string) (Label, error) {
	label, err := parseLabel(data)
	if err != nil {
		return Label{}, fmt.Errorf("label %s: %w", LabelName, err)
	}
	return label, nil
}

func parseLabel(data string) (Label, error) {
	var raw struct {
		Name    string            `json:"name"`
		Version string            `json:"version"`
		Time    int64             `json:"time"`
		Layers  []json.RawMessage `json:"layers"` // one by one, so that errors can say which
	}
	if err := decode([]byte(data), &raw); err != nil {
		return Label{}, err
	}
	if raw.Time < 0 || raw.Time > maxTime {
		return Label{}, fmt.Errorf("time: %d is not between 1970 and 9999", raw.Time)
	}
	if len(raw.Name) > maxName || len(raw.Version) > maxName {
		return Label{}, fmt.Errorf("name, version: one is longer than %d bytes", maxName)
	}
	if len(raw.Layers) > maxLayers {
		return Label{}, fmt.Errorf("layers: there are %d, more than %d", len(raw.Layers), maxLayers)
	}
	label := Label{Name: raw.Name, Version: raw.Version, Time: raw.Time}
	seen := map[string]bool{}
	for i, data := range raw.Layers {
		r, err := ParseRecord(data)
		if err == nil && seen[r.Parts.Layer] {
			err = fmt.Errorf("parts.layer: there is another layer in %s", text.Short(r.Parts.Layer))
		}
		if err != nil {
			return Label{}, fmt.Errorf("layer %d (%s): %w", i+1, text.Short(r.Name), err)
		}
		seen[r.Parts.Layer] = true
		label.Layers = append(label.Layers, r)
	}
	return label, nil
}

// ParseRecord reads a record as ParseLabel does. With an error the result has a name at most.
func ParseRecord(data []byte) (Record, error) {
	var r Record
	err := decode(data, &r)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return Record{Name: r.Name}, err
	}
	return r, nil
}

// decode reads JSON. Errors name the field, and show at most one byte of the data.
func decode(data []byte, into any) error {
	most := measure.Record
	most.Bytes = MaxRecord
	err := measure.DecodeJSON(data, most, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(wrong.Value, " ") // a number has its digits after it
		if wrong.Field == "" {
			return fmt.Errorf("it is a JSON %s", kind)
		}
		return fmt.Errorf("%s: it is a JSON %s", wrong.Field, kind)
	}
	return err
}

// check returns an error for the first part of a record that is not valid.
func (r Record) check() error {
	switch {
	case r.Name == "":
		return errors.New("name: it is empty")
	case len(r.Name) > maxName:
		return fmt.Errorf("name: it is longer than %d bytes", maxName)
	case r.Parts.Layer == "":
		return errors.New("parts.layer: it is empty")
	case r.Key != "" && !isDigest(r.Key):
		return fmt.Errorf("key: %s is not 64 hex digits", text.Short(r.Key))
	}
	if err := checkDigest(r.Content); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if err := checkDigest(r.DiffID); err != nil {
		return fmt.Errorf("diffID: %w", err)
	}
	if err := checkMetadata(r.Metadata); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if err := checkMetadata(r.Parts.Metadata); err != nil {
		return fmt.Errorf("parts.metadata: %w", err)
	}
	for _, table := range r.Parts.Requires {
		if err := checkMetadata(table); err != nil {
			return fmt.Errorf("parts.requires: %w", err)
		}
	}
	for _, dep := range r.Parts.Deps {
		if err := checkMetadata(dep.Metadata); err != nil {
			return fmt.Errorf("parts.deps: metadata of %s: %w", text.Short(dep.Name), err)
		}
	}
	return nil
}

// checkDigest checks a digest that may be absent.
func checkDigest(value string) error {
	if value == "" {
		return nil
	}
	d := digest.Digest(value)
	if d.Validate() != nil || d.Algorithm() != digest.SHA256 {
		return fmt.Errorf("%s is not a SHA-256 digest", text.Short(value))
	}
	return nil
}

// checkMetadata checks that metadata consists of strings, and tables of strings, within its bounds, and that a folder can
// hold it.
func checkMetadata(metadata map[string]any) error {
	var c metadataCheck
	return c.table("", metadata, 0)
}

// metadataCheck counts the entries and bytes of metadata.
type metadataCheck struct{ entries, bytes int }

func (c *metadataCheck) table(path string, table map[string]any, depth int) error {
	if depth > MaxMetadataDepth {
		return fmt.Errorf("tables are nested more than %d deep", MaxMetadataDepth)
	}
	if c.entries += len(table); c.entries > MaxMetadataEntries {
		return fmt.Errorf("there are more than %d entries", MaxMetadataEntries)
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		path := text.Cut(path + key)
		c.bytes += len(key)
		if problem := step.CheckName(key); problem != "" {
			return fmt.Errorf("%s cannot be the name of a file: it %s", text.Word(path), problem)
		}
		var err error
		switch value := table[key].(type) {
		case string:
			c.bytes += len(value)
		case map[string]any:
			err = c.table(path+".", value, depth+1)
		default:
			err = fmt.Errorf("%s is neither a string nor a table", text.Word(path))
		}
		if err != nil {
			return err
		}
		if c.bytes > MaxMetadataBytes {
			return fmt.Errorf("there are more than %d bytes", MaxMetadataBytes)
		}
	}
	return nil
}
