package module

import (
	"context"
	"fmt"

	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
	"github.com/packfile/frontend/tree"
)

// ReadRoot reads the files that the packfile being built names in its own folder.
func (m *Module) ReadRoot(ctx context.Context, world World) (err error) {
	if m.folder.Files == nil {
		paths := ownPaths(m.Packfile)
		if len(paths) == 0 {
			return nil
		}
		if m.folder, err = world.Root(ctx, paths); err != nil {
			return err
		}
	}
	m.Files, m.Dir = m.folder.State, m.folder.Path("")
	return m.readFiles(ctx)
}

// readFiles reads the scripts that have a path and the files of config.apt, and finds the deps that need no network.
func (m *Module) readFiles(ctx context.Context) error {
	m.Scripts, m.Offline = map[string][]byte{}, map[string]bool{}
	for _, s := range PathScripts(m.Packfile) {
		if m.Scripts[s.Path] != nil {
			continue
		}
		script, err := m.readNamed(ctx, namedFile{"script", s.Path, s.At("path")})
		if err != nil {
			return err
		}
		m.Scripts[s.Path] = text.Unix(script)
	}
	if err := m.readAptFiles(ctx); err != nil {
		return err
	}
	if !hasDeps(m.Packfile) {
		return nil
	}
	deps, link, err := m.folder.Stat(ctx, "deps")
	if err != nil || deps == nil || link == "" && !deps.IsDir() {
		return err // there is no deps folder
	}
	files, err := m.folder.Entries(ctx, "deps")
	if err != nil {
		return fmt.Errorf("deps, in the folder of %s: %v", m.Filename, err)
	}
	for name, f := range files {
		if !tree.IsSymlink(f) && !f.IsDir() {
			m.Offline[name] = true
		}
	}
	return nil
}

// maxScript is the size limit of a script, or another file that a packfile names, in bytes.
const maxScript = 1 << 20

// readNamed reads a file that the packfile names. It fails unless that is a regular file in the packfile's folder, within maxScript.
func (m *Module) readNamed(ctx context.Context, f namedFile) ([]byte, error) {
	stat, link, err := m.folder.Stat(ctx, f.name)
	fail := func(format string, args ...any) error {
		return m.Fail(f.at, f.what+" "+f.name+" "+format, args...)
	}
	switch {
	case err != nil:
		return nil, err
	case stat == nil:
		return nil, fail("does not exist in the folder of %s", m.Filename)
	case link != "":
		return nil, m.Fail(f.at, "%s %s: %s is a symbolic link (to %s); a %[1]s must be a regular file in the folder of %[5]s",
			f.what, f.name, link, stat.Linkname, m.Filename)
	case stat.IsDir():
		return nil, fail("is a folder")
	case stat.Size > maxScript:
		return nil, fail("has %d bytes; the limit is %d", stat.Size, maxScript)
	}
	if err := m.budget.spend(measure.Size{Bytes: int(stat.Size)}); err != nil {
		return nil, fail("is too much: %v", err)
	}
	return m.folder.Read(ctx, f.name, maxScript)
}

// ownPaths returns the paths that a packfile names in its own folder.
func ownPaths(pf *packfile.Packfile) (paths []string) {
	for _, s := range PathScripts(pf) {
		paths = append(paths, s.Path)
	}
	for _, f := range aptFiles(pf) {
		paths = append(paths, f.name)
	}
	if hasDeps(pf) {
		paths = append(paths, "deps")
	}
	return paths
}

// PathScripts returns all scripts of a packfile that stand in files.
func PathScripts(pf *packfile.Packfile) (found []*packfile.Script) {
	for _, s := range pf.Scripts() {
		if s.Path != "" {
			found = append(found, s.Script)
		}
	}
	return found
}

func hasDeps(pf *packfile.Packfile) bool {
	for _, l := range pf.Layers {
		if l.Provide != nil && len(l.Provide.Deps) > 0 {
			return true
		}
	}
	return false
}
