package packfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

var amd64 = Target{Platform: "linux/amd64", OS: "linux", Arch: "amd64"}

func TestDepsAreRenderedFromMetadata(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	md := metadata.Table{
		"version": "22.1", "sha": strings.ToUpper(sha), "a": metadata.Table{"b": "deep", "linux": "os"}, "node-arch": "x64", "empty": "",
	}
	for _, test := range []struct{ name, template, want string }{
		{"plain text", "https://a.example/x", "https://a.example/x"},
		{"a key", "https://a.example/v{{.version}}", "https://a.example/v22.1"},
		{"a key below a key", "https://a.example/{{.a.b}}", "https://a.example/deep"},
		{"a key that is no identifier", `https://a.example/{{index . "node-arch"}}`, "https://a.example/x64"},
		{"keys on the way", `https://a.example/{{index . "a" "b"}}`, "https://a.example/deep"},
		{"the root", `https://a.example/{{with .a}}{{.b}}{{$.version}}{{end}}`, "https://a.example/deep22.1"},
		{"a condition", `https://a.example/{{if eq .version "22.1"}}new{{else}}old{{end}}`, "https://a.example/new"},
		{"an empty value", `https://a.example/{{if .empty}}x{{else}}y{{end}}`, "https://a.example/y"},
		{"a function", `https://a.example/{{slice .version 0 2}}/{{len .a.b}}/{{not true}}`, "https://a.example/22/4/false"},
		{"a comment", `https://a.example/{{/* x */}}`, "https://a.example/"},
		{"the target", `https://a.example/{{.TARGETPLATFORM}}/{{.TARGETOS}}-{{.TARGETARCH}}{{.TARGETVARIANT}}`, "https://a.example/linux/amd64/linux-amd64"},
		{"a key that the target names", `https://a.example/{{index .a .TARGETOS}}`, "https://a.example/os"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dep := Dep{
				Name: "node", Version: "{{.version}}", URI: test.template, SHA: "{{.sha}}",
				Metadata: metadata.Table{"of": "{{.version}}", "t": metadata.Table{"x": "{{.a.b}}"}},
			}
			got, err := dep.Render(md, amd64, nil)
			require.NoError(t, err)
			require.Equal(t, Dep{
				Name: "node", Version: "22.1", URI: test.want, SHA: sha,
				Metadata: metadata.Table{"of": "22.1", "t": metadata.Table{"x": "deep"}},
			}, got)
			require.Equal(t, "{{.version}}", dep.Version, "the dep itself stays as it is")
			require.Equal(t, "{{.version}}", dep.Metadata["of"])
		})
	}
}

func TestDepsThatCannotBeRenderedSayWhy(t *testing.T) {
	md := metadata.Table{"version": "22", "a": metadata.Table{"b": "c"}, "long": strings.Repeat("x", 40_000), "up": "../x"}
	for _, test := range []struct {
		name string
		dep  Dep
		want string
	}{
		{"a missing key", Dep{URI: "https://a.example/{{.verzion}}"}, `uri of dep "n": there is no "verzion"`},
		{"a missing key below a key", Dep{URI: "https://a.example/{{.a.x}}"}, `uri of dep "n": there is no "x"`},
		{"a missing key with index", Dep{URI: `https://a.example/{{index . "x-y"}}`}, `uri of dep "n": there is no "x-y"`},
		{"a key below a string", Dep{URI: "https://a.example/{{.version.major}}"},
			`uri of dep "n": "major" is asked for below a value that is no table`},
		{"a table", Dep{URI: "https://a.example/{{.a}}"}, `uri of dep "n": a table stands where text is wanted`},
		{"everything", Dep{URI: "https://a.example/{{.}}"}, `uri of dep "n": a table stands where text is wanted`},
		{"too much", Dep{URI: "https://a.example/{{.long}}{{.long}}"}, `uri of dep "n": templates render to more than 65536 bytes`},
		{"too much in all", Dep{Version: "{{slice .long 0 50}}", URI: "https://a.example/{{.long}}", Metadata: metadata.Table{"a": "{{.long}}"}},
			`metadata of dep "n": a: templates render to more than 65536 bytes`},
		{"a template that is too long", Dep{URI: "{{.a}}" + strings.Repeat("x", maxTemplate)}, `uri of dep "n": a template has at most 65536 bytes`},
		{"a name that leaves its folder", Dep{Version: "{{.up}}"}, `version of dep "n": "../x" holds a '/'`},
		{"a checksum that is none", Dep{SHA: "{{.version}}"}, `sha of dep "n": "22" is not a SHA-256 checksum`},
		{"an address that is none", Dep{URI: "{{.version}}"}, `uri of dep "n": "22" is no address of a dep`},
		{"a broken template", Dep{URI: "{{.a"}, `uri of dep "n": unclosed action`},
		{"a loop", Dep{URI: "{{range .a}}{{end}}"}, `uri of dep "n": "range" is not available in packfile templates`},
		{"a template in a template", Dep{URI: `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`}, `uri of dep "n": templates cannot define templates`},
		{"a call of a template", Dep{URI: `{{template "x"}}`}, `uri of dep "n": "template" is not available in packfile templates`},
		{"a variable", Dep{URI: `{{$x := "a"}}{{$x}}`}, `uri of dep "n": variables are not available in packfile templates`},
		{"a function", Dep{URI: `{{printf "%s" .version}}`}, `uri of dep "n": function "printf" is not available in packfile templates`},
		{"a function in parentheses", Dep{URI: `{{(print .version).x}}`}, `uri of dep "n": function "print" is not available in packfile templates`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.dep.Name = "n"
			if test.dep.URI == "" {
				test.dep.URI = "https://a.example"
			}
			if test.dep.SHA == "" {
				test.dep.SHA = strings.Repeat("0", 64)
			}
			_, err := test.dep.Render(md, amd64, nil)
			require.EqualError(t, err, test.want)
		})
	}
}

func TestMetadataGoesBeforeTheTarget(t *testing.T) {
	md := metadata.Table{"TARGETARCH": "x64"}
	dep := Dep{Name: "n", URI: "https://a.example/{{.TARGETOS}}-{{.TARGETARCH}}", SHA: strings.Repeat("0", 64)}
	got, err := dep.Render(md, amd64, nil)
	require.NoError(t, err)
	require.Equal(t, "https://a.example/linux-x64", got.URI)
	require.Len(t, md, 1, "the metadata stays as it is")
}

func TestAnErrorOfRenderPointsAtTheKey(t *testing.T) {
	pf := mustParse(t, "[[layers]]\nname = \"a\"\n[[layers.build.deps]]\nname = \"n\"\nuri = \"https://a.example/{{.x}}\"\nsha = \"{{.y}}\"\n")
	_, err := pf.Layers[0].Provide.Deps[0].Render(nil, amd64, nil)
	var d node.Diagnostic
	require.ErrorAs(t, err, &d)
	require.Equal(t, node.Position{Line: 5, Column: 7}, d.Range.Start)
}

func TestValuesOfVariablesKnowTheLayerAndTheApp(t *testing.T) {
	for _, test := range []struct{ value, want, wrong string }{
		{"plain", "plain", ""},
		{"{{.Layer}}/bin:{{.App}}/bin", "/layers/m/a/bin:/workspace/bin", ""},
		{"${HOME} }}", "${HOME} }}", ""},
		{"{{.TARGETOS}}{{if .TARGETVARIANT}}/{{.TARGETVARIANT}}{{end}}", "linux", ""},
		{"{{.Layers}}", "", `value of V: there is no ".Layers": known are .Layer, .App, .Args.NAME, .TARGETPLATFORM, .TARGETOS, .TARGETARCH, .TARGETVARIANT`},
		{"{{if .App}}{{.Other}}{{end}}", "", `value of V: there is no ".Other": known are .Layer, .App, .Args.NAME, .TARGETPLATFORM, .TARGETOS, .TARGETARCH, .TARGETVARIANT`},
		{"{{", "", `value of V: unclosed action`},
	} {
		got, err := EnvVar{Name: "V", Value: test.value}.Render("/layers/m/a", "/workspace", amd64, nil)
		if test.wrong != "" {
			require.EqualError(t, err, test.wrong)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.want, got)
	}
}
