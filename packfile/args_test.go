package packfile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/node"
)

func TestASectionSeesItsArgumentsBesidesThoseOfConfig(t *testing.T) {
	const layer = "[[layers]]\nname = 'a'\n[layers.require]\ninline = 'x'\n%s[layers.provide]\n%s[layers.provide.test]\ninline = 'x'\n%s"
	const none, a, b = "args = []\n", "args = ['A']\n", "args = ['B']\n"
	for _, test := range []struct {
		name, config, require, provide, test string
		want                                 string // what of A, B and C require, test and run see; "all" without a list
	}{
		{"nothing is listed", "", "", "", "", "all all all"},
		{"config lists one", a, "", "", "", "A A A"},
		{"config lists none", none, "", "", "", "- - -"},
		{"the section lists one", "", "", a, "", "all A A"},
		{"the section lists none", "", "", none, "", "all - -"},
		{"require lists one", "", a, "", "", "A all all"},
		{"test lists one", "", "", "", a, "all A all"},
		{"test lists one besides the section", "", "", a, b, "all AB A"},
		{"both list one", a, b, b, "", "AB AB AB"},
		{"the section lists none besides config", a, none, none, none, "A A A"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pf := mustParse(t, "[config]\n"+test.config+fmt.Sprintf(layer, test.require, test.provide, test.test))
			l := &pf.Layers[0]
			got := ""
			for _, args := range []Args{pf.RequireArgs(l), pf.TestArgs(l), pf.RunArgs(l)} {
				seen := ""
				for _, name := range []string{"A", "B", "C"} {
					if args.Sees(name) {
						seen += name
					}
				}
				switch {
				case args.All():
					require.Equal(t, "ABC", seen)
					seen = "all"
				case seen == "":
					seen = "-"
				}
				got += " " + seen
			}
			require.Equal(t, test.want, got[1:])
		})
	}
}

func TestAPackfileSeesWhatASectionOrALabelSees(t *testing.T) {
	for text, want := range map[string]bool{
		"": false,
		"[[processes]]\ntype = 'a'\ncommand = 'b'":                            false,
		"config.labels.a = '{{.Args.A}}'":                                     true,
		"config.labels.a = '{{if .Args.A}}b{{end}}'":                          true,
		"config.labels.a = '{{.Args.B}}'":                                     false,
		"[[config.env.launch]]\nname = 'V'\nvalue = '{{.Args.A}}'":            true,
		"config.args = ['A']":                                                 true,
		"config.args = ['B']\n[[layers]]\nname = 'a'\nbuild = {}":             false,
		"[[layers]]\nname = 'a'\nbuild = {}":                                  true,
		"[[layers]]\nname = 'a'\nbuild.args = []":                             false,
		"[[layers]]\nname = 'a'\nbuild = { args = [], test.inline = 'x' }":    false,
		"[[layers]]\nname = 'a'\nbuild.args = []\nrequire = { inline = 'x' }": true,
	} {
		require.Equal(t, want, mustParse(t, text).SeesArg("A"), "%s", text)
	}
}

func TestNamedArgumentsAreThoseOfListsAndTemplatesWithTheirFirstPlace(t *testing.T) {
	pf := mustParse(t, `[config]
args = ["A"]
[config.labels]
l = "{{.Args.L}}"
[[config.env.launch]]
name = "V"
value = "{{.Args.V}}"
[[layers]]
name = "a"
[layers.build]
args = ["C", "B"]
test = { inline = "x", args = ["T"] }
env.launch = [{ name = "X", value = "{{with .Args.A}}{{$.Args.B}}{{end}}" }]
deps = [{ name = "x", uri = "https://a.example/{{.Args.C}}", sha = "{{.s}}" }]
[layers.require]
inline = "x"
args = ["R"]
`)
	var got string
	for _, named := range pf.NamedArgs() {
		got += fmt.Sprintf("%s:%d:%d ", named.Name, named.At.Start.Line, named.At.Start.Column)
	}
	require.Equal(t, "A:2:9 B:11:14 C:11:9 L:4:5 R:17:9 T:12:32 V:7:9 ", got)
}

func TestTemplatesKnowBuildArguments(t *testing.T) {
	args := map[string]string{"A": "a", "LONG": "0123456789", "EMPTY": ""}
	const needed = "value of V: build argument %q is needed and not given (give it with --build-arg %s=…, or write {{or .Args.%s \"…\"}} for a default)"
	missing := func(name string) string { return fmt.Sprintf(needed, name, name, name) }
	for _, test := range []struct{ value, want, wrong string }{
		{"{{.Args.A}}-{{$.Args.A}}", "a-a", ""},
		{"{{.Args.B}}", "", missing("B")},
		{"{{.Args.A}}{{.Args.B}}", "", missing("B")},
		{`{{or .Args.B "dev"}}`, "dev", ""},
		{`{{or .Args.A "dev"}}`, "a", ""},
		{`{{or .Args.EMPTY "dev"}}`, "dev", ""},
		{`{{or .Args.B .Args.A "dev"}}`, "a", ""},
		{`{{or .Args.B .Args.C}}`, "", missing("B")},
		{`{{and .Args.A .Args.B}}`, "", missing("B")},
		{"{{if .Args.B}}x{{.Args.B}}{{else}}none{{end}}", "none", ""},
		{"{{if not .Args.B}}none{{end}}", "none", ""},
		{"{{with .Args.A}}x{{.}}{{end}}", "xa", ""},
		{`{{if eq .Args.A "a"}}yes{{end}}`, "yes", ""},
		{`{{if eq .Args.B "a"}}yes{{else}}no{{end}}`, "no", ""},
		{"{{slice .Args.LONG 0 4}}", "0123", ""},
		{"{{slice .Args.B 0 4}}", "", missing("B")},
		{`{{slice (or .Args.B "unknown") 0 4}}`, "unkn", ""},
		{"{{len .Args.B}}", "", missing("B")},
		{"{{.Args.EMPTY}}", "", ""},
	} {
		got, err := EnvVar{Name: "V", Value: test.value}.Render("/layers/m/a", "/workspace", amd64, args)
		if test.wrong != "" {
			var d node.Diagnostic
			require.ErrorAs(t, err, &d, test.value)
			require.Equal(t, test.wrong, d.Text(), test.value)
			require.ErrorAs(t, err, new(*MissingArg), test.value)
			continue
		}
		require.NoError(t, err, test.value)
		require.Equal(t, test.want, got, test.value)
	}
}

func TestDepsKnowBuildArgumentsUnlessTheLayerHasMetadataOfThatName(t *testing.T) {
	args := map[string]string{"V": "1.2"}
	dep := Dep{Name: "n", Version: "{{.Args.V}}", URI: `https://a.example/{{.Args.V}}{{or .Args.FLAVOR ""}}`, SHA: "{{.s}}"}
	md := metadata.Table{"s": "00"}
	_, err := dep.Render(md, amd64, nil)
	require.ErrorContains(t, err, `version of dep "n": build argument "V" is needed and not given`)
	dep.SHA = ""
	got, err := dep.Render(md, amd64, args)
	require.NoError(t, err)
	require.Equal(t, "1.2 https://a.example/1.2", got.Version+" "+got.URI)
	md["Args"] = metadata.Table{"V": "own", "FLAVOR": "-x"}
	got, err = dep.Render(md, amd64, args)
	require.NoError(t, err)
	require.Equal(t, "own https://a.example/own-x", got.Version+" "+got.URI)
}

func TestLabelsAreRenderedAndPointAtTheirPlace(t *testing.T) {
	pf := mustParse(t, "[config.labels]\nplain = 'x'\nb = '{{.Args.B}}'\na = '{{or .Args.A \"none\"}}'\n")
	labels, err := pf.Config.RenderLabels(map[string]string{"B": "b"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"plain": "x", "a": "none", "b": "b"}, labels)
	_, err = pf.Config.RenderLabels(nil)
	var d node.Diagnostic
	require.ErrorAs(t, err, &d)
	require.Equal(t, node.Position{Line: 3, Column: 5}, d.Range.Start)
	require.Equal(t, `label "b": build argument "B" is needed and not given`, d.Message)
}
