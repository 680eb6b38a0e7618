package module

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
)

// moduleFiles are the files that can describe a module. The first one that exists counts.
var moduleFiles = []string{"packfile.toml", "packfile.yaml", "packfile.yml", buildpackTOML}

const buildpackTOML = "buildpack.toml"

// readModule reads the module in a folder. The given id and version hold if it has none of its own.
func (l *loader) readModule(ctx context.Context, f tree.Folder, origin, id, version string) (*Module, error) {
	entries, err := l.listed(ctx, f)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(moduleFiles, func(name string) bool { return entries[name] != nil })
	if i < 0 {
		return nil, errors.New("it has no packfile.toml or packfile.yaml")
	}
	name := moduleFiles[i]
	filename := below(origin, name)
	if tree.IsSymlink(entries[name]) || entries[name].IsDir() {
		return nil, fmt.Errorf("%s is no regular file", filename)
	}
	if size := entries[name].Size; size > node.MaxSize {
		return nil, fmt.Errorf("%s has %d bytes; the limit is %d", filename, size, node.MaxSize)
	}
	data, err := f.Files.ReadFile(ctx, f.Path(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filename, err)
	}
	m := &Module{
		Filename: filename, Source: textOf(filename, data), Files: f.State, Dir: f.Path(""),
		opened: opened{folder: f, origin: filename, budget: &l.budget},
	}
	if err := l.keepModuleText(m.Source); err != nil {
		return nil, err
	}
	if name == buildpackTOML {
		return l.readComposite(ctx, m, origin, id, version)
	}
	return m, l.readPackfileModule(ctx, m, id, version)
}

// keepModuleText adds a file of a module that errors can show. It fails if modules have too much text.
func (l *loader) keepModuleText(text *bk.SourceMap) error {
	if err := l.budget.spend(node.Measure(text.Filename, text.Data)); err != nil {
		return err
	}
	l.world.Show(text)
	return nil
}

// readPackfileModule reads a module's packfile and the files that it names.
func (l *loader) readPackfileModule(ctx context.Context, m *Module, id, version string) error {
	pf, warnings, err := packfile.Parse(m.Filename, m.Source.Data)
	if err != nil {
		return err
	}
	if pf.Config.ID == "" {
		pf.Config.ID = id
		warnings = append(warnings, packfile.Idle(pf)...)
	}
	if pf.Config.ID == "" {
		return fmt.Errorf("%s has no config.id: give the module an id, there or where it is named", m.Filename)
	}
	if pf.Config.Version == "" {
		pf.Config.Version = version
	}
	m.Packfile, m.orders, m.buildpacks = pf, pf.Order, pf.Buildpacks
	m.Own = pf.HasOwn() || len(pf.Order)+len(pf.Buildpacks) == 0
	m.Warnings = warnings
	l.world.Warn(ctx, m.Filename, warnings)
	return m.readFiles(ctx)
}

// readComposite reads a buildpack.toml. When it has an order, the order is all that counts: its buildpacks are modules of their
// own. Other buildpacks have programs.
func (l *loader) readComposite(ctx context.Context, m *Module, origin, id, version string) (*Module, error) {
	about, err := buildpack.Parse(m.Filename, m.Source.Data)
	if err != nil {
		return nil, err
	}
	fits := func(info buildpack.Info) bool {
		return len(about.Buildpacks) == 1 || strings.ReplaceAll(info.ID, "/", "_") == strings.ReplaceAll(id, "/", "_") && info.Version == version
	}
	i := slices.IndexFunc(about.Buildpacks, fits)
	if i < 0 {
		return nil, fmt.Errorf("%s says nothing of %s@%s", m.Filename, id, version)
	}
	info := about.Buildpacks[i]
	switch {
	case len(info.Order) > 0:
		m.Packfile = &packfile.Packfile{Config: packfile.Config{ID: info.ID, Version: info.Version}}
		m.orders = info.Order
		return m, nil
	case info.Path != "":
		return l.readModule(ctx, m.folder.Sub(info.Path), below(origin, info.Path), info.ID, info.Version)
	}
	return m, l.readBuildpack(ctx, m, about, info)
}

// textOf returns a file in the form that errors show.
func textOf(filename string, data []byte) *bk.SourceMap {
	language := "TOML"
	if strings.HasSuffix(filename, ".yaml") || strings.HasSuffix(filename, ".yml") {
		language = "YAML"
	}
	return bk.NewSourceMap(nil, filename, language, data)
}
