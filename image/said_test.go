package image

import (
	"maps"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/previous"
)

// speaking is a module that says something of the image.
func speaking(id, said string) string { return "[config]\nid = \"" + id + "\"\n" + said }

func TestPortsAndVolumesAreThoseOfAllModulesAndOfOthersTheLastOneCountsAndTheApps(t *testing.T) {
	one := speaking("one", "image = { expose = ['1'], volumes = ['/one'], stop-signal = 'HUP', healthcheck = { command = ['one'] } }\n")
	two := speaking("two", "image = { expose = ['1', '2'], stop-signal = 'INT', healthcheck = { command = ['two'] } }\n")
	for what, test := range map[string]struct {
		modules       []string
		signal, check string
	}{
		"the last module":             {[]string{one, two, speaking("root", "")}, "SIGINT", "two"},
		"the last one that says it":   {[]string{two, one, speaking("three", "image = { expose = ['3'] }\n"), speaking("root", "")}, "SIGHUP", "one"},
		"the app":                     {[]string{one, two, speaking("root", "image = { stop-signal = 'TERM', healthcheck = 'none' }\n")}, "SIGTERM", "NONE"},
		"the app, of what it says":    {[]string{one, two, speaking("root", "image = { stop-signal = 'TERM' }\n")}, "SIGTERM", "two"},
		"an app without more to make": {[]string{one, two, speaking("root", "image = {}\n")}, "SIGINT", "two"},
	} {
		t.Run(what, func(t *testing.T) {
			for _, first := range []bool{false, true} {
				b := newGroup(t, test.modules, func(in *testInput) {
					if first {
						grouptest.RootFirst(&in.Input)
					}
				})
				said := b.undecided(t).said()
				if said.StopSignal != test.signal || said.Healthcheck.Test[len(said.Healthcheck.Test)-1] != test.check {
					t.Errorf("signal %s, check %q", said.StopSignal, said.Healthcheck.Test)
				}
				if got := slices.Sorted(maps.Keys(said.ExposedPorts)); !slices.Contains(got, "1/tcp") || !slices.Contains(got, "2/tcp") {
					t.Errorf("ports %q", got)
				}
				if got := slices.Sorted(maps.Keys(said.Volumes)); !slices.Equal(got, []string{"/one"}) {
					t.Errorf("volumes %q", got)
				}
			}
		})
	}
}

func TestTheConfigOfTheRunImageIsNotChanged(t *testing.T) {
	run := dockerspec.DockerOCIImageConfig{}
	run.ExposedPorts = map[string]struct{}{"1/tcp": {}}
	c := run
	said{ExposedPorts: map[string]struct{}{"2/tcp": {}}, Volumes: map[string]struct{}{"/v": {}}}.addTo(&c)
	if len(run.ExposedPorts) != 1 || len(run.Volumes) != 0 || len(c.ExposedPorts) != 2 || len(c.Volumes) != 1 {
		t.Errorf("run image %v, app image %v", run, c)
	}
	if said := (said{}); said.record(nil) != nil { // it would write to the labels
		t.Error("nothing is a label")
	}
}

func TestWhatARunImageSaysToDockerfilesAndOfItsOwnEntrypointIsDropped(t *testing.T) {
	cfg := imageOf(t, chain, func(in *testInput) {
		in.Run.Config.Config.OnBuild = []string{"RUN x"}
		//lint:ignore SA1019 images have it
		in.Run.Config.Config.ArgsEscaped = true
		in.Run.Config.Config.StopSignal = "SIGHUP"
	})
	//lint:ignore SA1019 images have it
	if c := cfg.Config; c.OnBuild != nil || c.ArgsEscaped || c.StopSignal != "SIGHUP" {
		t.Errorf("%+v", c)
	}
}

func TestVariablesOfConfigStandBehindTheLayersOfTheirModule(t *testing.T) {
	variable := func(id string, more ...string) string {
		return speaking(id, "env.launch = [{ name = 'A', value = '"+id+"' }"+strings.Join(more, "")+"]\n")
	}
	for what, test := range map[string]struct {
		modules []string
		first   bool // the app is the first of the group
		want    map[string]string
	}{
		"one packfile": {[]string{variable("a/b", ", { name = 'B', value = '{{.App}}', op = 'append', delim = ':', process = 'web' }")}, false, map[string]string{
			"a_b/~env.app/env.launch/A.override": "a/b", "a_b/~env.app/env.launch/web/B.append": "/workspace", "a_b/~env.app/env.launch/web/B.delim": ":",
		}},
		"modules": {[]string{variable("one"), speaking("two", ""), variable("root")}, false, map[string]string{
			"one/~env/env.launch/A.override": "one", "root/~env.app/env.launch/A.override": "root",
		}},
		"the app before modules": {[]string{variable("one"), variable("two"), variable("root")}, true, map[string]string{
			"one/~env/env.launch/A.override": "one", "two/~env/env.launch/A.override": "two", "two/~env.app/env.launch/A.override": "root",
		}},
	} {
		t.Run(what, func(t *testing.T) {
			b := newGroup(t, test.modules, func(in *testInput) {
				if test.first {
					grouptest.RootFirst(&in.Input)
				}
			})
			files, err := b.undecided(t).launchEnv()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name, content := range files {
				got[strings.TrimPrefix(name, "/layers/")] = string(content)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if moduleEnvDir >= rootEnvDir || moduleEnvDir <= "zzz" || moduleEnvDir <= "_" {
		t.Error("the folders are not in their order")
	}
}

func TestAValueThatCannotBeMadeIsAnErrorAtItsPlace(t *testing.T) {
	b := newBuild(t, "[config]\nenv.launch = [{ name = 'A', value = '{{index .App 100}}' }]\n")
	_, err := b.undecided(t).launchEnv()
	if err == nil || !strings.HasPrefix(err.Error(), "packfile0.toml:2:37: value of A: ") {
		t.Error(err)
	}
}

func TestFoldersThatAnImageIsToHave(t *testing.T) {
	processes := func(dirs ...string) (text string) {
		for i, dir := range dirs {
			text += "[[processes]]\ntype = \"p" + string(rune('a'+i)) + "\"\ncommand = [\"x\"]\nworking-dir = \"" + dir + "\"\n"
		}
		return text
	}
	for what, test := range map[string]struct {
		text           string
		inApp, outside []string
	}{
		"none": {"", nil, nil},
		"folders of the app, of layers and of others": {processes("x", "/workspace", "/workspace/x", "/layers/a/b", "/cnb/x", "/proc", "/dev/shm", "/tmp", "/", "//"), nil, nil},
		"folders elsewhere":                           {processes("/srv/../srv/x/", "/workspaces", "/tmp/x", "/srv/x"), nil, []string{"/srv/x", "/tmp/x", "/workspaces"}},
		"folders of folders":                          {processes("/a", "/a/b", "/a/b/c", "/a-b", "/ab"), nil, []string{"/a-b", "/a/b/c", "/ab"}},
		"volumes":                                     {"config.image.volumes = ['/data', '/workspace/x', '/workspace/x/y', '/tmp']\n" + processes("/data/x"), []string{"/workspace/x/y"}, []string{"/data/x"}},
	} {
		t.Run(what, func(t *testing.T) {
			dirs := func(folders []folder) (dirs []string) {
				for _, f := range folders {
					dirs = append(dirs, f.dir)
				}
				return dirs
			}
			inApp, outside := newBuild(t, test.text).undecided(t).folders()
			if !slices.Equal(dirs(inApp), test.inApp) || !slices.Equal(dirs(outside), test.outside) {
				t.Errorf("%q and %q", dirs(inApp), dirs(outside))
			}
		})
	}
}

func TestAnImageHasOneLayerWithAllFoldersBelowTheApp(t *testing.T) {
	for text, want := range map[string]string{
		"": "app launcher metadata",
		"config.image.volumes = ['/workspace/x']\n":       "folders app launcher metadata",
		"config.image.volumes = ['/workspace/x', '/a']\n": "folders app launcher metadata",
	} {
		var parts []string
		for _, l := range newBuild(t, text).image(t, nil).layers {
			parts = append(parts, l.part)
		}
		if got := strings.Join(parts, " "); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestFoldersBelongToTheUserOfTheAppImage(t *testing.T) {
	for user, want := range map[string]string{"5": "5:5", "5:6": "5:6", "www-data": "1000:1000", "5:www-data": "1000:1000", "-1": "1000:1000", "": "1000:1000"} {
		b := newBuild(t, "", func(in *testInput) { in.User = user })
		if got := b.undecided(t).runOwner().String(); got != want {
			t.Errorf("%q: %s", user, got)
		}
	}
}

func TestARebaseReadsWhatTheAppSaidAndFailsForWhatIsNoJSON(t *testing.T) {
	run := container.Base{State: bk.Image("run"), Config: &dockerspec.DockerOCIImage{}}
	run.Config.RootFS.DiffIDs = []digest.Digest{digest.FromString("other")}
	run.Config.Config.StopSignal, run.Config.Config.OnBuild = "SIGINT", []string{"RUN x"}
	cfg := appWith(t, digest.FromString("app"), digest.FromString("config"), digest.FromString("launcher"))
	cfg.Config.ExposedPorts, cfg.Config.OnBuild = map[string]struct{}{"1/tcp": {}}, []string{"RUN y"}
	cfg.Config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "old"}}
	for range 3 {
		cfg.History = append(cfg.History, baseHistory(run.Config, nil)...)
	}
	rebase := func(label string) (*dockerspec.DockerOCIImage, error) {
		cfg.Config.Labels[saidLabel] = label
		re, err := Rebase(previous.Source{State: bk.Image("app"), Config: cfg, InlineCache: inlineCache(t, cfg)}, run)
		if err != nil {
			return nil, err
		}
		return re.Config, nil
	}
	got, err := rebase(`{"ExposedPorts":{"2/udp":{}},"Healthcheck":{"Test":["NONE"],"Interval":1}}`)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Config
	if _, ok := c.ExposedPorts["2/udp"]; !ok || len(c.ExposedPorts) != 1 || c.StopSignal != "SIGINT" || c.OnBuild != nil || c.Healthcheck.Test[0] != "NONE" {
		t.Errorf("%+v", c)
	}
	for _, label := range []string{"", "{", `{"ExposedPorts":7}`, strings.Repeat("[", 100)} {
		if _, err := rebase(label); err == nil || !strings.Contains(err.Error(), "its label io.packfile.image cannot be read: ") {
			t.Errorf("%q: %v", label, err)
		}
	}
}
