package e2e

import (
	"archive/tar"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/internal/testbed"
)

// The app image contract of Cloud Native Buildpacks, line by line: what lies in the image and what it says of itself. What the
// launcher makes of it is in launch_test.go, what a rebaser does in rebase_test.go.

// cnbLabels are the labels that every app image has.
var cnbLabels = []string{label.Lifecycle, label.Build, label.Project, label.Rebasable}

// everything is a packfile with every part that an app image can have.
var everything = testbed.Packfile(
	testbed.Config("id", "acme/everything", "version", "1.2.3", "shell", "/bin/sh -eu", "name", "Everything"),
	testbed.Process("worker", "sleep", "1").With("args", []string{"x"}, "working-dir", "/tmp"),
	testbed.Process("web", "echo hello").With("direct", false),
	testbed.Slice("*.css"),
	testbed.Slice("nothing"),
	testbed.Layer("zlib").Export().Version("1.3").With("metadata.vendor", "acme", "store", true).
		Run("echo z > $LAYER/z; mkdir $MD/nested; echo x > $MD/nested/key"),
	testbed.Layer("hidden").Expose().Run("echo h > $LAYER/h"),
	testbed.Layer("env").Export().Expose().Env("build", "B", "b").Env("launch", "A", "a"),
)

// everythingImage builds an image of it.
func everythingImage(t *testing.T, opts map[string]string) image {
	t.Helper()
	dir := files(t, map[string]string{"a.css": "css", "app.txt": "app", "packfile.toml": everything})
	return request{dir: dir, runImg: env.busybox, opts: opts}.export(t)
}

// layer is the layer of an origin.
func (img image) layer(t *testing.T, origin string) imageLayer {
	t.Helper()
	for _, l := range img.layers {
		if l.origin == origin {
			return l
		}
	}
	t.Fatalf("no layer %q in %q", origin, origins(img.layers))
	return imageLayer{}
}

// diffID is that of the nth layer of an origin.
func (img image) diffID(t *testing.T, origin string, n int) string {
	t.Helper()
	for i, l := range img.layers {
		if l.origin != origin {
			continue
		}
		if n == 0 {
			return img.RootFS.DiffIDs[i].String()
		}
		n--
	}
	t.Fatalf("no layer %q in %q", origin, origins(img.layers))
	return ""
}

// cnbLabel reads a label of an image. What it does not know is an error.
func cnbLabel[T any](t *testing.T, text string) (v T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

func TestContractLayersBottomToTop(t *testing.T) {
	t.Parallel()
	img := everythingImage(t, nil)
	base := inspect(t, env.busybox)
	equal(t, "run image layers", img.RootFS.DiffIDs[:len(base.RootFS.DiffIDs)], base.RootFS.DiffIDs)
	equal(t, "layers", origins(img.ours()), []string{
		"layer zlib", "layer env", "sbom", "app slice", "app slice", "app", "launcher", "launch metadata", "process types",
	})
	has := func(origin string, names ...string) {
		t.Helper()
		for _, name := range names {
			if _, ok := img.layer(t, origin).files[name]; !ok {
				t.Errorf("%s has no %s: %q", origin, name, slices.Sorted(maps.Keys(img.layer(t, origin).files)))
			}
		}
	}
	has("layer zlib", "layers", "layers/acme_everything", "layers/acme_everything/zlib", "layers/acme_everything/zlib/z")
	has("layer env", "layers/acme_everything/env/env.launch/A.override", "layers/acme_everything/env/env.build/B.override")
	has("sbom", "layers/sbom/launch/acme_everything/sbom.spdx.json", "layers/sbom/launch/acme_everything/zlib/sbom.spdx.json")
	has("launch metadata", "layers/config/metadata.toml")
	launcher := img.layer(t, "launcher").files["cnb/lifecycle/launcher"]
	equal(t, "mode of the launcher", launcher.Mode, int64(0o755))
	for _, kind := range []string{"web", "worker"} {
		equal(t, "link of "+kind, img.layer(t, "process types").files["cnb/process/"+kind].Linkname, "/cnb/lifecycle/launcher")
	}
	for _, l := range img.ours() {
		for name := range l.files {
			private := strings.HasSuffix(name, ".toml") && name != "layers/config/metadata.toml" && !strings.HasPrefix(name, "workspace/")
			if private || strings.Contains(name, "hidden") || strings.HasPrefix(name, "layers/sbom/build") {
				t.Errorf("%s has %s, which must not be in an image", l.origin, name)
			}
		}
	}
}

func TestContractTarEntries(t *testing.T) {
	t.Parallel()
	img := everythingImage(t, nil)
	folders := map[string]tar.Header{}
	for _, l := range img.ours() {
		for name, f := range l.files {
			if f.ModTime.Unix() != epoch || f.Uname != "" || f.Gname != "" {
				t.Errorf("%s: %s has time %v, user %q and group %q", l.origin, name, f.ModTime, f.Uname, f.Gname)
			}
			owner := 1000
			if strings.HasPrefix(name, "cnb") {
				owner = 0
			}
			if f.Uid != owner || f.Gid != owner {
				t.Errorf("%s: %s belongs to %d:%d", l.origin, name, f.Uid, f.Gid)
			}
			if f.Typeflag != tar.TypeDir {
				if f.Typeflag == tar.TypeReg && f.Mode&0o004 == 0 {
					t.Errorf("%s: %s is not world-readable", l.origin, name)
				}
				continue
			}
			if seen, ok := folders[name]; ok && (seen.Mode != f.Mode || seen.Uid != f.Uid) {
				t.Errorf("%s: folder %s is not as another layer has it", l.origin, name)
			}
			folders[name] = f.Header
		}
	}
	for _, name := range []string{"layers", "layers/acme_everything", "workspace", "cnb"} {
		if _, ok := folders[name]; !ok {
			t.Errorf("no layer has folder %s", name)
		}
	}
}

func TestContractHistory(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int64{"": epoch, "1700000000": 1700000000} {
		img := everythingImage(t, map[string]string{"build-arg:SOURCE_DATE_EPOCH": name})
		equal(t, "created", img.Created.Unix(), want)
		base := inspect(t, env.busybox)
		for _, h := range img.History[len(base.History):] {
			if h.Created.Unix() != want || h.CreatedBy == "" || h.EmptyLayer {
				t.Errorf("history entry %+v", h)
			}
		}
	}
}

func TestContractLifecycleMetadata(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]map[string]string{
		"with the default time": nil,
		"with an epoch":         {"build-arg:SOURCE_DATE_EPOCH": "1700000000"},
		"with a later epoch":    {"build-arg:SOURCE_DATE_EPOCH": "1700000001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			img := everythingImage(t, opts)
			sha := func(origin string, n int) label.Layer { return label.Layer{SHA: img.diffID(t, origin, n)} }
			sbom := sha("sbom", 0)
			repository, _, _ := strings.Cut(env.busybox, ":latest")
			base := inspect(t, env.busybox)
			equal(t, label.Lifecycle, cnbLabel[label.LifecycleMetadata](t, img.Config.Labels[label.Lifecycle]), label.LifecycleMetadata{
				App:  []label.Layer{sha("app slice", 0), sha("app slice", 1), sha("app", 0)},
				SBOM: &sbom,
				Buildpacks: []label.BuildpackLayers{{
					Key: "acme/everything", Version: "1.2.3",
					Layers: map[string]label.BuildpackLayer{
						"zlib": {
							SHA: img.diffID(t, "layer zlib", 0), Launch: true, Cache: true,
							Data: map[string]any{"vendor": "acme", "version": "1.3", "nested": map[string]any{"key": "x"}},
						},
						"env": {SHA: img.diffID(t, "layer env", 0), Launch: true, Build: true},
					},
				}},
				Config:       sha("launch metadata", 0),
				Launcher:     sha("launcher", 0),
				ProcessTypes: sha("process types", 0),
				RunImage: label.RunImage{
					TopLayer:  base.RootFS.DiffIDs[len(base.RootFS.DiffIDs)-1].String(),
					Reference: repository + "@" + readImage(t, env.busybox).Digest.String(),
					Image:     env.busybox,
				},
				Stack: label.Stack{RunImage: label.StackRunImage{Image: env.busybox}},
			})
		})
	}
}

func TestContractOtherLabels(t *testing.T) {
	t.Parallel()
	img := everythingImage(t, nil)
	equal(t, label.Build, cnbLabel[label.BuildMetadata](t, img.Config.Labels[label.Build]), label.BuildMetadata{
		Buildpacks: []label.Buildpack{{ID: "acme/everything", Version: "1.2.3"}},
		Launcher:   label.Launcher{Version: launch.Version},
		Processes: []label.Process{ // sorted by type
			{Type: "web", Command: []string{"echo hello"}, BuildpackID: "acme/everything"},
			{Type: "worker", Command: []string{"sleep", "1"}, Args: []string{"x"}, Direct: true, WorkingDir: "/tmp", BuildpackID: "acme/everything"},
		},
		DefaultProcessType: "web",
	})
	equal(t, label.Project, img.Config.Labels[label.Project], "{}")
	equal(t, label.Rebasable, img.Config.Labels[label.Rebasable], "true")
	// The keys by which tools read them, whatever our types are called.
	for _, key := range []string{`"topLayer":"sha256:`, `"reference":"`, `"process-types":{"sha":"sha256:`, `"key":"acme/everything"`,
		`"data":{`, `"data":null`, `"stack":{"runImage":{"image":"`, `"app":[{"sha":"sha256:`, `"sbom":{"sha":"sha256:`} {
		contains(t, img.Config.Labels[label.Lifecycle], key)
	}
	for _, key := range []string{`"buildpackID":"acme/everything"`, `"working-dir":"/tmp"`, `"direct":true`, `"command":["sleep","1"]`,
		`"buildpack-default-process-type":"web"`, `"launcher":{"version":"`} {
		contains(t, img.Config.Labels[label.Build], key)
	}
}

func TestContractRunImagesThatCannotBeRebased(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"x": "", "packfile.toml": everything})
	stubborn := dockerfile(t, t.TempDir(), "FROM "+env.busybox+"\nLABEL io.buildpacks.rebasable=false io.buildpacks.stack.id=acme\n")
	img := request{dir: dir, runImg: stubborn}.export(t)
	equal(t, "on a run image that says no", img.Config.Labels[label.Rebasable], "false")
	equal(t, "label of the run image", img.Config.Labels["io.buildpacks.stack.id"], "acme")
	img = request{dir: dir, runImg: "scratch"}.export(t)
	equal(t, "on no run image", img.Config.Labels[label.Rebasable], "false")
}

func TestContractMetadataTOML(t *testing.T) {
	t.Parallel()
	img := everythingImage(t, nil)
	var got map[string]any
	if _, err := toml.Decode(img.layer(t, "launch metadata").files["layers/config/metadata.toml"].content, &got); err != nil {
		t.Fatal(err)
	}
	equal(t, "metadata.toml", got, map[string]any{
		"buildpack-default-process-type": "web",
		"buildpacks":                     []map[string]any{{"id": "acme/everything", "version": "1.2.3", "api": "0.8"}},
		"processes": []map[string]any{
			{"type": "worker", "command": []any{"sleep", "1"}, "args": []any{"x"}, "direct": true, "buildpack-id": "acme/everything", "working-dir": "/tmp"},
			{"type": "web", "command": []any{"echo hello"}, "args": []any{}, "direct": false, "buildpack-id": "acme/everything"},
		},
		"slices": []map[string]any{{"paths": []any{"*.css"}}, {"paths": []any{"nothing"}}},
	})
}
