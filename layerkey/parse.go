package layerkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/text"
)

// MaxRecord is the largest record that is read, and the largest label, in bytes.
const MaxRecord = 8 << 20

const (
	maxLayers = 10_000
	maxName   = 256          // bytes of a layer's name
	maxTime   = 253402300799 // the end of the year 9999, after which RFC 3339 has no form for a time
)

// ParseLabel reads the label of an image, which anyone can have written: its metadata keeps its bounds, and its keys
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

		RunPackages *RunPackages `json:"runPackages"`
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
	if raw.RunPackages != nil {
		if err := raw.RunPackages.check(); err != nil {
			return Label{}, fmt.Errorf("runPackages: %w", err)
		}
	}
	label := Label{Name: raw.Name, Version: raw.Version, Time: raw.Time, RunPackages: raw.RunPackages}
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
	if err := r.Metadata.Check(); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if err := r.Parts.Metadata.Check(); err != nil {
		return fmt.Errorf("parts.metadata: %w", err)
	}
	for _, table := range r.Parts.Requires {
		if err := table.Check(); err != nil {
			return fmt.Errorf("parts.requires: %w", err)
		}
	}
	for _, dep := range r.Parts.Deps {
		if err := dep.Metadata.Check(); err != nil {
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
