package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// Text that others have written, as it reaches a terminal.

// orders are what a terminal would obey: an escape sequence, the bell, one that returns to the beginning of a line, an escape
// sequence that begins with one character, and one that turns the direction of text around.
const orders = "\x1b[2J\x1b]0;t\x07\r\u009b31m\u202e"

// showsNoOrders fails if a terminal would be given some.
func showsNoOrders(t *testing.T, what, output string) {
	t.Helper()
	for _, r := range orders {
		if strings.ContainsRune("[2J]0;t31m", r) || r == '\r' && !strings.Contains(strings.ReplaceAll(output, "\r\n", ""), "\r") {
			continue
		}
		if strings.ContainsRune(output, r) {
			t.Errorf("%s: %q reaches the terminal:\n%q", what, r, output)
		}
	}
}

// hostileLabel is an image whose label has orders everywhere.
func (p pushed) hostileLabel(t *testing.T) string {
	t.Helper()
	return p.recast(t, func(c map[string]any) {
		label := p.label
		label.Name, label.Version = orders, orders
		label.Layers = append([]layerkey.Record(nil), label.Layers...)
		for i := range label.Layers {
			r := &label.Layers[i]
			r.Key, r.Parts.Version = "", orders
			r.Parts.PlatformEnv = map[string]string{"A" + orders: "x"}
			r.Parts.Deps = []layerkey.Dep{{Name: orders, Version: orders, URI: orders, SHA: orders}}
			r.Files, r.Metadata = map[string]string{orders: "00"}, map[string]any{orders: orders}
		}
		other := label.Layers[0]
		other.Name, other.Parts.Layer, other.DiffID = orders, orders, "sha256:"+strings.Repeat("0", 64)
		label.Layers = append(label.Layers, other)
		c["config"].(map[string]any)["Labels"].(map[string]any)[layerkey.LabelName] = string(marshal(t, label))
		for _, h := range c["history"].([]any) {
			h.(map[string]any)["created_by"] = orders
		}
	})
}

func TestNamesFromOutsideGiveTheTerminalNoOrders(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	previous := first.hostileLabel(t)
	showsNoOrders(t, "previous image", request{dir: dir, previous: previous}.build(t).log)
	for _, call := range []string{"--call=packfile.explain", "--call=packfile.explain,format=json"} {
		out, err := buildx(t, dir, call, "--build-context=previous=docker-image://"+previous)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		showsNoOrders(t, call, out)
	}

	module := testbed.Packfile(testbed.Layer("x").Export().Version("1").Run("echo"))
	entry := func(more string) string { return sh + "[[buildpacks]]\nuri = \"m\"\n" + more }
	for name, test := range map[string]struct {
		packfile string
		files    map[string]string
		want     string
	}{
		"a module in the place of another": {entry(""), map[string]string{
			"m/cnb/buildpacks/a" + orders + "/1" + orders + "/packfile.toml": replace(module, "[config]", "[config]\nid = \"b\"\nversion = \"2\""),
		}, `\x1b[2J`},
		"a file of a module that does not parse": {entry(""), map[string]string{
			"m/packfile.toml": module + "x = 1 # \u202e\u200b\n",
		}, `\u202e`},
		"a key of a module": {entry(""), map[string]string{
			"m/packfile.toml": module + `"\u001b[2J\u0007\u202e" = 1` + "\n",
		}, `\x1b[2J`},
		"a buildpack": {entry(""), map[string]string{
			"m/buildpack.toml": `api = "0.10"` + "\n[buildpack]\n" + `id = "a\u001b[2J"` + "\n" + `version = "\u202e1"` + "\n" + `homepage = "\u0007"` + "\n",
		}, `u001b[2J`},
		"the packfile itself":           {sh + "[[processes]]\nx = 1 # \u202e\u009b\n", nil, `\u202e`},
		"bytes that TOML does not have": {sh + "# " + orders + "\n", nil, `\x1b[2J`},
		"a file that is not there":      {testbed.Packfile(testbed.Layer("x").Version("1").RunFile("a\x1b[2J\u202e")), nil, "202e"},
	} {
		t.Run(name, func(t *testing.T) {
			contents := map[string]string{"packfile.toml": test.packfile}
			for file, text := range test.files {
				contents[file] = text
			}
			dir := files(t, contents)
			log := request{dir: dir}.fail(t)
			showsNoOrders(t, "build", log)
			contains(t, log, test.want)
			for _, call := range []string{"check", "outline", "targets", "packfile.plan"} {
				out, _ := buildx(t, dir, "--call="+call)
				showsNoOrders(t, call, out)
			}
		})
	}
}

func TestBogusRecordsOfALabelAreOneWarning(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	const bogus = 2000
	b := request{dir: dir, host: otherDaemon(t), previous: first.altered(t, relabelled(t, func(l *layerkey.Label) {
		for i := range bogus {
			r := l.Layers[0]
			r.Name, r.Parts.Layer, r.DiffID, r.Key = fmt.Sprint("x", i), fmt.Sprint("/layers/x/", i), fmt.Sprintf("sha256:%064x", i), ""
			l.Layers = append(l.Layers, r)
		}
	}))}.build(t)
	b.wantRuns(t, layersOfThree)
	if n := strings.Count(b.log, " [warning] "); n != 1 {
		t.Errorf("%d warnings:\n%.5000s", n, b.log)
	}
	contains(t, b.log, fmt.Sprintf("/layers/x/4 and %d more", bogus-5))
}

func TestPreviousImagesMayBeLargeAndDeep(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	label := func(change func(string) string) func(*ocispecs.Image, *ocispecs.Manifest) {
		return func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			c.Config.Labels[layerkey.LabelName] = change(c.Config.Labels[layerkey.LabelName])
		}
	}
	for name, test := range map[string]struct {
		change func(*ocispecs.Image, *ocispecs.Manifest)
		want   string
		runs   []string
	}{
		"a label of 7 MiB":  {label(func(s string) string { return strings.Repeat(" ", 7<<20) + s }), "", nil},
		"a label of 9 MiB":  {label(func(s string) string { return strings.Repeat(" ", 9<<20) + s }), "more than 8388608", layersOfThree},
		"a label of 40 MiB": {label(func(string) string { return strings.Repeat("x", 40<<20) }), "larger than max", layersOfThree},
		"a deep label": {label(func(string) string {
			return `{"layers":[` + strings.Repeat("[", 3<<20) + strings.Repeat("]", 3<<20) + "]}"
		}),
			"nests values more than", layersOfThree},
		"a deep build cache": {func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			c.Author = string(marshalBytes([]byte(strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20))))
		}, "nests values more than", nil},
		"a long build cache": {func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			c.Author = string(marshalBytes([]byte("[" + strings.Repeat("{},", 100_000) + "{}]")))
		}, "more than 10000", nil},
		"many diff ids": {func(c *ocispecs.Image, _ *ocispecs.Manifest) {
			for range 50_000 {
				c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, c.RootFS.DiffIDs[0])
			}
		}, "its history tells of", layersOfThree},
	} {
		t.Run(name, func(t *testing.T) {
			b := request{dir: dir, host: otherDaemon(t), previous: first.altered(t, test.change)}.build(t)
			contains(t, b.log, test.want)
			if n := strings.Count(b.log, " [warning] "); n > 3 {
				t.Errorf("%d warnings:\n%.5000s", n, b.log)
			}
		})
	}
}

func marshalBytes(data []byte) []byte {
	out, _ := json.Marshal(data)
	return out
}
