package frontend

import (
	"maps"
	"strings"
	"testing"

	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
)

const versioned = "[config]\nid = \"acme/app\"\n[[layers]]\nname = \"a\"\nexport = true\nversion = \"1\"\n[layers.build.run]\ninline = \"true\"\nshell = \"sh -e\"\n"

// identityOf returns the identity of an app that is built with options.
func identityOf(t *testing.T, text string, a app, opts map[string]string) string {
	t.Helper()
	b := buildOf(t, &fakeGateway{opts: opts}, text)
	b.apps = []*app{&a}
	id, err := b.appIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnAppIsKnownByTheFirstThatSaysWhichItIs(t *testing.T) {
	const url = "https://example.com/acme/app.git"
	reported := map[string]string{"vcs:source": url, "vcs:localdir:context": "./sub/"}
	with := func(name, value string) map[string]string {
		opts := maps.Clone(reported)
		opts[name] = value
		return opts
	}
	inRepository := app{AppOrigin: source.AppOrigin{Repository: "r"}}
	for name, test := range map[string]struct {
		app  app
		opts map[string]string
		want string
	}{
		"PACKFILE_APP":                            {inRepository, with("build-arg:PACKFILE_APP", "mine"), "app:mine"},
		"the repository of a Git context":         {inRepository, reported, "vcs:r#."},
		"the repository that the client reports":  {app{}, reported, "vcs:" + url + "#sub"},
		"that, and the folder that is built":      {app{}, with("contextsubdir", "other"), "vcs:" + url + "#other"},
		"that, and the folder of a named context": {app{AppOrigin: source.AppOrigin{Folder: "src"}}, with("vcs:localdir:src", "a/b"), "vcs:" + url + "#a/b"},
		"that, at its root":                       {app{}, map[string]string{"vcs:source": url}, "vcs:" + url + "#."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := identityOf(t, versioned, test.app, test.opts); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := identityOf(t, versioned, app{}, nil); !strings.HasPrefix(got, packfileIdentity) || len(got) != len(packfileIdentity)+64 {
		t.Errorf("without any of these it is %q", got)
	}
}

func TestWhatAPackfileMeansIsItsIdentity(t *testing.T) {
	first := identityOf(t, versioned, app{}, nil)
	for name, test := range map[string]struct {
		text string
		same bool
	}{
		"comments do not count":       {"# comment\n" + versioned, true},
		"layout does not count":       {strings.ReplaceAll(strings.ReplaceAll(versioned, " = ", "="), "\n", "\r\n"), true},
		"the order of keys does not":  {strings.Replace(versioned, "export = true\nversion = \"1\"", "version = \"1\"\nexport = true", 1), true},
		"the id counts":               {strings.Replace(versioned, "acme/app", "acme/other", 1), false},
		"the text of a script counts": {strings.Replace(versioned, "\"true\"", "\"true \"", 1), false},
		"a version counts":            {strings.Replace(versioned, "\"1\"", "\"2\"", 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := identityOf(t, test.text, app{}, nil); (got == first) != test.same {
				t.Errorf("%s is %s, and before it was %s", test.text, got, first)
			}
		})
	}
}

func TestAScriptInAFileMeansWhatItsTextMeans(t *testing.T) {
	of := func(text string, scripts map[string][]byte) string {
		b := buildOf(t, &fakeGateway{}, text)
		b.apps, b.root.Scripts = []*app{{}}, scripts
		id, err := b.appIdentity()
		if err != nil {
			t.Fatal(err)
		}
		if b.pf.Layers[0].Provide.Run.Path != b.root.Packfile.Layers[0].Provide.Run.Path || scripts != nil && b.pf.Layers[0].Provide.Run.Path == "" {
			t.Error("the packfile that is built was changed")
		}
		return id
	}
	inFile := strings.Replace(versioned, `inline = "true"`, `path = "run.sh"`, 1)
	inline := of(versioned, nil)
	if got := of(inFile, map[string][]byte{"run.sh": []byte("true")}); got != inline {
		t.Errorf("with the same text it is %s, not %s", got, inline)
	}
	if got := of(inFile, map[string][]byte{"run.sh": []byte("false")}); got == inline {
		t.Error("the text of the file does not count")
	}
}

func TestOnlyWhatIsKeptForAnAppDependsOnItsIdentity(t *testing.T) {
	layer := func(keys string) string {
		return "[[layers]]\nname = \"a\"\nexport = true\n" + keys + "[layers.build.run]\ninline = \"true\"\nshell = \"sh -e\"\n"
	}
	for name, test := range map[string]struct {
		text string
		want bool
	}{
		"nothing":                           {"", false},
		"a cache":                           {"[[caches]]\nname = \"c\"\n", true},
		"a layer that starts from last":     {layer("restore = true\n"), true},
		"a layer with a version":            {layer("version = \"1\"\n"), true},
		"a layer that is required":          {layer("[layers.require]\n"), true},
		"a layer without a version":         {layer(""), false},
		"a layer with a version and inputs": {layer("version = \"1\"\n[layers.build]\ninputs = [\"x\"]\n"), false},
		"a layer without scripts":           {"[[layers]]\nname = \"a\"\nexport = true\nversion = \"1\"\n[[layers.build.env.launch]]\nname = \"A\"\nvalue = \"b\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			pf, _, err := packfile.Parse("packfile.toml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := dependsOnIdentity(pf); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
