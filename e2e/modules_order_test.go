package e2e

import (
	"strings"
	"testing"
)

// Which modules take part in a build.

// roles are modules that can be members of a group, by folder. They make something only of what is required.
var roles = map[string]string{
	"first":  module("acme/first@1", provides("x", "true")),
	"second": module("acme/second@2", provides("x", "true")),
	"user":   module("acme/user@1", requires("x", "")),
	"lone":   module("acme/lone@1", requires("y", "")),
	"alone":  module("acme/alone@1", requires("y", "")),
	"extra":  module("acme/extra@1", provides("z", "true")),
	"plain":  module("acme/plain@1", process("plain", "true")),
	"both":   module("acme/both@1", provides("y", "true")+requires("x", "")),
}

// shortGroup is an [[order]] of roles.
func shortGroup(names string) string {
	var ids []string
	for _, name := range strings.Fields(names) {
		ids = append(ids, "acme/"+name)
	}
	return group(ids...)
}

func TestModuleOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		packfile string            // behind [config] with a shell
		more     map[string]string // modules beside roles
		want     string            // members, in group order
		failed   []string          // groups before
	}{
		"the first group that balances wins": {
			packfile: shortGroup("lone first user") + shortGroup("second user") + shortGroup("first user"),
			want:     "second user", failed: []string{"lone first user"},
		},
		"a provider comes before who requires it": {
			packfile: shortGroup("user first") + shortGroup("second user"),
			want:     "second user", failed: []string{"user first"},
		},
		"what is provided is required": {
			packfile: shortGroup("extra first user") + shortGroup("first") + shortGroup("first user"),
			want:     "first user", failed: []string{"extra first user", "first"},
		},
		"an optional module that nobody requires drops out":       {packfile: shortGroup("extra? first user"), want: "first user"},
		"an optional module that lacks something drops out":       {packfile: shortGroup("first lone? user"), want: "first user"},
		"an optional module that is required stays":               {packfile: shortGroup("first? user"), want: "first user"},
		"optional modules that need each other stay":              {packfile: shortGroup("first? both? lone? plain"), want: "first both lone plain"},
		"an optional module takes along those that need it":       {packfile: shortGroup("both? lone? plain"), want: "plain"},
		"whoever neither requires nor provides always takes part": {packfile: shortGroup("plain first user"), want: "plain first user"},
		"two providers of one name both take part":                {packfile: shortGroup("first second user"), want: "first second user"},
		"a module twice is the first, and required if any is": {
			packfile: shortGroup("plain extra? first extra user") + shortGroup("first? plain user first"),
			want:     "first plain user", failed: []string{"plain extra first user"},
		},
		"a composite packfile is replaced by its groups": {
			packfile: shortGroup("plain combo user"),
			more:     map[string]string{"combo": module("acme/combo", shortGroup("lone")+shortGroup("second"))},
			want:     "plain second user", failed: []string{"plain lone user"},
		},
		"a composite packfile with layers of its own comes last in its groups": {
			packfile: shortGroup("combo plain"),
			more:     map[string]string{"combo": module("acme/combo", shortGroup("first")+requires("x", ""))},
			want:     "first combo plain",
		},
		"an optional composite is left out after all of its groups": {
			packfile: shortGroup("combo? first user"),
			more:     map[string]string{"combo": module("acme/combo", shortGroup("lone")+shortGroup("alone"))},
			want:     "first user", failed: []string{"lone first user", "alone first user"},
		},
		"composites in a group are a product, the left-most varies slowest": {
			packfile: shortGroup("left right"),
			more: map[string]string{
				"left":  module("acme/left", shortGroup("lone")+shortGroup("first")),
				"right": module("acme/right", shortGroup("alone")+shortGroup("user")),
			},
			want: "first user", failed: []string{"lone alone", "lone user", "first alone"},
		},
		"a composite in a composite": {
			packfile: shortGroup("outer user"),
			more: map[string]string{
				"outer": module("acme/outer", shortGroup("lone inner")+shortGroup("inner plain")),
				"inner": module("acme/inner", shortGroup("first")),
			},
			want: "first plain user", failed: []string{"lone first user"},
		},
		"the packfile that is built comes last in each group": {
			packfile: "id = \"acme/app\"\n" + requires("x", "") + shortGroup("lone") + shortGroup("first"),
			want:     "first app", failed: []string{"lone app"},
		},
		"the packfile that is built is where its id is": {
			packfile: "id = \"acme/app\"\n" + builds("own", "", "true") + shortGroup("plain app first user"),
			want:     "plain app first user",
		},
		"a packfile that makes nothing is no member": {packfile: "id = \"acme/app\"\n" + shortGroup("plain"), want: "plain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			modules := map[string]string{}
			for _, m := range []map[string]string{roles, test.more} {
				for folder, text := range m {
					modules[folder] = text
				}
			}
			p := planned(t, modularApp(t, test.packfile+allOf(modules), modules))
			short := func(ids []string) string {
				return strings.ReplaceAll(strings.Join(ids, " "), "acme/", "")
			}
			equal(t, "modules", short(p.members()), test.want)
			var failed []string
			for _, f := range p.Failed {
				var ids []string
				for _, m := range f.Modules {
					id, _, _ := strings.Cut(m.Module, "@")
					ids = append(ids, id)
				}
				failed = append(failed, short(ids))
			}
			equal(t, "groups that failed before", failed, test.failed)
		})
	}
}

func TestModulePlanIsShownAsTablesAndAsJSON(t *testing.T) {
	t.Parallel()
	modules := map[string]string{
		"engine": module("acme/engine@2.0", provides("x", "true")),
		"lone":   module("acme/lone@1", requires("y", "")),
		"user":   module("acme/user", requires("x", "expose = true\nversion = \"1\"\n[layers.metadata]\ncolor = \"red\"\n[layers.metadata.deep]\nkey = \"1\"")),
	}
	app := "id = \"acme/app\"\nversion = \"7\"\n" + requires("x", "export = true") + builds("own", "", "exit 1") +
		shortGroup("lone? extra engine user") + shortGroup("lone? engine user") + allOf(modules)
	modules["extra"] = roles["extra"]
	dir := modularApp(t, app+uses("modules/extra"), modules)

	const want = `GROUP   MODULE                   WHY NOT
1       acme/lone@1 (optional)   requires "y", which no module before it provides
        acme/extra@1             provides "z", which neither it nor a later module requires
        acme/engine@2.0          -
        acme/user                -
        acme/app@7               -

MODULE            FROM
acme/engine@2.0   modules/engine/packfile.toml
acme/user         modules/user/packfile.toml
acme/app@7        packfile.toml

LAYER   MADE BY           REQUIRED BY   WITH
x       acme/engine@2.0   acme/user     build=true color=red deep={…} version=1
        acme/engine@2.0   acme/app@7    launch=true
own     acme/app@7        acme/app@7    
`
	equal(t, "plan of buildctl", request{dir: dir}.planText(t), want)
	out, err := buildx(t, dir, "--call=packfile.plan")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, out, want)

	p := planned(t, dir)
	equal(t, "modules", p.members(), []string{"acme/engine", "acme/user", "acme/app"})
	equal(t, "version", p.Modules[0].Version, "2.0")
	equal(t, "place", p.Modules[1].From, "modules/user/packfile.toml")
	equal(t, "providers", p.Entries[0].Providers, []string{"acme/engine@2.0"})
	equal(t, "requirers", p.Entries[0].Requires[0].By+" "+p.Entries[0].Requires[1].By, "acme/user acme/app@7")
	equal(t, "what is required", p.Entries[0].Requires[0].Metadata, map[string]any{
		"build": "true", "version": "1", "color": "red", "deep": map[string]any{"key": "1"},
	})
	equal(t, "what failed", p.Failed[0].Modules[1].Why, `provides "z", which neither it nor a later module requires`)
	if !p.Failed[0].Modules[0].Optional || p.Failed[0].Modules[1].Optional {
		t.Errorf("optional: %+v", p.Failed[0])
	}
}

func TestModuleCompositeOfAPackage(t *testing.T) {
	t.Parallel()
	const composite = `api = "0.10"
[buildpack]
id = "acme/combo"
version = "1"
[[order]]
[[order.group]]
id = "acme/lone"
version = "1"
[[order]]
[[order.group]]
id = "acme/first"
version = "1"
[[order.group]]
id = "acme/user"
`
	dir := packageFiles(t, map[string]string{
		"cnb/buildpacks/acme_combo/1/buildpack.toml": composite,
		"cnb/buildpacks/acme_first/1/packfile.toml":  roles["first"],
		"cnb/buildpacks/acme_user/1/packfile.toml":   roles["user"],
		"cnb/buildpacks/acme_lone/1/packfile.toml":   roles["lone"],
	})
	name := dockerfile(t, dir, "FROM scratch\nCOPY cnb /cnb\nLABEL io.buildpacks.buildpackage.metadata='{\"id\":\"acme/combo\",\"version\":\"1\"}'\n")
	for what, packfile := range map[string]string{
		"named as a whole":      uses("docker://" + name),
		"in an order":           uses("docker://"+name) + shortGroup("combo"),
		"its parts in an order": uses("docker://"+name) + shortGroup("first user"),
	} {
		p := planned(t, modularApp(t, packfile, nil))
		equal(t, what, p.members(), []string{"acme/first", "acme/user"})
	}
	// Without a word about which of them it is about, nobody can say.
	unlabelled := dockerfile(t, dir, "FROM scratch\nCOPY cnb /cnb\n")
	contains(t, request{dir: modularApp(t, uses("docker://"+unlabelled), nil)}.fail(t), "packfile.toml:4", "acme/combo@1, acme/first@1, acme/lone@1, acme/user@1", "say which")
}
