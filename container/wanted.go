package container

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/text"
)

// Keys of [config] with packages: in the build image, and in the app image. They are also the names of these for --no-cache-filter.
const (
	BuildPackages = "build-packages"
	RunPackages   = "run-packages"
)

// Wanted is the packages that modules want in one image, united.
type Wanted struct {
	Kind    string            // BuildPackages or RunPackages
	Key     layerkey.Packages // what of it goes into keys
	Refresh time.Duration     // how long versions stay what they are, 0 for ever
	Files   map[string]string // names of the files with sources and keys, by their digests
	At      []module.Place    // of each of Key.Names

	sources, keys []aptFile
}

// aptFile is a file with sources or keys.
type aptFile struct {
	name string // in the packfile's folder
	text []byte
}

// PackageList returns the packages that a packfile wants in one image.
func PackageList(c *packfile.Config, kind string) []string {
	if kind == BuildPackages {
		return c.BuildPackages
	}
	return c.RunPackages
}

// Unite returns the packages that modules want in one image, nil when they want none. Sources and keys are those of all modules, and
// the shortest refresh counts, from now. It fails when two modules want a package in two versions, and when packages cannot come
// over the network.
func (in Input) Unite(kind string, modules []*module.Module, now time.Time) (*Wanted, error) {
	w := &Wanted{Kind: kind}
	type entry struct {
		version string
		module  *module.Module
		at      module.Place
	}
	entries := map[string]entry{}
	for _, m := range modules {
		c := &m.Packfile.Config
		list := PackageList(c, kind)
		if err := in.checkNetwork(m, kind, list); err != nil {
			return nil, err
		}
		for i, text := range list {
			name, version, _ := strings.Cut(text, "=")
			e, known := entries[name]
			if known && e.version != "" && version != "" && e.version != version {
				return nil, m.Fail(c.Item(kind, i), "%s: module %s wants %s in version %s, and module %s in version %s", kind, m.Name(), name, version,
					e.module.Name(), e.version)
			}
			if !known || e.version == "" && version != "" {
				entries[name] = entry{version, m, m.At(c.Item(kind, i))}
			}
		}
		if apt := c.Apt; apt != nil && apt.Refresh > 0 && (w.Refresh == 0 || apt.Refresh < w.Refresh) {
			w.Refresh = apt.Refresh
		}
		w.addFiles(m)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	places := map[string]module.Place{}
	for name, e := range entries {
		full := strings.TrimSuffix(name+"="+e.version, "=")
		w.Key.Names = append(w.Key.Names, full)
		places[full] = e.at
	}
	slices.Sort(w.Key.Names) // apt may choose by their order, which the order of modules must not change
	for _, name := range w.Key.Names {
		w.At = append(w.At, places[name])
	}
	w.since(now)
	return w, nil
}

// Recorded returns the packages that an image records, from now on. Their sources and keys are files of modules. It fails, in words,
// when a file is missing there.
func Recorded(r layerkey.RunPackages, modules []*module.Module, now time.Time) (*Wanted, error) {
	w := &Wanted{Kind: RunPackages, Key: layerkey.Packages{Names: r.Parts.Names}}
	if r.Refresh != "" {
		var err error
		if w.Refresh, err = time.ParseDuration(r.Refresh); err != nil {
			return nil, err
		}
	}
	for _, m := range modules {
		w.addFiles(m)
	}
	var missing []string
	missing = append(missing, w.keep(&w.sources, &w.Key.Sources, r.Parts.Sources, r.Files)...)
	missing = append(missing, w.keep(&w.keys, &w.Key.Keys, r.Parts.Keys, r.Files)...)
	if missing != nil {
		return nil, fmt.Errorf("its packages come from sources that its label does not hold: %s. Rebase it with the packfile that has these files, "+
			"as they were, in its folder, or build it again", text.Few(missing))
	}
	w.since(now)
	return w, nil
}

// keep leaves of some files those with certain digests, in their order. It returns the names of those that are missing.
func (w *Wanted) keep(files *[]aptFile, digests *[]string, wanted []string, names map[string]string) (missing []string) {
	all, known := *files, *digests
	*files, *digests = nil, nil
	for _, digest := range wanted {
		i := slices.Index(known, digest)
		if i < 0 {
			missing = append(missing, text.Short(cmp.Or(names[digest], digest)))
			continue
		}
		*files, *digests = append(*files, all[i]), append(*digests, digest)
	}
	for digest := range w.Files {
		if slices.Contains(known, digest) && !slices.Contains(wanted, digest) {
			delete(w.Files, digest)
		}
	}
	return missing
}

// since begins a period of refresh, from whose beginning on versions stay what they are.
func (w *Wanted) since(now time.Time) {
	if w.Refresh > 0 {
		w.Key.Since = now.Truncate(w.Refresh).UTC().Format(time.RFC3339)
	}
}

// checkNetwork fails when a module wants packages that cannot come over the network. A packfile that gives its own packages none is
// refused earlier.
func (in Input) checkNetwork(m *module.Module, kind string, list []string) error {
	why := ""
	switch {
	case len(list) == 0:
	case in.NetMode == pb.NetMode_NONE:
		why = "the build is given none (--network none)"
	case in.Root.Packfile.Config.Network == "none":
		why = in.Root.Filename + " gives modules none (network = \"none\")"
	}
	if why == "" {
		return nil
	}
	return m.Fail(m.Packfile.Config.At(kind), "%s: packages come over the network, and %s", kind, why)
}

// addFiles adds the sources and keys of a module. Equal files are one.
func (w *Wanted) addFiles(m *module.Module) {
	apt := m.Packfile.Config.Apt
	if apt == nil {
		return
	}
	add := func(to *[]aptFile, digests *[]string, names []string) {
		for _, name := range names {
			data := m.AptFiles[name]
			digest := path.Ext(name)[1:] + ":" + layerkey.Digest(data)
			if w.Files[digest] != "" {
				continue
			}
			if w.Files == nil {
				w.Files = map[string]string{}
			}
			w.Files[digest] = name
			*to, *digests = append(*to, aptFile{name, data}), append(*digests, digest)
		}
	}
	add(&w.sources, &w.Key.Sources, apt.Sources)
	add(&w.keys, &w.Key.Keys, apt.Keys)
}

// Install returns the step that installs packages on an image. why is a few words on why it is part of the build, "" for nothing to
// tell.
func (w *Wanted) Install(on Base, why string, noCache bool) Packages {
	p := Packages{
		Base: on, Names: w.Key.Names, Refresh: w.Key.Since, At: w.At, Subject: w.Kind, Name: "install " + text.Few(w.Key.Names), NoCache: noCache,
	}
	if why != "" {
		p.Name += " (" + why + ")"
	}
	add := func(files []aptFile, kind string) (names []string) {
		for i, f := range files {
			name := kind + strconv.Itoa(i) + path.Ext(f.name) // two modules may have files of one name
			p.Files.AddText(name, f.text)
			names = append(names, name)
		}
		return names
	}
	p.Sources, p.Keys = add(w.sources, "sources"), add(w.keys, "key")
	return p
}

// With returns a builder whose scripts see packages in the build image. It returns b when there are none.
func (b *Builder) With(w *Wanted) *Builder {
	if w == nil {
		return b
	}
	in := b.Input
	in.Packages = w
	return New(in)
}

// scriptRoot returns the root folder of scripts: the build image, with the packages in it that the build wants there.
func (b *Builder) scriptRoot() (bk.State, error) {
	if b.Packages == nil {
		return b.Build.State, nil
	}
	b.installs.Lock()
	defer b.installs.Unlock()
	if b.installed == nil {
		root, _, err := b.InstallPackages(b.Packages.Install(b.Build, "", b.NoCache(BuildPackages)))
		if err != nil {
			return bk.State{}, fmt.Errorf("%s: %w", BuildPackages, err)
		}
		b.installed = &root
	}
	return *b.installed, nil
}
