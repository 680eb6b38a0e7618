package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

// writeMetadata writes metadata below dir: a file per value, a folder per table. Values are strings or tables.
func writeMetadata(dir string, metadata map[string]any) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return writeTable(root, ".", metadata)
}

func writeTable(root *os.Root, dir string, table map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if problem := step.CheckName(key); problem != "" {
			return fmt.Errorf("metadata: %q cannot be the name of a file: it %s", key, problem)
		}
		name := path.Join(dir, key)
		switch value := table[key].(type) {
		case string:
			if err := root.WriteFile(name, []byte(step.FileValue(value)), 0o644); err != nil {
				return err
			}
		case map[string]any:
			if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if err := writeTable(root, name, value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("metadata: %s is neither a string nor a table", name)
		}
	}
	return nil
}

// readMetadata reads the metadata that scripts left in $MD. It skips private names (step.IsPrivate). It fails for an
// entry that is neither file nor folder, for a value that JSON cannot hold, and for more than layers may have; the error
// names the entry.
func readMetadata(dir string) (map[string]any, error) {
	// A script can put anything in place of the folder itself.
	if info, err := os.Lstat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, errors.New("$MD is not a folder any more")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	r := metadataReader{root: root}
	return r.table(".", 0)
}

type metadataReader struct {
	root           *os.Root
	entries, bytes int
}

func (r *metadataReader) table(dir string, depth int) (map[string]any, error) {
	if depth > layerkey.MaxMetadataDepth {
		return nil, fmt.Errorf("$MD/%s: folders are nested more than %d deep", dir, layerkey.MaxMetadataDepth)
	}
	f, err := r.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Read no more than the limit: a folder can be larger than memory.
	entries, err := f.ReadDir(layerkey.MaxMetadataEntries + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if r.entries += len(entries); r.entries > layerkey.MaxMetadataEntries {
		return nil, fmt.Errorf("$MD has more than %d entries", layerkey.MaxMetadataEntries)
	}
	table := map[string]any{}
	for _, entry := range entries {
		key := entry.Name()
		if step.IsPrivate(key) {
			continue
		}
		name := path.Join(dir, key)
		if problem := step.CheckName(key); problem != "" {
			return nil, fmt.Errorf("$MD/%q: the name %s", name, problem)
		}
		if err := r.count(len(key)); err != nil {
			return nil, err
		}
		switch {
		case entry.IsDir():
			table[key], err = r.table(name, depth+1)
		case entry.Type().IsRegular():
			table[key], err = r.value(name)
		default:
			err = fmt.Errorf("$MD/%s is a %s; metadata is made of files and folders", name, layer.TypeName(entry.Type()))
		}
		if err != nil {
			return nil, err
		}
	}
	return table, nil
}

func (r *metadataReader) value(name string) (string, error) {
	info, err := r.root.Lstat(name)
	if err != nil {
		return "", err
	}
	if err := r.count(int(min(info.Size(), step.MaxMetadata+1))); err != nil {
		return "", err
	}
	data, err := r.root.ReadFile(name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", fmt.Errorf("$MD/%s: the value is not valid UTF-8", name)
	}
	return strings.TrimSuffix(string(data), "\n"), nil
}

func (r *metadataReader) count(bytes int) error {
	if r.bytes += bytes; r.bytes > step.MaxMetadata {
		return fmt.Errorf("$MD has more than %d bytes, which is what a layer may leave (write what is large into the layer, and its digest into $MD)", step.MaxMetadata)
	}
	return nil
}

// readValue reads one value of a metadata folder, "" when there is none.
func readValue(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if strings.ContainsRune(string(data), 0) {
		return "", fmt.Errorf("%s: a variable cannot hold a NUL byte", file)
	}
	return strings.TrimSuffix(string(data), "\n"), nil
}
