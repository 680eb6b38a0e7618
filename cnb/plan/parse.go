package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/packfile/frontend/measure"
)

// MaxSize is the largest size of a build plan file, in bytes.
const MaxSize = 1 << 20

// most is the largest measure of a build plan file. Real ones have some ten lines. The TOML library compares each key
// with all others.
var most = measure.Size{Bytes: MaxSize, Values: 10_000, Depth: 32}

// draftWarning names today's words for those of the first draft.
const draftWarning = "[[requests]] is a word of the first draft: write [[requires]], and its version as metadata.version"

// Parse reads a build plan file as bin/detect writes it. It ignores unknown keys. It reads words of the first draft as
// today's words, with a warning.
func Parse(data []byte) (p Plan, warnings []string, err error) {
	var r reader
	if p, err = r.file(data); err != nil {
		return Plan{}, nil, fmt.Errorf("build plan: %w", err)
	}
	if r.draft {
		warnings = append(warnings, draftWarning)
	}
	return p, warnings, nil
}

// reader reads a build plan.
type reader struct {
	draft bool // there were words of the first draft
}

func (r *reader) file(data []byte) (Plan, error) {
	doc, err := decode(data)
	if err != nil {
		return Plan{}, err
	}
	p, err := r.plan(doc)
	if err != nil {
		return Plan{}, err
	}
	alternatives, err := tables(doc, "or")
	if err != nil {
		return Plan{}, err
	}
	for i, table := range alternatives {
		or, err := r.plan(table)
		if err != nil {
			return Plan{}, fmt.Errorf("[[or]] %d: %w", i+1, err)
		}
		p.Or = append(p.Or, or)
	}
	return p, nil
}

// plan reads the provides and requires of one alternative.
func (r *reader) plan(table map[string]any) (p Plan, err error) {
	if err := each(table, "provides", func(name string, _ map[string]any) error {
		p.Provides = append(p.Provides, Provide{Name: name})
		return nil
	}); err != nil {
		return Plan{}, err
	}
	if err := each(table, "requires", func(name string, require map[string]any) error {
		metadata, err := metadataOf(require)
		p.Requires = append(p.Requires, Require{Name: name, Metadata: metadata})
		return err
	}); err != nil {
		return Plan{}, err
	}
	if err := each(table, "requests", func(name string, request map[string]any) error {
		r.draft = true
		metadata, err := metadataOfDraft(request)
		p.Requires = append(p.Requires, Require{Name: name, Metadata: metadata})
		return err
	}); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// each calls a function for every table of an array, with the name that stands in it.
func each(table map[string]any, key string, f func(name string, entry map[string]any) error) error {
	entries, err := tables(table, key)
	if err != nil {
		return err
	}
	for i, entry := range entries {
		name, err := text(entry, "name")
		if err == nil && name == "" {
			err = errors.New("no name")
		}
		if err != nil {
			return fmt.Errorf("[[%s]] %d: %w", key, i+1, err)
		}
		if err := f(name, entry); err != nil {
			return fmt.Errorf("[[%s]] %s: %w", key, quote(name), err)
		}
	}
	return nil
}

// metadataOf returns the metadata of a [[requires]]. It fails when a version stands beside the metadata, as the lifecycle
// does.
func metadataOf(require map[string]any) (map[string]any, error) {
	version, err := text(require, "version")
	if err != nil {
		return nil, err
	}
	if version != "" {
		return nil, errors.New("write version as metadata.version")
	}
	metadata := find(require, "metadata")
	table, ok := metadata.(map[string]any)
	if metadata != nil && !ok {
		return nil, errors.New("metadata is no table: write [requires.metadata]")
	}
	return table, nil
}

// metadataOfDraft returns the metadata of a [[requests]], which was an array of tables, with the version that stood
// beside it.
func metadataOfDraft(request map[string]any) (map[string]any, error) {
	version, err := text(request, "version")
	if err != nil {
		return nil, err
	}
	var parts []map[string]any
	if table, ok := find(request, "metadata").(map[string]any); ok {
		parts = append(parts, table)
	} else if parts, err = tables(request, "metadata"); err != nil {
		return nil, err
	}
	if version != "" {
		parts = append(parts, map[string]any{"version": version})
	}
	if len(parts) == 0 {
		return nil, nil
	}
	whole := map[string]any{}
	for _, part := range parts {
		for _, key := range slices.Sorted(maps.Keys(part)) {
			if _, twice := whole[key]; twice {
				return nil, fmt.Errorf("%s is there twice", quote(key))
			}
			whole[key] = part[key]
		}
	}
	return whole, nil
}
