package packfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

// linking is a packfile of a cache and of layers, each "name" or "name: link link".
func linking(layers ...string) string {
	var b strings.Builder
	b.WriteString("[[caches]]\nname = \"cache\"\n")
	for _, layer := range layers {
		name, links, _ := strings.Cut(layer, ":")
		fmt.Fprintf(&b, "[[layers]]\nname = %q\n[layers.build]\n", name)
		for _, link := range strings.Fields(links) {
			fmt.Fprintf(&b, "[[layers.build.links]]\nname = %q\n", link)
		}
	}
	return b.String()
}

func TestLinksGoToLayersAboveAndToCaches(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers []string
		want   string // all errors, without positions
	}{
		{"to a layer above and to a cache", []string{"a", "b: a cache"}, ""},
		{"to nothing", []string{"modules", "b: modlues"}, `link to "modlues", which is no layer or cache here (did you mean "modules"?)`},
		{"to a cache that is misspelled", []string{"b: cahce"}, `link to "cahce", which is no layer or cache here (did you mean "cache"?)`},
		{"to nothing like it", []string{"b: something"},
			`link to "something", which is no layer or cache here (a link goes to a layer above that has require, provide or build, or to a cache)`},
		{"to itself", []string{"a: a"}, `layer "a" links to itself`},
		{"twice", []string{"a", "b: a a"}, `a link to "a" is already defined on line 10`},
		{"to a layer below", []string{"a: b", "b"}, `link to "b", which stands further down (move it above layer "a")`},
		{"in a circle of two", []string{"a: b", "b: a"}, `links make a cycle: a -> b -> a`},
		{"in a circle of three", []string{"a: c", "b: a", "c: b"}, `links make a cycle: a -> c -> b -> a`},
		{"in two circles", []string{"a: b", "b: a", "c: d", "d: c b"}, "links make a cycle: a -> b -> a\nlinks make a cycle: c -> d -> c"},
		{"in one circle with a shortcut", []string{"a: c b", "b: c", "c: a"}, `links make a cycle: a -> c -> a`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse("a.toml", []byte(linking(test.layers...)))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			var e *node.Error
			require.ErrorAs(t, err, &e)
			var got []string
			for _, d := range e.Diagnostics {
				got = append(got, d.Text())
			}
			require.Equal(t, test.want, strings.Join(got, "\n"))
		})
	}
}

func TestALongCycleIsCutShort(t *testing.T) {
	layers := []string{"l0: l99"}
	for i := 1; i < 100; i++ {
		layers = append(layers, fmt.Sprintf("l%d: l%d", i, i-1))
	}
	_, _, err := Parse("a.toml", []byte(linking(layers...)))
	require.ErrorContains(t, err, "links make a cycle: l0 -> l99 -> l98 -> l97 -> l96 -> l95 -> l94 -> l93 -> l92 -> l91 -> l90 -> … -> l0")
}

func TestLayersAndCachesShareTheirNames(t *testing.T) {
	_, _, err := Parse("a.toml", []byte(linking("a", "a", "cache")+"[[caches]]\nname = \"b\"\n[[caches]]\nname = \"b\"\n"))
	require.EqualError(t, err, `a.toml:2:8: "cache" is already a layer, on line 10 (layers and caches share their names)
a.toml:7:8: layer "a" is already defined on line 4
a.toml:15:8: cache "b" is already defined on line 13`)
}

func TestALayerOfAnotherModuleCanBeLinked(t *testing.T) {
	const link = "path-as = 'A'\nversion-as = 'B'\nmetadata-as = 'C'\nlink-version = true\nlink-content = true\n"
	for _, test := range []struct{ name, text, want string }{
		{"when it is required", "[[layers]]\nname = 'a'\nrequire = {}\n" + linking("b: a") + link, ""},
		{"when it is provided", "[[layers]]\nname = 'a'\nprovide = {}\n" + linking("b: a") + link, ""},
		{"not when it is neither", "[[layers]]\nname = 'a'\n" + linking("b: a"),
			`link to layer "a", which has none of require, provide and build (require it if another module provides it, or say with build ` +
				`how it is made)`},
		{"not when it is misspelled", "[[layers]]\nname = 'nodejs'\nrequire = {}\n" + linking("b: nodesj"),
			`link to "nodesj", which is no layer or cache here (did you mean "nodejs"?)`},
		{"not when it stands further down", linking("b: a") + "[[layers]]\nname = 'a'\nrequire = {}",
			`link to "a", which stands further down (move it above layer "b")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse("a.toml", []byte(test.text))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			var e *node.Error
			require.ErrorAs(t, err, &e)
			require.Len(t, e.Diagnostics, 1)
			require.Equal(t, test.want, e.Diagnostics[0].Text())
		})
	}
}

func TestAPackfileThatIsTheOnlyModuleMustBalance(t *testing.T) {
	pf := mustParse(t, `
[[layers]]
name = "both"
build = {}
[[layers]]
name = "balanced"
require = {}
provide = {}
[[layers]]
name = "required"
require = {}
[[layers]]
name = "provided"
provide = {}
`)
	var got []string
	for _, d := range CheckPlan(pf) {
		got = append(got, fmt.Sprintf("%d:%d: %s", d.Range.Start.Line, d.Range.Start.Column, d.Text()))
	}
	require.Equal(t, []string{
		`11:11: layer "required" is required, but nothing provides it (say in [layers.build] how it is made)`,
		`14:11: layer "provided" is provided, but nothing requires it (write [layers.build] instead of [layers.provide], or add [layers.require])`,
	}, got)
}
