package packfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/patternmatcher"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/packfile/frontend/text"
)

// seed adds files of testdata to a fuzz test.
func seed(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// checkParse checks what holds for every text: there is a value or errors, each with a place inside the text, and the same
// again the next time. It returns the value, nil when there are errors.
func checkParse[T any](t *testing.T, data []byte, parse func() (*T, []Diagnostic, error)) *T {
	value, warnings, err := parse()
	var e *Error
	if (value == nil) != (err != nil) || (err != nil && !errors.As(err, &e)) {
		t.Fatalf("value %v, error %v", value, err)
	}
	lines := strings.Split(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "\n")
	check := func(d Diagnostic) {
		r := d.Range
		if r.Start.Line < 1 || r.Start.Line > len(lines) || r.End.Line != r.Start.Line ||
			r.Start.Column < 1 || r.End.Column < r.Start.Column || r.End.Column > max(len(lines[r.End.Line-1]), 1)+1 {
			t.Fatalf("%s: stands at %v, outside the text", d.Text(), r)
		}
		if !utf8.ValidString(d.Text()) || strings.Contains(d.Text(), "\n") {
			t.Fatalf("message is not one line of text: %q", d.Text())
		}
	}
	if e != nil {
		for _, d := range e.Diagnostics {
			check(d)
		}
	}
	for _, d := range warnings {
		check(d)
	}
	again, warningsAgain, errAgain := parse()
	if diff := cmp.Diff(value, again, cmp.AllowUnexported(Table{}, keyPlace{})); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff(warnings, warningsAgain); diff != "" {
		t.Fatal(diff)
	}
	if err != nil && err.Error() != errAgain.Error() {
		t.Fatalf("%v\n%v", err, errAgain)
	}
	return value
}

// checkPackfile checks what holds for every packfile.
func checkPackfile(t *testing.T, filename string, data []byte) {
	pf := checkParse(t, data, func() (*Packfile, []Diagnostic, error) { return Parse(filename, data) })
	if pf == nil {
		return
	}
	CheckPlan(pf)
	checkModules(t, pf)
	if IsProject(filename, data) {
		t.Fatal("it is a packfile and a project descriptor")
	}
}

// checkModules checks that every module comes from somewhere: a file below the packfile's folder, or elsewhere.
func checkModules(t *testing.T, pf *Packfile) {
	for _, b := range pf.Buildpacks {
		kind, location := b.Source()
		switch kind {
		case ContextSource, ImageSource, GitSource:
		case FileSource:
			if !filepath.IsLocal(location) || location == "." {
				t.Fatalf("file %q leaves its folder", location)
			}
		case HTTPSource:
			if len(b.SHA) != 64 {
				t.Fatalf("%q has no checksum", location)
			}
		default:
			t.Fatalf("%q is a source of kind %q", b.URI, kind)
		}
		if location == "" {
			t.Fatalf("%q is nowhere", b.URI)
		}
	}
	for _, o := range pf.Order {
		if len(o.Group) == 0 {
			t.Fatal("an empty group")
		}
	}
}

func FuzzParseTOML(f *testing.F) {
	seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		checkPackfile(t, "packfile.toml", data)
		d := newDecoder(TOML)
		tree := d.tree("a file", data)
		for _, d := range d.errors() {
			if strings.Contains(d.Message, "nest more than") {
				return // a limit of ours
			}
		}
		var want map[string]any
		err := toml.Unmarshal(text.Unix(data), &want)
		if (err != nil) != (d.failures() > 0) {
			t.Fatalf("the library says %v, the tree says %v", err, d.errors())
		}
		if err == nil {
			checkTree(t, tree, want)
		}
	})
}

// checkTree compares a tree with what a library decodes the same text to.
func checkTree(t *testing.T, n *node, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		if n.kind != tableKind || len(n.entries) != len(want) {
			t.Fatalf("%s of %d keys, want %v", n.kind, len(n.entries), want)
		}
		for _, e := range n.entries {
			v, ok := want[e.key]
			if !ok {
				t.Fatalf("key %q, want %v", e.key, want)
			}
			checkTree(t, e.value, v)
		}
	case map[any]any: // YAML keys that are no strings; here they are their text
		if n.kind != tableKind || len(n.entries) != len(want) {
			t.Fatalf("%s of %d keys, want %v", n.kind, len(n.entries), want)
		}
	case []any:
		if n.kind != arrayKind || len(n.items) != len(want) {
			t.Fatalf("%s of %d items, want %v", n.kind, len(n.items), want)
		}
		for i, item := range n.items {
			checkTree(t, item, want[i])
		}
	case string:
		if n.kind != stringKind || n.text != strings.ReplaceAll(want, "\r\n", "\n") && n.text != want {
			t.Fatalf("%s %q, want %q", n.kind, n.text, want)
		}
	case bool:
		if n.kind != boolKind || (n.text == "true") != want {
			t.Fatalf("%s %q, want %v", n.kind, n.text, want)
		}
	case int, int64, uint64:
		if n.kind != integerKind {
			t.Fatalf("%s, want %v", n.kind, want)
		}
	case float64:
		if n.kind != floatKind {
			t.Fatalf("%s, want %v", n.kind, want)
		}
	case nil:
		if n.kind != nullKind {
			t.Fatalf("%s, want nothing", n.kind)
		}
	default:
		if n.kind != dateKind {
			t.Fatalf("%s, want %v", n.kind, want)
		}
	}
}

func FuzzParseYAML(f *testing.F) {
	seed(f, "*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		checkPackfile(t, "packfile.yaml", data)
		d := newDecoder(YAML)
		tree := d.tree("a file", data)
		var want map[string]any
		if d.failures() > 0 || tree.kind != tableKind || yaml.Unmarshal(text.Unix(data), &want) != nil {
			return // what we refuse beyond the library, such as tags
		}
		checkTree(t, tree, map[string]any(want))
	})
}

func FuzzParseProject(f *testing.F) {
	seed(f, "project/*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		p := checkParse(t, data, func() (*Project, []Diagnostic, error) { return ParseProject("project.toml", data) })
		if p == nil {
			return
		}
		checkModules(t, p.Packfile)
		if len(p.Packfile.Buildpacks) == 0 || p.Packfile.HasOwn() {
			t.Fatal("a project without modules, or with something of its own")
		}
		names := map[string]bool{}
		for _, v := range p.Env {
			if problem, _ := projectVariable(v.Name); problem != "" || names[v.Name] {
				t.Fatalf("variable %q", v.Name)
			}
			names[v.Name] = true
		}
	})
}

func FuzzParseBuildpackTOML(f *testing.F) {
	seed(f, "buildpack/*.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		file := checkParse(t, data, func() (*BuildpackTOML, []Diagnostic, error) {
			b, err := ParseBuildpackTOML("buildpack.toml", data)
			return b, nil, err
		})
		if file == nil {
			return
		}
		if len(file.Buildpacks) == 0 {
			t.Fatal("no module")
		}
		for _, b := range file.Buildpacks {
			if !filepath.IsLocal(b.ID) || !filepath.IsLocal(b.Version) || b.Path != "" && !filepath.IsLocal(b.Path) {
				t.Fatalf("%q %q at %q leaves its folder", b.ID, b.Version, b.Path)
			}
		}
	})
}

// FuzzGitignore checks that every pattern that is not refused is one that .dockerignore files have, inside the app.
func FuzzGitignore(f *testing.F) {
	for _, pattern := range []string{"*.log", "/docs/", "!a/**/b", `\#a`, "[!a]b", "a ", "# a"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, written string) {
		pattern, problem, _ := fromGitignore(written)
		if problem != "" || pattern == "" {
			return
		}
		m, err := patternmatcher.New([]string{pattern})
		if err != nil {
			t.Fatalf("%q became %q: %v", written, pattern, err)
		}
		if len(m.Patterns()) != 1 || m.Exclusions() != strings.HasPrefix(written, "!") {
			t.Fatalf("%q became %q", written, pattern)
		}
		if _, err := m.MatchesOrParentMatches("a/b"); err != nil && !m.Exclusions() {
			t.Fatalf("%q became %q: %v", written, pattern, err)
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("https://a.example/{{.version}}", "1.2.3")
	f.Fuzz(func(t *testing.T, text, version string) {
		metadata := map[string]any{"version": version, "a": map[string]any{"b": version}}
		r := renderer{data: metadata}
		out, err := r.render(addDots(text))
		if isTemplate(text) && len(out) > maxTemplate {
			t.Fatalf("%d bytes", len(out))
		}
		again, errAgain := (&renderer{data: metadata}).render(addDots(text))
		if out != again || (err == nil) != (errAgain == nil) {
			t.Fatalf("%q, then %q", out, again)
		}
		if problem, _ := templated(nil)(text); problem != "" {
			if _, err := (&renderer{data: metadata}).render(text); err == nil {
				t.Fatalf("refused by Parse (%s), but it renders", problem)
			}
		}
		sha := strings.Repeat("0", 64)
		if dep, err := (Dep{Name: "n", Version: text, URI: "https://a.example/" + text, SHA: sha}).Render(metadata, amd64); err == nil {
			if problem, _ := depVersion(dep.Version); problem != "" {
				t.Fatalf("version %q %s", dep.Version, problem)
			}
		}
		if value, err := (EnvVar{Name: "V", Value: text}).Render("/layers/m/l", "/workspace", amd64); err == nil && !isTemplate(text) && value != text {
			t.Fatalf("%q became %q", text, value)
		}
	})
}

// checkCost checks that what a text costs is bounded by what it measures: Measure, and with it every limit, would be worth
// nothing otherwise. Twenty copies show what grows faster than the text.
func checkCost(t *testing.T, filename string, data []byte, parse func(data []byte)) {
	data = bytes.Repeat(append(bytes.Clone(data), '\n'), 20)
	size := Measure(filename, data)
	most := uint64(1<<20 + 200*size.Bytes + 4000*size.Values)
	if spent := allocated(func() { parse(data) }); spent > most {
		t.Fatalf("%d bytes are allocated for a text of %d that measures %d values", spent, size.Bytes, size.Values)
	}
}

func FuzzCostOfTOML(f *testing.F) {
	seed(f, "*.toml")
	seed(f, "project/*.toml")
	seed(f, "buildpack/*.toml")
	f.Add([]byte("a.a.a.a = [[[[{}, {}]]]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkCost(t, "a.toml", data, func(data []byte) {
			_, _, _ = Parse("a.toml", data)
			_, _, _ = ParseProject("a.toml", data)
			_, _ = ParseBuildpackTOML("a.toml", data)
			_, _ = ParsePackageTOML("a.toml", data)
		})
	})
}

func FuzzCostOfYAML(f *testing.F) {
	seed(f, "*.yaml")
	f.Add([]byte("a: &a [b, c]\nd: [*a, *a]\n- e # f\n? g\n: |\n  h"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkCost(t, "a.yaml", data, func(data []byte) { _, _, _ = Parse("a.yaml", data) })
	})
}
