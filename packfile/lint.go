package packfile

import "github.com/packfile/frontend/node"

// The lint rules.
var (
	AptInScript = node.Rule{Name: "AptInScript",
		Description: "A script calls apt-get install. As an ordinary user it may not, and what root installs is thrown away when the step " +
			"ends. Packages have keys of their own."}
	ArgsPreferred = node.Rule{Name: "ArgsPreferred",
		Description: "The packfile uses a build argument in a template, and a layer has no args: its steps see every argument of the build, " +
			"so the layer is built again when any of them changes."}
	NothingToDo = node.Rule{Name: "NothingToDo",
		Description: "A module has no layers, processes, caches, slices, packages, config.image and config.env, and names no other modules, so it adds nothing to an image."}
	OldWord = node.Rule{Name: "OldWord",
		Description: "A key has a name from the published notes on the format. It still works; the warning says what it is called today."}
	RestoreDependsOnHistory = node.Rule{Name: "RestoreDependsOnHistory",
		Description: "A layer with restore = true starts from what this builder last left in it, so its content depends on earlier " +
			"builds and another builder may make another image."}
	ProfileNeedsShell = node.Rule{Name: "ProfileNeedsShell",
		Description: "A layer has profile scripts, but all processes are direct: only a process that a shell starts reads them."}
	InputsPreferred = node.Rule{Name: "InputsPreferred",
		Description: "The version of a layer is the digest of files that test.match lists, but its run script sees the whole app and may " +
			"depend on other files. With inputs it sees only the files that are part of its version."}
	IgnoredLayer = node.Rule{Name: "IgnoredLayer",
		Description: "A layer has none of require, provide and build, so nothing asks for it and nothing makes it."}
	UnusedBuilder = node.Rule{Name: "UnusedBuilder",
		Description: "A project descriptor names a builder, which is not used: steps run in the build image, and the app image is put on the " +
			"run image."}
	UnpinnedDep = node.Rule{Name: "UnpinnedDep",
		Description: "A dep has no sha, or is an image without its digest or a Git repository without a commit, so its server says in every build " +
			"what it is: each build asks it, an empty builder downloads a file, and nothing is built when it does not answer. A build says what to write."}
	UnusedGrant = node.Rule{Name: "UnusedGrant",
		Description: "A [[buildpacks]] entry gives a secret, an SSH agent, a build argument or a named context that none of its modules names: " +
			"it may be mistyped."}
	UnseenSymlinks = node.Rule{Name: "UnseenSymlinks",
		Description: "A layer has app-symlinks, but it is not in the image, and no layer links it: nothing sees its symbolic links. What " +
			"the app has in their places is left out all the same."}
	UnusedCache = node.Rule{Name: "UnusedCache",
		Description: "No layer links a cache, so nothing can use it."}
	UnusedSources = node.Rule{Name: "UnusedSources",
		Description: "The table config.apt says where packages come from, or how old they may get, and the packfile has neither packages nor other modules."}
)

// Rules returns all lint rules, sorted by name.
func Rules() []node.Rule {
	return []node.Rule{AptInScript, ArgsPreferred, IgnoredLayer, InputsPreferred, NothingToDo, OldWord, ProfileNeedsShell, RestoreDependsOnHistory, UnpinnedDep, UnseenSymlinks, UnusedBuilder, UnusedCache, UnusedGrant, UnusedSources}
}

// Idle returns the lint warning for a module that adds nothing to an image, nothing for any other.
func Idle(p *Packfile) []node.Diagnostic {
	if p.HasOwn() || len(p.Buildpacks)+len(p.Order) > 0 {
		return nil
	}
	return []node.Diagnostic{{
		Rule:    NothingToDo.Name,
		Message: "module " + node.Quote(p.Config.ID) + " has nothing to do: it has no layers, processes, caches or slices",
		Hint:    "add layers, or processes",
		Range:   p.Config.Range(),
	}}
}

// lint warns of things that are allowed but probably not meant.
func lint(d *node.Decoder, p *Packfile) {
	if p.Config.ID != "" { // a file without an id may be meant to build an image with the app alone
		for _, w := range Idle(p) {
			d.AddWarning(w)
		}
	}
	if c := &p.Config; c.Apt != nil && len(c.BuildPackages)+len(c.RunPackages)+len(p.Buildpacks)+len(p.Order) == 0 {
		d.Warn(UnusedSources, c.At("apt"), "add "+d.Key("build-packages")+" or "+d.Key("run-packages"), "nobody wants packages that apt is for")
	}
	for _, s := range p.Scripts() {
		if _, installs := CallsApt([]byte(s.Script.Inline)); installs {
			d.Warn(AptInScript, s.Script.At("inline"), AptHint, "what apt-get installs in a script is in no image")
		}
	}
	direct := len(p.Processes) > 0
	for i := range p.Processes {
		direct = direct && p.Processes[i].Direct
	}
	linked := map[string]bool{}
	for i := range p.Layers {
		l := &p.Layers[i]
		if l.Restore {
			d.Warn(RestoreDependsOnHistory, l.At("restore"), "",
				"layer %s starts from what the last build left in it, so the image depends on history", node.Quote(l.Name))
		}
		if l.Provide == nil {
			if !l.hasSection() {
				d.Warn(IgnoredLayer, l.Range(), "add build, or make it one of the caches",
					"layer %s has none of require, provide and build, and is ignored", node.Quote(l.Name))
			}
			continue
		}
		for _, link := range l.Provide.Links {
			linked[link.Name] = true
		}
		for j := range l.Provide.Deps {
			dep := &l.Provide.Deps[j]
			if dep.Name == "" || dep.URI == "" || dep.Pinned() {
				continue
			}
			switch kind, _ := dep.Source(); kind {
			case ImageSource:
				d.Warn(UnpinnedDep, dep.Range(), "a build says which digest to write",
					"dep %s is an image without its digest: every build asks its registry which one it is", node.Quote(dep.Name))
			case GitSource:
				d.Warn(UnpinnedDep, dep.Range(), "a build says which one to write",
					"dep %s is a Git repository without a commit: every build asks its server which one it is", node.Quote(dep.Name))
			default:
				d.Warn(UnpinnedDep, dep.Range(), "a build says which one to write",
					"dep %s has no sha: every build asks its server which file it is, and an empty builder downloads it", node.Quote(dep.Name))
			}
		}
		if direct && len(l.Provide.Profile) > 0 {
			d.Warn(ProfileNeedsShell, l.Provide.At("profile"), "set variables with env.launch, or add a process with direct = false",
				"profile scripts of layer %s have no effect: all processes are direct", node.Quote(l.Name))
		}
		if t := l.Provide.Test; t != nil && len(t.Match) > 0 && !l.Provide.Has("inputs") && !l.Provide.LockApp {
			d.Warn(InputsPreferred, t.At("match"), "if run needs no other files, give them as inputs of the section instead",
				"run of layer %s sees files that are not part of its version", node.Quote(l.Name))
		}
	}
	for i := range p.Layers {
		// Of a layer with provide, others may say that it is in the image.
		l := &p.Layers[i]
		if l.Build && l.Provide != nil && l.Provide.AppSymlinks != nil && !l.Export && !l.Expose && !linked[l.Name] {
			d.Warn(UnseenSymlinks, l.Provide.At("app-symlinks"), "add "+d.Key("export")+", or a link to it",
				"nothing sees the symbolic links of layer %s: it is not in the image, and no layer links it", node.Quote(l.Name))
		}
	}
	for i := range p.Caches {
		if c := &p.Caches[i]; c.Name != "" && !linked[c.Name] {
			d.Warn(UnusedCache, c.At("name"), "", "no layer links cache %s", node.Quote(c.Name))
		}
	}
}
