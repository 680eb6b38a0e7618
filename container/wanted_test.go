package container_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// wanting returns modules with more keys of [config] each; the last one is the packfile being built.
func wanting(t *testing.T, configs ...string) (container.Input, []*module.Module) {
	t.Helper()
	var texts []string
	for i, config := range configs {
		texts = append(texts, grouptest.WithID(string(rune('a'+i)), config+"\n"+grouptest.AProcess))
	}
	d := grouptest.New(t, texts)
	for _, m := range d.Modules {
		m.AptFiles = map[string][]byte{"x.list": []byte("x of all"), "y.list": []byte("y of " + m.ID()), "k.asc": []byte("key")}
	}
	return d.Input, d.Modules
}

func TestPackagesOfModulesAreOneSortedList(t *testing.T) {
	in, modules := wanting(t,
		`run-packages = ["zlib1g", "curl"]
apt = { sources = ["x.list", "y.list"], refresh = "7d" }`,
		`run-packages = ["curl=7"]
build-packages = ["gcc"]
apt = { sources = ["x.list", "y.list"], keys = ["k.asc"], refresh = "1d" }`,
		`run-packages = ["bash", "curl"]`)
	w, err := in.Unite(container.RunPackages, modules, noon)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.Key.Names, []string{"bash", "curl=7", "zlib1g"}) {
		t.Errorf("%q", w.Key.Names)
	}
	var from []string
	for _, at := range w.At {
		from = append(from, at.Module.ID())
	}
	if strings.Join(from, "") != "cba" {
		t.Errorf("places are in %q", from)
	}
	if len(w.Key.Sources) != 3 || len(w.Key.Keys) != 1 || w.Key.Since != "2026-01-02T00:00:00Z" || w.Refresh != 24*time.Hour {
		t.Errorf("%+v", w.Key)
	}
	p := w.Install(container.Base{}, "why", false)
	if p.Name != "install bash, curl=7, zlib1g (why)" || !slices.Equal(p.Sources, []string{"sources0.list", "sources1.list", "sources2.list"}) || !slices.Equal(p.Keys, []string{"key0.asc"}) {
		t.Errorf("%+v", p)
	}
	if other, err := in.Unite(container.BuildPackages, modules[:1], noon); other != nil || err != nil {
		t.Errorf("of a module without any: %+v %v", other, err)
	}
	slices.Reverse(modules)
	again, err := in.Unite(container.RunPackages, modules, noon)
	if err != nil || !slices.Equal(again.Key.Names, w.Key.Names) {
		t.Errorf("in another order: %+v %v", again, err)
	}
}

func TestPackagesThatCannotBeUnitedAreErrorsAtTheirPlace(t *testing.T) {
	const curl = `run-packages = ["bash", "curl=7"]`
	for name, test := range map[string]struct {
		app, module string
		network     pb.NetMode
		want        string
	}{
		"two versions":                 {`run-packages = ["curl=8"]`, curl, pb.NetMode_UNSET, `packfile1.toml:3:17: run-packages: module b wants curl in version 8, and module a in version 7`},
		"the build has no network":     {"", curl, pb.NetMode_NONE, "packfile0.toml:3:16: run-packages: packages come over the network, and the build is given none (--network none)"},
		"the app gives modules none":   {"network = 'none'", curl, pb.NetMode_UNSET, `packfile0.toml:3:16: run-packages: packages come over the network, and packfile1.toml gives modules none (network = "none")`},
		"one version and any":          {`run-packages = ["curl"]`, curl, pb.NetMode_UNSET, ""},
		"no packages and no network":   {"network = 'none'", "", pb.NetMode_NONE, ""},
		"a module without any network": {curl, "network = 'none'", pb.NetMode_UNSET, ""},
	} {
		in, modules := wanting(t, test.module, test.app)
		in.NetMode = test.network
		_, err := in.Unite(container.RunPackages, modules, noon)
		if err == nil && test.want != "" || err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPackagesThatAnImageRecordsAreWantedAgainWithTheirFiles(t *testing.T) {
	in, modules := wanting(t, `run-packages = ["curl"]
apt = { sources = ["x.list", "y.list"], keys = ["k.asc"], refresh = "1d" }`, "")
	w, err := in.Unite(container.RunPackages, modules, noon)
	if err != nil {
		t.Fatal(err)
	}
	r := layerkey.RunPackages{Parts: layerkey.RunPackagesParts{Packages: w.Key}, Files: w.Files, Refresh: w.Refresh.String()}
	later := noon.Add(48 * time.Hour)
	again, err := container.Recorded(r, modules, later)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Key.Names, w.Key.Names) || !slices.Equal(again.Key.Sources, w.Key.Sources) || again.Key.Since != "2026-01-04T00:00:00Z" || len(again.Files) != 3 {
		t.Errorf("%+v", again.Key)
	}
	modules[0].AptFiles["y.list"] = []byte("changed")
	if _, err := container.Recorded(r, modules, later); err == nil || !strings.Contains(err.Error(), "sources that its label does not hold: y.list.") {
		t.Errorf("a file that changed: %v", err)
	}
	if _, err := container.Recorded(r, nil, later); err == nil || !strings.Contains(err.Error(), "x.list, y.list, k.asc") {
		t.Errorf("no files: %v", err)
	}
}
