package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/metadata"
)

// writeMetadata writes metadata below dir: a file per value, a folder per table.
func writeMetadata(dir string, md metadata.Table) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for e := range md.Entries() {
		if err := e.Check(); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		name := path.Join(e.Path...)
		if value, ok := e.Value.(string); ok {
			err = root.WriteFile(name, []byte(metadata.ToFile(value)), 0o644)
		} else if err = root.Mkdir(name, 0o755); errors.Is(err, fs.ErrExist) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readMetadata reads the metadata that scripts left in $MD. It skips private names (metadata.IsPrivate). It fails for an
// entry that is neither file nor folder, for a value that JSON cannot hold, and for more than layers may have; the error
// names the entry.
func readMetadata(dir string) (metadata.Table, error) {
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

func (r *metadataReader) table(dir string, depth int) (metadata.Table, error) {
	if depth > metadata.MaxDepth {
		return nil, fmt.Errorf("$MD/%s: folders are nested more than %d deep", dir, metadata.MaxDepth)
	}
	f, err := r.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Read no more than the limit: a folder can be larger than memory.
	entries, err := f.ReadDir(metadata.MaxEntries + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if r.entries += len(entries); r.entries > metadata.MaxEntries {
		return nil, fmt.Errorf("$MD has more than %d entries", metadata.MaxEntries)
	}
	table := metadata.Table{}
	for _, entry := range entries {
		key := entry.Name()
		if metadata.IsPrivate(key) {
			continue
		}
		name := path.Join(dir, key)
		if problem := metadata.CheckName(key); problem != "" {
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
	if err := r.count(int(min(info.Size(), metadata.MaxLeft+1))); err != nil {
		return "", err
	}
	data, err := r.root.ReadFile(name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", fmt.Errorf("$MD/%s: the value is not valid UTF-8", name)
	}
	return metadata.FromFile(data), nil
}

func (r *metadataReader) count(bytes int) error {
	if r.bytes += bytes; r.bytes > metadata.MaxLeft {
		return fmt.Errorf("$MD has more than %d bytes, which is what a layer may leave (write what is large into the layer, and its digest into $MD)", metadata.MaxLeft)
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
	return metadata.FromFile(data), nil
}
