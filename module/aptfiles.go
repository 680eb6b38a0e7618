package module

import (
	"context"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
)

// namedFile is a file that a packfile names in its own folder.
type namedFile struct {
	what string // what it is, for messages
	name string
	at   node.Range
}

// aptFiles returns the files that config.apt names: sources, and then keys.
func aptFiles(pf *packfile.Packfile) (files []namedFile) {
	apt := pf.Config.Apt
	if apt == nil {
		return nil
	}
	for i, name := range apt.Sources {
		files = append(files, namedFile{"file of sources", name, apt.Item("sources", i)})
	}
	for i, name := range apt.Keys {
		files = append(files, namedFile{"file of keys", name, apt.Item("keys", i)})
	}
	return files
}

// readAptFiles reads the files that config.apt names. It fails for sources with a user or a password: layer keys and labels show
// these files' digests, and what can be guessed is no secret.
func (m *Module) readAptFiles(ctx context.Context) error {
	m.AptFiles = map[string][]byte{}
	for _, f := range aptFiles(m.Packfile) {
		data, err := m.readNamed(ctx, f)
		if err != nil {
			return err
		}
		if ext := path.Ext(f.name); ext == ".list" || ext == ".sources" {
			data = text.Unix(data)
			if line := credentials(string(data)); line > 0 {
				return m.Fail(f.at, "%s %s: the address on line %d has a user or a password, which would not stay secret", f.what, f.name, line)
			}
		}
		m.AptFiles[f.name] = data
	}
	return nil
}

// address matches what may be the address of a server in a file of sources (sources.list(5)).
var address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9.+-]*:[^\s\]]+`)

// credentials returns the number of the first line with an address that has a user or a password, 0 when there is none. Comments
// count: they are no place for secrets either.
func credentials(sources string) int {
	number := 0
	for line := range strings.Lines(sources) {
		number++
		for _, found := range address.FindAllString(line, -1) {
			authority, ok := strings.CutPrefix(found[strings.Index(found, ":")+1:], "//")
			if u, err := url.Parse(found); err == nil && u.User != nil {
				return number
			}
			if authority, _, _ = strings.Cut(authority, "/"); ok && strings.Contains(authority, "@") {
				return number
			}
		}
	}
	return 0
}
