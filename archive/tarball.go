package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file reads tar archives that anyone may have made. An archive costs no more memory than its largest header, which
// archive/tar bounds at 1 MiB, and no more of anything else than its budget.

// Limits of a name in an archive: less than a kernel or a builder takes, and more than modules have.
const (
	maxNameBytes = 1024
	maxNameDepth = 64 // folders and the file
)

// limits bound archives after decompression: an archive's own statement of its size is not trusted.
type limits struct {
	bytes   int64
	entries int
}

// budget is the rest of the limits that archives of one module may still use.
type budget struct {
	most  limits
	spent limits
}

func (b *budget) addBytes(n int) error {
	if b.spent.bytes += int64(n); b.spent.bytes > b.most.bytes {
		return fmt.Errorf("unpacks to more than %d bytes", b.most.bytes)
	}
	return nil
}

func (b *budget) addEntry() error {
	if b.spent.entries++; b.spent.entries > b.most.entries {
		return fmt.Errorf("has more than %d files and folders", b.most.entries)
	}
	return nil
}

// tarball is a tar archive, which may be compressed with gzip.
type tarball struct {
	from  io.Reader
	spent *budget
	// layer says that it is one of an image: "/" is the root of that, and may be in front of names and of targets of links.
	layer bool
}

var (
	errTruncated = errors.New("is truncated")
	errNoTar     = errors.New("is no tar archive, with or without gzip")
)

// each visits the entries, by their path from the root of the archive ("." is the root itself). It reads the archive to
// its last byte.
func (t tarball) each(visit func(name string, h *tar.Header, content io.Reader) error) error {
	stream, err := t.open()
	if err != nil {
		return err
	}
	archive := tar.NewReader(stream)
	for first := true; ; first = false {
		before := stream.read
		h, err := archive.Next()
		switch {
		case err == io.EOF && stream.read == 0 && !t.layer:
			return errors.New("is empty")
		// An archive ends with two blocks of zeros. Some tools write layers without them, but the size of a layer is known.
		case err == io.EOF && stream.read-before < 2*512 && !t.layer:
			return errTruncated
		case err == io.EOF:
			return stream.finish()
		case first && (errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF)):
			return stream.otherFormat()
		case err != nil:
			return whyBroken(err)
		}
		if err := t.spent.addEntry(); err != nil {
			return err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // git archive writes it, with the commit
		}
		name, err := cleanName(h.Name, t.layer)
		if err == nil {
			err = visit(name, h, archive)
		}
		switch {
		case err == nil:
		case stream.err != nil || errors.Is(err, io.ErrUnexpectedEOF):
			return whyBroken(err) // an error of the archive, at whichever entry it shows
		default:
			return fmt.Errorf("entry %.200q: %w", h.Name, err)
		}
	}
}

// cleanName returns the path of a name in an archive, from the root of the archive; "." is the root itself. It fails for
// a name that leads out or exceeds a limit.
func cleanName(name string, layer bool) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if strings.HasPrefix(name, "/") && !layer {
		return "", errors.New("is an absolute path")
	}
	depth := 0
	for _, element := range strings.Split(name, "/") {
		switch element {
		case "", ".":
		case "..":
			return "", errors.New("leaves the archive")
		default:
			depth++
		}
	}
	if depth > maxNameDepth {
		return "", fmt.Errorf("is more than %d folders deep", maxNameDepth)
	}
	return path.Clean(strings.TrimLeft(name, "/")), nil
}

// checkName checks the text of a path.
func checkName(name string) error {
	switch {
	case len(name) > maxNameBytes:
		return fmt.Errorf("has a path of more than %d bytes", maxNameBytes)
	case !utf8.ValidString(name):
		return errors.New("has a path that is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("has a path with a control character")
	}
	return nil
}

// whyBroken returns an error that says what is wrong with an archive, not which function noticed it.
func whyBroken(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, tar.ErrHeader):
		return errors.New("is damaged: something in it is no tar header")
	}
	return err
}

// tarStream is a tar archive without compression. It counts what is read.
type tarStream struct {
	from  io.Reader
	head  []byte // the first bytes of the file
	spent *budget
	read  int64
	err   error // of from, if it was not the end
}

// magics are the first bytes of files that users take for archives, and that cannot be read here.
var magics = []struct{ magic, format string }{
	{"\x28\xb5\x2f\xfd", "zstd"}, {"BZh", "bzip2"}, {"\xfd7zXZ\x00", "xz"}, {"PK\x03\x04", "zip"},
}

const (
	gzipMagic   = "\x1f\x8b"
	magicLength = 6 // of the longest
)

// open opens the archive and decompresses it.
func (t tarball) open() (*tarStream, error) {
	file := bufio.NewReader(t.from)
	head, _ := file.Peek(magicLength) // the next read returns the error again
	s := &tarStream{from: file, head: bytes.Clone(head), spent: t.spent}
	if bytes.HasPrefix(head, []byte(gzipMagic)) {
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			return nil, whyNoGzip(err)
		}
		s.from = unzipped
	}
	return s, nil
}

func (s *tarStream) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if err != nil && err != io.EOF {
		err = whyNoGzip(err)
		s.err = err
	}
	s.read += int64(n)
	if over := s.spent.addBytes(n); over != nil {
		n, err, s.err = 0, over, over
	}
	return n, err
}

func whyNoGzip(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errTruncated
	case errors.Is(err, gzip.ErrHeader):
		return errors.New("has something behind its end, or is damaged: what is there is no gzip data")
	case errors.Is(err, gzip.ErrChecksum):
		return errors.New("is damaged: its checksum is wrong")
	}
	return fmt.Errorf("is damaged: %w", err)
}

// finish reads the bytes after the end of the archive, which may only be zeros: tar fills blocks of some KiB.
func (s *tarStream) finish() error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.Read(buffer)
		if len(bytes.Trim(buffer[:n], "\x00")) > 0 {
			return errors.New("has something behind its end")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// otherFormat returns the error for a file that is no tar archive; it names the file's format, if that is known.
func (s *tarStream) otherFormat() error {
	for _, m := range magics {
		if bytes.HasPrefix(s.head, []byte(m.magic)) {
			return fmt.Errorf("%w: its format is %s", errNoTar, m.format)
		}
	}
	return errNoTar
}
