package module

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
)

// open finds what a [[buildpacks]] entry names. A named context with its id goes before its uri.
func (l *loader) open(ctx context.Context, by *Module, bp packfile.Buildpack) (*pkg, error) {
	kind, at := bp.Source()
	if bp.ID != "" {
		p, err := l.openContext(ctx, by, bp)
		if p != nil || err != nil {
			return p, err
		}
	}
	switch kind {
	case packfile.ContextSource:
		return nil, fmt.Errorf("it has no uri, and there is no named context of its id: give one with --build-context %s=…", at)
	case packfile.FileSource:
		return l.openFile(ctx, by, at, bp)
	case packfile.ImageSource:
		// A module is the same for all platforms.
		return l.openSource(ctx, source.Image{
			Ref: at, Platform: l.platform, LookUp: "module " + at, Name: "module", At: place(by, bp),
		}, bp)
	case packfile.GitSource:
		return l.openSource(ctx, source.Git{Address: at, Foreign: by != l.root, At: place(by, bp)}, bp)
	case packfile.HTTPSource:
		return l.openSource(ctx, source.File{
			URI: at, Digest: digest.NewDigestFromEncoded(digest.SHA256, bp.SHA), File: "module", At: place(by, bp),
			Shown: []bk.ConstraintsOpt{bk.WithCustomName("[internal] fetch " + at)},
		}, bp)
	}
	return nil, fmt.Errorf("uri %q names no module", bp.URI)
}

// openContext finds a module in the named context of its id. It returns nil when there is none.
func (l *loader) openContext(ctx context.Context, by *Module, bp packfile.Buildpack) (*pkg, error) {
	if !l.world.HasContext(bp.ID) {
		return nil, nil
	}
	st, is, err := l.world.Resolve(ctx, source.Context{Name: bp.ID, Platform: l.platform, Ignored: true, At: place(by, bp)})
	if errors.Is(err, source.ErrNotGiven) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := l.openState(ctx, st, is.Config, "context "+bp.ID, bp)
	if err != nil && is.Config != nil && !errors.As(err, new(*node.Error)) {
		return nil, &source.ContextError{Name: bp.ID, Given: is.Given, Err: err} // perhaps its layers cannot be pulled
	}
	return found, err
}

// openSource reads the content of a source.
func (l *loader) openSource(ctx context.Context, s source.Source, bp packfile.Buildpack) (*pkg, error) {
	st, is, err := l.world.Resolve(ctx, s)
	if err != nil {
		return nil, err
	}
	return l.openState(ctx, st, is.Config, bp.URI, bp)
}

// place returns the place where a [[buildpacks]] entry names the source of its module.
func place(by *Module, bp packfile.Buildpack) source.Place {
	return source.Place{Filename: by.Filename, Range: bp.At("uri")}
}

// openState reads the content of a state.
func (l *loader) openState(ctx context.Context, st bk.State, cfg *dockerspec.DockerOCIImage, origin string, bp packfile.Buildpack) (*pkg, error) {
	if st.Output() == nil {
		return nil, errors.New("it is empty")
	}
	f, err := l.world.Fetch(ctx, st)
	if err != nil {
		return nil, err
	}
	p, err := l.readPackage(ctx, f, origin, bp, false)
	if err != nil {
		return nil, err
	}
	p.about(cfg)
	return p, nil
}

// openFile reads a folder or an archive beside the file that names it.
func (l *loader) openFile(ctx context.Context, by *Module, name string, bp packfile.Buildpack) (*pkg, error) {
	stat, link, err := l.statModule(ctx, by.folder, name)
	origin := name
	if dir, _ := path.Split(by.origin); dir != "" {
		origin = below(strings.TrimSuffix(dir, "/"), name)
	}
	switch {
	case err != nil:
		return nil, err
	case stat == nil:
		return nil, fmt.Errorf("there is no %s in the folder of %s", name, by.Filename)
	case link != "":
		return nil, fmt.Errorf("%s is a symbolic link; a module must be a folder or file in the folder of %s", link, by.Filename)
	case stat.IsDir():
		return l.readPackage(ctx, by.folder.Sub(name), origin, bp, false)
	}
	return l.unpack(ctx, Archive{Tree: by.folder.State, Path: by.folder.Path(name)}, origin, bp)
}

// statModule calls tree.Folder.Stat for a module's folder. Modules mostly stand beside each other, so it asks for each folder
// once.
func (l *loader) statModule(ctx context.Context, f tree.Folder, name string) (stat *fstypes.Stat, link string, err error) {
	at := ""
	for _, part := range tree.SplitPath(name) {
		if stat != nil && !stat.IsDir() {
			return nil, "", nil
		}
		entries, err := l.listed(ctx, f.Sub(at))
		if err != nil {
			return nil, "", err
		}
		if stat, at = entries[part], path.Join(at, part); stat == nil {
			return nil, "", nil
		}
		if tree.IsSymlink(stat) {
			return stat, at, nil
		}
	}
	return stat, "", nil
}

// listed returns the entries of a folder. It asks for each folder once.
func (l *loader) listed(ctx context.Context, f tree.Folder) (map[string]*fstypes.Stat, error) {
	list, _ := l.lists.LoadOrStore(f.ID(), sync.OnceValues(func() (map[string]*fstypes.Stat, error) { return f.Entries(ctx, "") }))
	return list.(func() (map[string]*fstypes.Stat, error))()
}

// below returns the origin of a file of a module. Not path.Join: it would remove slashes from the module's own address.
func below(origin, name string) string { return origin + "/" + name }
