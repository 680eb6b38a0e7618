package module

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/tree"
)

// pkg is what one [[buildpacks]] entry brings: one module or several.
type pkg struct {
	modules     []*Module
	id, version string // of the module that the package is about, "" when it does not say
}

// pick returns the module that an entry is about.
func (p *pkg) pick(bp packfile.Buildpack) (*Module, error) {
	id, version := bp.ID, bp.Version
	if id == "" && version == "" {
		id, version = p.id, p.version
	}
	var fits []*Module
	var all []string
	for _, m := range p.modules {
		all = append(all, m.Name())
		if (id == "" || m.ID() == id) && (version == "" || m.Packfile.Config.Version == version) {
			fits = append(fits, m)
		}
	}
	switch len(fits) {
	case 0:
		return nil, fmt.Errorf("it is %s, and not %s", strings.Join(all, ", "), strings.TrimSuffix(bp.ID+"@"+bp.Version, "@"))
	case 1:
		return fits[0], nil
	}
	return nil, fmt.Errorf("it holds several modules (%s): say which by id and version", strings.Join(all, ", "))
}

// labelBuildpackage is the label that says what a buildpackage is about (Distribution API, "Buildpackage").
const labelBuildpackage = "io.buildpacks.buildpackage.metadata"

// readPackage reads the content of a folder, an archive or an image: a module, or a package of several. When unpacked is set, the
// folder comes out of an archive, and archives in it are not unpacked.
func (l *loader) readPackage(ctx context.Context, f tree.Folder, origin string, bp packfile.Buildpack, unpacked bool) (*pkg, error) {
	entries, err := l.listed(ctx, f)
	if err != nil {
		return nil, err
	}
	_, layout := entries["oci-layout"]
	switch {
	case slices.ContainsFunc(moduleFiles, func(name string) bool { return entries[name] != nil }):
		m, err := l.readModule(ctx, f, origin, bp.ID, bp.Version)
		if err != nil {
			return nil, err
		}
		return &pkg{modules: []*Module{m}}, nil
	case entries["cnb"] != nil:
		return l.readBuildpackage(ctx, f.Sub("cnb"), origin)
	case unpacked:
	case layout:
		return l.unpack(ctx, Archive{Tree: f.State, Path: f.Path(""), Folder: true}, origin, bp)
	case len(entries) == 1: // a download, or a named context of one file
		for name, stat := range entries {
			if !stat.IsDir() && !tree.IsSymlink(stat) {
				return l.unpack(ctx, Archive{Tree: f.State, Path: f.Path(name)}, origin, bp)
			}
		}
	}
	return nil, errors.New("it holds no module: neither a packfile (packfile.toml, packfile.yaml) nor a buildpackage (/cnb)")
}

// unpack unpacks an archive, and reads its content.
func (l *loader) unpack(ctx context.Context, a Archive, origin string, bp packfile.Buildpack) (*pkg, error) {
	f, err := l.world.Unpack(ctx, a, "[internal] unpack "+origin)
	if err != nil {
		return nil, err
	}
	return l.readPackage(ctx, f, origin, bp, true)
}

// readBuildpackage reads the modules of a buildpackage from its folder /cnb. It reads today's layout, and the first draft's, with
// links by id to blobs (Distribution API, "Buildpackage"; "Contractual Build Plan", 2019).
func (l *loader) readBuildpackage(ctx context.Context, cnb tree.Folder, origin string) (*pkg, error) {
	entries, err := l.listed(ctx, cnb)
	if err != nil {
		return nil, fmt.Errorf("/cnb: %w", err)
	}
	p := new(pkg)
	if entries["package.toml"] != nil {
		data, err := cnb.Read(ctx, "package.toml", node.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("/cnb/package.toml: %w", err)
		}
		filename := below(origin, "cnb/package.toml")
		if err := l.keepModuleText(textOf(filename, data)); err != nil {
			return nil, err
		}
		about, err := buildpack.ParsePackage(filename, data)
		if err != nil {
			return nil, err
		}
		p.id, p.version = about.Default.ID, about.Default.Version
	}
	for _, layout := range []string{"by-id", "buildpacks"} {
		if entries[layout] == nil {
			continue // it has the other
		}
		ids, err := cnb.Entries(ctx, layout)
		if err != nil {
			return nil, fmt.Errorf("/cnb/%s: %w", layout, err)
		}
		for id := range ids {
			versions, err := cnb.Entries(ctx, path.Join(layout, id))
			if err != nil {
				return nil, fmt.Errorf("/cnb/%s/%s: %w", layout, id, err)
			}
			for version, stat := range versions {
				if len(p.modules) == maxModules {
					return nil, fmt.Errorf("it has more than %d modules", maxModules)
				}
				at := path.Join(layout, id, version)
				if tree.IsSymlink(stat) {
					if at, err = blobOf(at, stat.Linkname); err != nil {
						return nil, err
					}
				}
				m, err := l.readPackaged(ctx, cnb.Sub(at), below(origin, path.Join("cnb", at)), id, version)
				if err != nil {
					return nil, err
				}
				p.modules = append(p.modules, m)
			}
		}
		if len(p.modules) > 0 {
			slices.SortFunc(p.modules, func(a, b *Module) int { return strings.Compare(a.Name(), b.Name()) })
			return p, nil
		}
	}
	return nil, errors.New("it has /cnb, but neither /cnb/buildpacks nor /cnb/by-id in it has a buildpack")
}

// blobOf returns where a link of a package leads, in /cnb. It fails unless that is a blob.
func blobOf(at, link string) (string, error) {
	to := path.Join("/cnb", path.Dir(at), link)
	if path.IsAbs(link) {
		to = path.Clean(link)
	}
	dir, blob := path.Split(to)
	if dir != "/cnb/blobs/" || blob == "" {
		return "", fmt.Errorf("/cnb/%s leads to %s, which is no blob in /cnb/blobs", at, link)
	}
	return path.Join("blobs", blob), nil
}

// readPackaged reads one module of a package. It fails unless the module has the id and version under which the package has it.
func (l *loader) readPackaged(ctx context.Context, f tree.Folder, origin, dir, version string) (*Module, error) {
	m, err := l.readModule(ctx, f, origin, strings.ReplaceAll(dir, "_", "/"), version)
	if err != nil {
		return nil, err
	}
	if launch.EscapeID(m.ID()) != launch.EscapeID(dir) || m.Packfile.Config.Version != version {
		return nil, fmt.Errorf("it has %s in the place of %s@%s", m.Name(), dir, version)
	}
	return m, nil
}

// about takes from the package's label which module it is about. A label that cannot be read says nothing.
func (p *pkg) about(cfg *dockerspec.DockerOCIImage) {
	if cfg == nil || p.id != "" {
		return
	}
	var md struct{ ID, Version string }
	if measure.DecodeJSON([]byte(cfg.Config.Labels[labelBuildpackage]), measure.Record, &md) == nil {
		p.id, p.version = md.ID, md.Version
	}
}
