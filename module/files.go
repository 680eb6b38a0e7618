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

// readFiles reads the scripts that have a path, and finds the deps that need no network.
func (m *Module) readFiles(ctx context.Context) error {
	m.Scripts, m.Offline = map[string][]byte{}, map[string]bool{}
	for _, s := range PathScripts(m.Packfile) {
		if m.Scripts[s.Path] != nil {
			continue
		}
		script, err := m.readScript(ctx, s)
		if err != nil {
			return err
		}
		m.Scripts[s.Path] = script
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

// maxScript is the size limit of a script file, in bytes.
const maxScript = 1 << 20

// readScript reads a script file. It fails unless that is a regular file in the packfile's folder, within maxScript.
func (m *Module) readScript(ctx context.Context, s *packfile.Script) ([]byte, error) {
	stat, link, err := m.folder.Stat(ctx, s.Path)
	fail := func(format string, args ...any) error {
		return m.Fail(s.At("path"), "script "+s.Path+" "+format, args...)
	}
	switch {
	case err != nil:
		return nil, err
	case stat == nil:
		return nil, fail("does not exist in the folder of %s", m.Filename)
	case link != "":
		return nil, m.Fail(s.At("path"), "script %s: %s is a symbolic link (to %s); a script must be a regular file in the folder of %s",
			s.Path, link, stat.Linkname, m.Filename)
	case stat.IsDir():
		return nil, fail("is a folder")
	case stat.Size > maxScript:
		return nil, fail("has %d bytes; the limit is %d", stat.Size, maxScript)
	}
	if err := m.budget.spend(measure.Size{Bytes: int(stat.Size)}); err != nil {
		return nil, fail("is too much: %v", err)
	}
	data, err := m.folder.Read(ctx, s.Path, maxScript)
	return text.Unix(data), err
}

// ownPaths returns the paths that a packfile names in its own folder.
func ownPaths(pf *packfile.Packfile) (paths []string) {
	for _, s := range PathScripts(pf) {
		paths = append(paths, s.Path)
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
