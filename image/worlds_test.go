package image_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/step"
)

// world is a random input of a build: modules, an app, and what else counts.
type world struct {
	modules []*module // in group order
	root    int       // which of them is built
	app     map[string]string
	links   *rand.Rand // for symbolic links: a seed gives the world that it gave before there were any, and links
	places  int        // of symbolic links, so far
	args    string
	image   string // build image
	weather string
	epoch   time.Time
	appTime time.Time // of the app's files; zero for epoch
	pinned  bool      // scripts get nothing from the network that changes
}

type module struct {
	id     string // "" for none
	layers []*layer
	caches map[string]string // text of the setup script, "" for none
}

type layer struct {
	name                    string
	section                 string // build or provide; "" when it is only required
	export, expose, restore bool
	version                 string
	metadata                string
	require                 *script
	inputs, match           []string
	test                    *script
	fullEnv, lockApp        bool
	symlink, target         string // place of a symbolic link in the app, "" for none, and what it leads to
	run                     *script
	env                     string
	args                    string // list of build arguments, "" for none
	links                   []*link
}

type link struct {
	name                          string
	pathAs, versionAs, metadataAs string
	linkVersion, linkContent      bool
	cache                         bool // it goes to one
}

// moduleIDs are those of modules by their place in the group.
var moduleIDs = []string{"m", "n", "o/p"}

// appFiles are the files of the app.
var appFiles = []string{"a", "b", "c", "dir/d"}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func newWorld(r, links *rand.Rand) *world {
	w := &world{links: links, app: map[string]string{}, args: "1", image: "build-1", weather: "sun", epoch: container.DefaultTime, pinned: chance(r, 50)}
	for _, f := range appFiles {
		w.app[f] = fmt.Sprint(r.IntN(3))
	}
	count := pick(r, 1, 1, 2, 2, 3)
	w.root = r.IntN(count)
	for i := range count {
		m := &module{id: moduleIDs[i], caches: map[string]string{}}
		if i == w.root && chance(r, 60) {
			m.id = ""
		}
		if chance(r, 40) {
			m.caches["cache"] = pick(r, "", "setup-1")
		}
		w.modules = append(w.modules, m)
		for range 1 + r.IntN(5) {
			w.addLayer(r, i)
		}
	}
	if chance(r, 25) {
		w.addDiamond(r)
	}
	if count > 1 && chance(r, 40) {
		w.addTwins(r)
	}
	return w
}

// addDiamond adds what random links seldom give: a layer that runs only for others, and two layers that see it, one of which sees
// the other.
func (w *world) addDiamond(r *rand.Rand) {
	m := pick(r, w.modules...)
	of := func(name string, export bool, links ...string) *layer {
		l := &layer{name: name, section: "build", export: export, version: "1", run: w.script(r, true)}
		for _, to := range links {
			l.links = append(l.links, &link{name: to})
		}
		m.layers = append(m.layers, l)
		return l
	}
	tool, deps := of("tool", false), of("deps", true, "tool")
	tool.run.Weather = !w.pinned
	deps.version, deps.inputs = "", []string{tool.run.Reads} // tool changes when deps runs
	of("gen", true, "tool", "deps")
}

// addTwins adds two layers with the same name: a module without id exposes one, and a later module links its own.
func (w *world) addTwins(r *rand.Rand) {
	first, second := w.modules[0], w.modules[1]
	w.modules[w.root].id = moduleIDs[w.root]
	w.root, first.id = 0, ""
	exposed := &layer{name: "twin", section: "build", export: true, expose: true, version: "1", run: w.script(r, true)}
	own := &layer{name: "twin", section: "build", export: true, inputs: []string{pick(r, appFiles...)}, run: w.script(r, true)}
	own.run.Reads = own.inputs[0]
	user := &layer{name: "user", section: "build", export: true, version: "1", run: w.script(r, true), links: []*link{{name: "twin"}}}
	first.layers = append(first.layers, exposed)
	second.layers = append(second.layers, own, user)
}

// layerNames are few, so that modules have the same.
var layerNames = []string{"t", "u", "v", "w", "x", "y", "z"}

func (w *world) addLayer(r *rand.Rand, i int) {
	m := w.modules[i]
	free := slices.DeleteFunc(slices.Clone(layerNames), func(name string) bool { return m.layer(name) != nil })
	if len(free) == 0 {
		return
	}
	l := &layer{
		name: pick(r, free...), section: "build", export: chance(r, 50), expose: chance(r, 40), restore: chance(r, 10),
		metadata: fmt.Sprint(r.IntN(2)),
	}
	m.layers = append(m.layers, l)
	// A layer that an earlier module provides for this one.
	if i > 0 && chance(r, 25) {
		from := w.modules[r.IntN(i)]
		if from.layer(l.name) == nil {
			made := &layer{name: l.name, section: "provide", export: chance(r, 30), expose: chance(r, 30)}
			made.fill(r, w, from)
			from.layers = append(from.layers, made)
		} else if from.layer(l.name).section == "" {
			from = nil
		}
		if from != nil {
			l.section, l.version = "", pick(r, "", "1")
			if chance(r, 30) {
				l.require = w.script(r, false)
			}
			return
		}
	}
	if chance(r, 20) {
		l.require = w.script(r, false)
		l.require.Reads, l.require.Unless = pick(r, appFiles...), "2"
		l.section = "provide"
	}
	l.fill(r, w, m)
}

func (m *module) layer(name string) *layer {
	for _, l := range m.layers {
		if l.name == name {
			return l
		}
	}
	return nil
}

func (w *world) script(r *rand.Rand, makes bool) *script {
	s := &script{Salt: r.IntN(100), Reads: pick(r, appFiles...), Tells: makes && chance(r, 30), Weather: makes && !w.pinned && chance(r, 40)}
	s.Version = !makes && chance(r, 70)
	if !makes && chance(r, 15) {
		s.Unless = "2"
	}
	return s
}

// fill gives a layer a section that makes it.
func (l *layer) fill(r *rand.Rand, w *world, m *module) {
	switch r.IntN(7) {
	case 0, 1, 2:
		l.version = "1"
	case 3:
		l.inputs = []string{pick(r, "a", "b", "dir")}
	case 4:
		l.match = []string{pick(r, "a", "b", "dir")}
	case 5:
		l.test = w.script(r, false)
		l.fullEnv = chance(r, 50)
	}
	if chance(r, 15) {
		l.test, l.match = w.script(r, false), nil
		l.fullEnv = chance(r, 60)
	}
	if chance(r, 10) && l.inputs == nil {
		l.lockApp = true
	}
	if chance(w.links, 25) {
		l.symlink, l.target = fmt.Sprint(pick(w.links, "at", "dir/at"), w.places), pick(w.links, "made", ".")
		if w.places == 0 && chance(w.links, 50) {
			l.symlink = "c" // in place of a file of the app
		}
		w.places++
	}
	if chance(r, 90) {
		l.run = w.script(r, true)
	}
	if chance(r, 30) {
		l.env = fmt.Sprint(r.IntN(3))
	}
	if chance(r, 30) {
		l.args = pick(r, "[]", `["ARG"]`)
	}
	if l.env != "" && l.args != "[]" && chance(r, 50) {
		l.env += "{{.Args.ARG}}"
	}
	for _, other := range m.layers {
		if other == l {
			break
		}
		if chance(r, 45) {
			l.links = append(l.links, randomLink(r, other.name, len(l.links)))
		}
	}
	for name := range m.caches {
		if chance(r, 30) {
			l.links = append(l.links, &link{name: name, pathAs: "CACHE", cache: true})
		}
	}
}

func randomLink(r *rand.Rand, name string, i int) *link {
	k := &link{name: name, linkVersion: chance(r, 20), linkContent: chance(r, 20)}
	if chance(r, 50) {
		k.pathAs = fmt.Sprint("P", i)
	}
	if chance(r, 25) {
		k.versionAs = fmt.Sprint("V", i)
	}
	if chance(r, 25) {
		k.metadataAs = fmt.Sprint("M", i)
	}
	return k
}

// all layers of the world.
func (w *world) all() (all []*layer) {
	for _, m := range w.modules {
		all = append(all, m.layers...)
	}
	return all
}

// change changes one thing for the next build, and returns what.
func (w *world) change(r *rand.Rand) string {
	l := pick(r, w.all()...)
	if l.symlink != "" && chance(w.links, 20) {
		l.target += "1"
		return "symlink of " + l.name
	}
	switch r.IntN(16) {
	case 0, 1, 2, 3:
		f := pick(r, appFiles...)
		w.app[f] = fmt.Sprint(r.IntN(3))
		return "file " + f + " is " + w.app[f]
	case 4, 5:
		if l.version != "" {
			l.version += "1"
		}
		return "version of " + l.name
	case 6, 7:
		if l.run != nil {
			l.run.Salt++
		}
		return "script of " + l.name
	case 8:
		l.metadata += "1"
		return "metadata of " + l.name
	case 9:
		l.export = !l.export
		return "export of " + l.name
	case 10:
		l.expose = !l.expose
		return "expose of " + l.name
	case 11:
		w.epoch = time.Unix(pick(r, step.DefaultTime, olderTime, int64(1000000000)), 0)
		w.appTime = pick(r, time.Time{}, time.Unix(step.DefaultTime, 0), time.Unix(1100000000, 0))
		return fmt.Sprint("files are of ", w.epoch.Unix(), ", the app's of ", w.appTime.Unix())
	case 12:
		w.args, w.image = fmt.Sprint(r.IntN(2)), pick(r, "build-1", "build-1", "build-2")
		return "build argument, build image"
	case 13:
		if len(l.links) == 0 {
			return "nothing"
		}
		k := pick(r, l.links...)
		if !k.cache {
			k.linkVersion = !k.linkVersion
		}
		return "link of " + l.name + " to " + k.name
	case 14:
		if l.test != nil {
			l.test.Salt++
		}
		return "test of " + l.name
	}
	w.weather = fmt.Sprint(r.IntN(100))
	return "weather"
}

// text of a module's packfile.
func (m *module) text() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	flags := func(of ...any) {
		for i := 0; i < len(of); i += 2 {
			if of[i+1].(bool) {
				p("%s = true", of[i])
			}
		}
	}
	p("[config]")
	if m.id != "" {
		p("id = %q", m.id)
	}
	p("shell = \"/bin/sh\"")
	for _, name := range slices.Sorted(maps.Keys(m.caches)) {
		p("[[caches]]\nname = %q", name)
		if setup := m.caches[name]; setup != "" {
			p("[caches.setup]\ninline = %q", setup)
		}
	}
	for _, l := range m.layers {
		p("[[layers]]\nname = %q", l.name)
		flags("export", l.export, "expose", l.expose, "restore", l.restore)
		if l.version != "" {
			p("version = %q", l.version)
		}
		if l.metadata != "" {
			p("[layers.metadata]\nis = %q", l.metadata)
		}
		if l.require != nil {
			p("[layers.require]\ninline = %q", l.require.text())
		} else if l.section == "" {
			p("[layers.require]")
		}
		if l.section == "" {
			continue
		}
		in := "layers." + l.section
		p("[%s]", in)
		flags("lock-app", l.lockApp)
		if l.symlink != "" {
			p("app-symlinks = { %q = %q }", l.symlink, l.target)
		}
		if l.args != "" {
			p("args = %s", l.args)
		}
		if l.inputs != nil {
			p("inputs = [%q]", l.inputs[0])
		}
		switch {
		case l.test != nil:
			p("[%s.test]\ninline = %q", in, l.test.text())
			flags("full-env", l.fullEnv)
		case l.match != nil:
			p("[%s.test]\nmatch = [%q]", in, l.match[0])
		}
		if l.run != nil {
			p("[%s.run]\ninline = %q", in, l.run.text())
		}
		if l.env != "" {
			p("[[%s.env.both]]\nname = \"E\"\nvalue = %q", in, l.env)
		}
		for _, k := range l.links {
			p("[[%s.links]]\nname = %q", in, k.name)
			for _, kv := range [][2]string{{"path-as", k.pathAs}, {"version-as", k.versionAs}, {"metadata-as", k.metadataAs}} {
				if kv[1] != "" {
					p("%s = %q", kv[0], kv[1])
				}
			}
			flags("link-version", k.linkVersion, "link-content", k.linkContent)
		}
	}
	return b.String()
}
