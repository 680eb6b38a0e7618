package packfile

// Rule is a lint rule: what a warning with its name means. Documentation is generated from Rules.
type Rule struct {
	Name        string
	Description string
}

// The lint rules.
var (
	OldWord = Rule{"OldWord",
		"A key has a name from the published notes on the format. It still works; the warning says what it is called today."}
	RestoreDependsOnHistory = Rule{"RestoreDependsOnHistory",
		"A layer with restore = true starts from what this builder last left in it, so its content depends on earlier " +
			"builds and another builder may make another image."}
	ProfileNeedsShell = Rule{"ProfileNeedsShell",
		"A layer has profile scripts, but all processes are direct: only a process that a shell starts reads them."}
	InputsPreferred = Rule{"InputsPreferred",
		"The version of a layer is the digest of files that test.match lists, but its run script sees the whole app and may " +
			"depend on other files. With inputs it sees only the files that are part of its version."}
	IgnoredLayer = Rule{"IgnoredLayer",
		"A layer has none of require, provide and build, so nothing asks for it and nothing makes it."}
	UnusedBuilder = Rule{"UnusedBuilder",
		"A project descriptor names a builder, which is not used: steps run in the build image, and the app image is put on the " +
			"run image."}
	UnusedCache = Rule{"UnusedCache", "No layer links a cache, so nothing can use it."}
)

// Rules are all lint rules, by name.
func Rules() []Rule {
	return []Rule{IgnoredLayer, InputsPreferred, OldWord, ProfileNeedsShell, RestoreDependsOnHistory, UnusedBuilder, UnusedCache}
}

// lint looks for what is allowed but probably not meant.
func (d *decoder) lint(p *Packfile) {
	direct := len(p.Processes) > 0
	for i := range p.Processes {
		direct = direct && p.Processes[i].Direct
	}
	linked := map[string]bool{}
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Restore {
			d.warn(RestoreDependsOnHistory, l.At("restore"), "",
				"layer %s starts from what the last build left in it, so the image depends on history", quote(l.Name))
		}
		if l.Provide == nil {
			if !l.hasSection() {
				d.warn(IgnoredLayer, l.Range(), "add build, or make it one of the caches",
					"layer %s has none of require, provide and build, and is ignored", quote(l.Name))
			}
			continue
		}
		for _, link := range l.Provide.Links {
			linked[link.Name] = true
		}
		if direct && len(l.Provide.Profile) > 0 {
			d.warn(ProfileNeedsShell, l.Provide.At("profile"), "set variables with env.launch, or add a process with direct = false",
				"profile scripts of layer %s have no effect: all processes are direct", quote(l.Name))
		}
		if t := l.Provide.Test; t != nil && len(t.Match) > 0 && !l.Provide.Has("inputs") && !l.Provide.LockApp {
			d.warn(InputsPreferred, t.At("match"), "if run needs no other files, give them as inputs of the section instead",
				"run of layer %s sees files that are not part of its version", quote(l.Name))
		}
	}
	for i := range p.Caches {
		if c := &p.Caches[i]; c.Name != "" && !linked[c.Name] {
			d.warn(UnusedCache, c.At("name"), "", "no layer links cache %s", quote(c.Name))
		}
	}
}
