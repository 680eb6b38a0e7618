package packfile

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

// checkPackfile checks what holds for every packfile.
func checkPackfile(t *testing.T, filename string, data []byte) {
	pf := nodetest.CheckParse(t, data, func() (*Packfile, []node.Diagnostic, error) { return Parse(filename, data) })
	if pf == nil {
		return
	}
	CheckPlan(pf)
	checkModules(t, pf)
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
	nodetest.Seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, data []byte) { checkPackfile(t, "packfile.toml", data) })
}

func FuzzParseYAML(f *testing.F) {
	nodetest.Seed(f, "*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) { checkPackfile(t, "packfile.yaml", data) })
}

func FuzzRender(f *testing.F) {
	f.Add("https://a.example/{{.version}}", "1.2.3")
	f.Add(`{{.Args.A}}{{or .Args.B "b"}}{{slice .Args.C 0 1}}`, "1.2.3")
	f.Fuzz(func(t *testing.T, text, version string) {
		md := metadata.Table{"version": version, "a": metadata.Table{"b": version}}
		render := func(text string) (string, error) {
			return newRenderer(maps.Clone(md), map[string]string{"A": version}, nil).render(text)
		}
		out, err := render(addDots(text))
		if isTemplate(text) && len(out) > maxTemplate {
			t.Fatalf("%d bytes", len(out))
		}
		again, errAgain := render(addDots(text))
		if out != again || (err == nil) != (errAgain == nil) {
			t.Fatalf("%q, then %q", out, again)
		}
		if problem, _ := templated(nil)(text); problem != "" {
			if _, err := render(text); err == nil {
				t.Fatalf("refused by Parse (%s), but it renders", problem)
			}
		}
		sha := strings.Repeat("0", 64)
		if dep, err := (Dep{Name: "n", Version: text, URI: "https://a.example/" + text, SHA: sha}).Render(md, amd64, nil); err == nil {
			if problem, _ := depVersion(dep.Version); problem != "" {
				t.Fatalf("version %q %s", dep.Version, problem)
			}
		}
		if value, err := (EnvVar{Name: "V", Value: text}).Render("/layers/m/l", "/workspace", amd64, nil); err == nil && !isTemplate(text) && value != text {
			t.Fatalf("%q became %q", text, value)
		}
	})
}

func FuzzCostOfTOML(f *testing.F) {
	nodetest.Seed(f, "*.toml")
	f.Add([]byte("a.a.a.a = [[[[{}, {}]]]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		nodetest.CheckCost(t, "a.toml", data, func(data []byte) {
			_, _, _ = Parse("a.toml", data)
		})
	})
}

func FuzzCostOfYAML(f *testing.F) {
	nodetest.Seed(f, "*.yaml")
	f.Add([]byte("a: &a [b, c]\nd: [*a, *a]\n- e # f\n? g\n: |\n  h"))
	f.Fuzz(func(t *testing.T, data []byte) {
		nodetest.CheckCost(t, "a.yaml", data, func(data []byte) { _, _, _ = Parse("a.yaml", data) })
	})
}
