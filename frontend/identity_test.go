package frontend

import (
	"slices"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// ofPackfile returns a build of a packfile, with the texts of its script files and with modules.
func ofPackfile(t *testing.T, text string, scripts map[string][]byte, modules ...*module.Module) *build {
	t.Helper()
	const name = "packfile.toml"
	pf, _, err := packfile.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := &build{pf: pf, source: &dockerui.Source{SourceMap: llb.NewSourceMap(nil, name, "TOML", []byte(text))}}
	b.root = &module.Module{Packfile: pf, Filename: name, Scripts: scripts, Own: pf.HasOwn()}
	b.modules.All = append([]*module.Module{b.root}, modules...)
	return b
}

func TestWhatMeansTheSameHasOneIdentity(t *testing.T) {
	const plain = "[[layers]]\nname = 'a'\nversion = '1'\n[layers.build.run]\ninline = 'x'\n"
	bytes := func(text string) map[string][]byte { return map[string][]byte{"run.sh": []byte(text)} }
	const file = "[[layers]]\nname = 'a'\n[layers.build.run]\npath = 'run.sh'\n"
	for name, test := range map[string]struct {
		one, other               string
		oneScripts, otherScripts map[string][]byte
		differ                   bool
	}{
		"empty lists":               {one: plain, other: "caches = []\nslices = []\norder = []\nprocesses = []\n" + plain},
		"empty tables":              {one: plain, other: "[config]\nlicenses = []\n[config.labels]\n" + plain},
		"empty parts of a layer":    {one: plain, other: plain + "[layers.metadata]\n[layers.build.env]\n[[layers]]\nname = 'b'\n[layers.require]\n", differ: true},
		"empty keys of a layer":     {one: plain, other: plain + "[layers.metadata]\n[layers.build.env]\n"},
		"empty lists of a section":  {one: plain, other: "[[layers]]\nname = 'a'\nversion = '1'\n[layers.build]\nlinks = []\ndeps = []\nssh = []\nrun = { inline = 'x' }\n"},
		"the version in metadata":   {one: plain, other: "[[layers]]\nname = 'a'\nmetadata = { version = '1' }\nbuild = { run = { inline = 'x' } }\n"},
		"an empty value":            {one: plain, other: plain + "[layers.metadata]\nx = ''\n", differ: true},
		"an empty argument":         {one: "[[processes]]\ntype = 'a'\ncommand = ['a']\n", other: "[[processes]]\ntype = 'a'\ncommand = ['a']\nargs = ['']\n", differ: true},
		"tests of the image":        {one: plain, other: plain + "[[tests]]\nname = 'a'\ncommand = 'a'\n"},
		"a requirement":             {one: "[[layers]]\nname = 'a'\n[layers.provide]\n", other: "[[layers]]\nname = 'a'\n[layers.provide]\n[layers.require]\n", differ: true},
		"scripts that are no UTF-8": {one: file, other: file, oneScripts: bytes("x\xff\n"), otherScripts: bytes("x\xfe\n"), differ: true},
	} {
		one, err := ofPackfile(t, test.one, test.oneScripts).meaning()
		if err != nil {
			t.Fatal(err)
		}
		other, err := ofPackfile(t, test.other, test.otherScripts).meaning()
		if err != nil {
			t.Fatal(err)
		}
		if differ := string(one) != string(other); differ != test.differ {
			t.Errorf("%s: differ: %t\n%s\n%s", name, differ, one, other)
		}
	}
}

func TestAnAppIsKnownByItsModulesToo(t *testing.T) {
	using := func(id, text string) *module.Module {
		pf, _, err := packfile.Parse(id, []byte("[config]\nid = '"+id+"'\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		return &module.Module{Packfile: pf, Own: true}
	}
	const (
		cached = "[[caches]]\nname = 'c'\n"
		files  = "[[layers]]\nname = 'l'\n[layers.build.run]\ninline = 'x'\n"
		uses   = "[[buildpacks]]\nuri = 'modules'\n"
	)
	for name, test := range map[string]struct {
		build *build
		want  []string
	}{
		"nothing of its own":          {ofPackfile(t, uses, nil, using("m", files)), nil},
		"caches of a module":          {ofPackfile(t, uses, nil, using("m", cached), using("n", files)), []string{"m/"}},
		"two versions of a module":    {ofPackfile(t, uses, nil, using("m", cached), using("m", cached)), []string{"m/"}},
		"its own, and of a module":    {ofPackfile(t, uses+cached+files, nil, using("m", cached)), []string{"c", "l", "m/"}},
		"its own":                     {ofPackfile(t, cached+files, nil), []string{"c", "l"}},
		"its own files, and a module": {ofPackfile(t, uses+files, nil, using("m", cached)), []string{"l", "m/"}},
	} {
		if got := test.build.knownBy(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
