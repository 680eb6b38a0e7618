package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/cnb/buildpack"
	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/text"
	"github.com/packfile/frontend/tree"
)

// moduleFiles are what a module is described by, the first that is there.
var moduleFiles = []string{"packfile.toml", "packfile.yaml", "packfile.yml", buildpackTOML}

const buildpackTOML = "buildpack.toml"

// open finds what a [[buildpacks]] entry names. The named context of its id goes before its uri.
func (l *loader) open(ctx context.Context, by *unit, bp packfile.Buildpack) (*pkg, error) {
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
			Ref: at, Platform: l.ui.BuildPlatforms[0], LookUp: "module " + at, Name: "module", At: place(by, bp),
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

// openContext finds a module in the named context of its id; nil when there is none.
func (l *loader) openContext(ctx context.Context, by *unit, bp packfile.Buildpack) (*pkg, error) {
	if !l.hasContext(bp.ID) {
		return nil, nil
	}
	st, is, err := l.sources.Resolve(ctx, source.Context{Name: bp.ID, Platform: l.ui.BuildPlatforms[0], Ignored: true, At: place(by, bp)})
	if errors.Is(err, source.ErrNotGiven) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := l.openState(ctx, st, is.Config, "context "+bp.ID, bp)
	if err != nil && is.Config != nil && !errors.As(err, new(*packfile.Error)) {
		return nil, &source.ContextError{Name: bp.ID, Given: is.Given, Err: err} // perhaps its layers cannot be pulled
	}
	return found, err
}

// openSource reads what a source holds.
func (l *loader) openSource(ctx context.Context, s source.Source, bp packfile.Buildpack) (*pkg, error) {
	st, is, err := l.sources.Resolve(ctx, s)
	if err != nil {
		return nil, err
	}
	return l.openState(ctx, st, is.Config, bp.URI, bp)
}

// place is where a [[buildpacks]] entry names where its module comes from.
func place(by *unit, bp packfile.Buildpack) source.Place {
	return source.Place{Filename: by.Filename, Range: bp.At("uri")}
}

// hasContext says whether the user named a module's context so. Not every id is a name that BuildKit itself would look for, and
// some names are those of images.
func (l *loader) hasContext(id string) bool {
	return id != previousName && id != source.AppContext && !slices.Contains(namedImages, id) && l.client.BuildOpts().Opts["context:"+id] != ""
}

// openState reads what a state holds.
func (l *loader) openState(ctx context.Context, st bk.State, cfg *dockerspec.DockerOCIImage, origin string, bp packfile.Buildpack) (*pkg, error) {
	if st.Output() == nil {
		return nil, errors.New("it is empty")
	}
	ref, err := l.solveSource(ctx, st)
	if err != nil {
		return nil, err
	}
	p, err := l.readPackage(ctx, tree.Folder{State: st, Files: files{ref}}, origin, bp, false)
	if err != nil {
		return nil, err
	}
	p.about(cfg)
	return p, nil
}

// openFile reads a folder or an archive beside the file that names it.
func (l *loader) openFile(ctx context.Context, by *unit, name string, bp packfile.Buildpack) (*pkg, error) {
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
	return l.unpack(ctx, convert.Archive{Tree: by.folder.State, Path: by.folder.Path(name)}, origin, bp)
}

// statModule is folder.stat for the folder of a module: mostly they stand beside each other, and what is there is asked once.
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

// listed are the entries of a folder, which is asked once.
func (l *loader) listed(ctx context.Context, f tree.Folder) (map[string]*fstypes.Stat, error) {
	list, _ := l.lists.LoadOrStore(f.ID(), sync.OnceValues(func() (map[string]*fstypes.Stat, error) { return f.Entries(ctx, "") }))
	return list.(func() (map[string]*fstypes.Stat, error))()
}

// below is where a file of a module comes from. The module's own address may have slashes that path.Join would take for one.
func below(origin, name string) string { return origin + "/" + name }

// readModule reads the module in a folder. It has the given id and version if it does not say itself.
func (l *loader) readModule(ctx context.Context, f tree.Folder, origin, id, version string) (*unit, error) {
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
	if size := entries[name].Size; size > packfile.MaxSize {
		return nil, fmt.Errorf("%s has %d bytes; the limit is %d", filename, size, packfile.MaxSize)
	}
	data, err := f.Files.ReadFile(ctx, f.Path(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filename, err)
	}
	u := &unit{
		Module: &module.Module{Filename: filename, Source: textOf(filename, data), Files: f.State, Dir: f.Path("")},
		folder: f, origin: filename, data: data, budget: &l.budget,
	}
	if err := l.keepModuleText(u.Source); err != nil {
		return nil, err
	}
	if name == buildpackTOML {
		return l.readComposite(ctx, u, origin, id, version)
	}
	return u, l.readPackfileModule(ctx, u, id, version)
}

// keepModuleText makes a file of a module one that errors can show. It is an error if modules have too much text.
func (l *loader) keepModuleText(text *bk.SourceMap) error {
	if err := l.budget.spend(node.Measure(text.Filename, text.Data)); err != nil {
		return err
	}
	l.keepText(text)
	return nil
}

// readPackfileModule reads a module's packfile, and the files that it names.
func (l *loader) readPackfileModule(ctx context.Context, u *unit, id, version string) error {
	pf, warnings, err := packfile.Parse(u.Filename, u.data)
	if err != nil {
		return err
	}
	if pf.Config.ID == "" {
		pf.Config.ID = id
		warnings = append(warnings, packfile.Idle(pf)...)
	}
	if pf.Config.ID == "" {
		return fmt.Errorf("%s has no config.id: give the module an id, there or where it is named", u.Filename)
	}
	if pf.Config.Version == "" {
		pf.Config.Version = version
	}
	u.Packfile, u.orders, u.buildpacks = pf, pf.Order, pf.Buildpacks
	u.own = pf.HasOwn() || len(pf.Order)+len(pf.Buildpacks) == 0
	if u.warnings = warnings; l.opts.requestID == "" {
		l.warnAbout(ctx, u.Filename, warnings)
	}
	return u.readFiles(ctx)
}

// readComposite reads a buildpack.toml: of a composite the order counts, as the buildpacks that it is about are modules of their
// own, and others have programs.
func (l *loader) readComposite(ctx context.Context, u *unit, origin, id, version string) (*unit, error) {
	about, err := buildpack.Parse(u.Filename, u.data)
	if err != nil {
		return nil, err
	}
	fits := func(info buildpack.Info) bool {
		return len(about.Buildpacks) == 1 || strings.ReplaceAll(info.ID, "/", "_") == strings.ReplaceAll(id, "/", "_") && info.Version == version
	}
	i := slices.IndexFunc(about.Buildpacks, fits)
	if i < 0 {
		return nil, fmt.Errorf("%s says nothing of %s@%s", u.Filename, id, version)
	}
	info := about.Buildpacks[i]
	switch {
	case len(info.Order) > 0:
		u.Packfile = &packfile.Packfile{Config: packfile.Config{ID: info.ID, Version: info.Version}}
		u.orders = info.Order
		return u, nil
	case info.Path != "":
		return l.readModule(ctx, u.folder.Sub(info.Path), below(origin, info.Path), info.ID, info.Version)
	}
	return u, l.readBuildpack(ctx, u, about, info)
}

// readFiles reads the scripts that have a path, and finds the deps that need no network.
func (u *unit) readFiles(ctx context.Context) error {
	u.Scripts, u.Offline = map[string][]byte{}, map[string]bool{}
	for _, s := range pathScripts(u.Packfile) {
		if u.Scripts[s.Path] != nil {
			continue
		}
		text, err := u.readScript(ctx, s)
		if err != nil {
			return err
		}
		u.Scripts[s.Path] = text
	}
	if !hasDeps(u.Packfile) {
		return nil
	}
	deps, link, err := u.folder.Stat(ctx, "deps")
	if err != nil || deps == nil || link == "" && !deps.IsDir() {
		return err // there is no such folder
	}
	files, err := u.folder.Entries(ctx, "deps")
	if err != nil {
		return fmt.Errorf("deps, in the folder of %s: %v", u.Filename, err)
	}
	for name, f := range files {
		if !tree.IsSymlink(f) && !f.IsDir() {
			u.Offline[name] = true
		}
	}
	return nil
}

// maxScript is the size limit of a script file, in bytes.
const maxScript = 1 << 20

// readScript reads a script file. It must be a regular file in the packfile's folder.
func (u *unit) readScript(ctx context.Context, s *packfile.Script) ([]byte, error) {
	stat, link, err := u.folder.Stat(ctx, s.Path)
	fail := func(format string, args ...any) error {
		return u.errorAt(s.At("path"), "script "+s.Path+" "+format, args...)
	}
	switch {
	case err != nil:
		return nil, err
	case stat == nil:
		return nil, fail("does not exist in the folder of %s", u.Filename)
	case link != "":
		return nil, u.errorAt(s.At("path"), "script %s: %s is a symbolic link (to %s); a script must be a regular file in the folder of %s",
			s.Path, link, stat.Linkname, u.Filename)
	case stat.IsDir():
		return nil, fail("is a folder")
	case stat.Size > maxScript:
		return nil, fail("has %d bytes; the limit is %d", stat.Size, maxScript)
	}
	if err := u.budget.spend(measure.Size{Bytes: int(stat.Size)}); err != nil {
		return nil, fail("is too much: %v", err)
	}
	data, err := u.folder.Read(ctx, s.Path, maxScript)
	return text.Unix(data), err
}
