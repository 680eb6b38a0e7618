package packfile

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRulesHaveNamesAndDescriptions(t *testing.T) {
	var names []string
	for _, rule := range Rules() {
		require.Regexp(t, regexp.MustCompile(`^([A-Z][a-z]+)+$`), rule.Name)
		require.Regexp(t, regexp.MustCompile(`^[A-Z].*\.$`), rule.Description)
		names = append(names, rule.Name)
	}
	require.True(t, slices.IsSorted(names))
	require.Equal(t, names, slices.Compact(slices.Clone(names)))
}

func TestLint(t *testing.T) {
	const layer = "[[layers]]\nname = \"a\"\n"
	for _, test := range []struct {
		name, text string
		want       []string // rules
	}{
		{"restore depends on history", layer + "restore = true\nbuild = {}", []string{"RestoreDependsOnHistory"}},
		{"restore = false does not", layer + "restore = false\nbuild = {}", nil},
		{"a layer without sections", layer + "store = true", []string{"IgnoredLayer"}},
		{"nothing at all", "", nil},
		{"nothing but what it is called", "api = \"0.2\"\n[config]\nid = \"a/b\"\n[[stacks]]\nid = \"c\"", []string{"NothingToDo"}},
		{"a process alone", "[[processes]]\ntype = \"a\"\ncommand = \"b\"", nil},
		{"a slice alone", "[[slices]]\npaths = [\"a\"]", nil},
		{"modules alone", "[[buildpacks]]\nid = \"a\"", nil},
		{"a dep without sha", layer + "build.deps = [{ name = \"n\", uri = \"https://a.example/x\" }]", []string{"UnpinnedDep"}},
		{"two of them", layer + "build.deps = [{ name = \"n\", uri = \"https://a.example/x\" }, { name = \"m\", uri = \"https://a.example/x\" }]",
			[]string{"UnpinnedDep", "UnpinnedDep"}},
		{"a dep whose sha is a template", layer + "build.deps = [{ name = \"n\", uri = \"https://a.example/x\", sha = \"{{.sha}}\" }]", nil},
		{"a layer that is only required", layer + "require = {}", nil},
		{"apt in a script", "[[layers]]\nname = 'a'\n[layers.build.run]\ninline = 'apt-get update && apt-get install -y jq'", []string{"AptInScript"}},
		{"apt in a comment", "[[layers]]\nname = 'a'\n[layers.build.run]\ninline = '# apt-get install jq'", nil},
		{"sources of packages that nobody wants", "[config]\napt.refresh = '1d'", []string{"UnusedSources"}},
		{"sources of packages that a module may want", "[config]\napt.refresh = '1d'\n[[buildpacks]]\nuri = 'a'", nil},
		{"a cache that nobody links", "[[caches]]\nname = \"c\"", []string{"UnusedCache"}},
		{"a cache that a layer links", "[[caches]]\nname = \"c\"\n" + layer + "build.links = [{ name = \"c\" }]", nil},
		{"match without inputs", layer + "build.test.match = [\"x\"]", []string{"InputsPreferred"}},
		{"match with inputs", layer + "build = { test = { match = [\"x\"] }, inputs = [\"x\"] }", nil},
		{"match with lock-app", layer + "build = { test = { match = [\"x\"] }, lock-app = true }", nil},
		{"a test script", layer + "build.test.inline = \"x\"", nil},
		{"profile with direct processes", layer + "build.profile = [{ inline = \"x\" }]\n[[processes]]\ntype = \"a\"\ncommand = \"b\"",
			[]string{"ProfileNeedsShell"}},
		{"profile with a shell process", layer + "build.profile = [{ inline = \"x\" }]\n[[processes]]\ntype = \"a\"\ncommand = \"b\"\n" +
			"[[processes]]\ntype = \"c\"\ncommand = \"d\"\ndirect = false", nil},
		{"an argument in a label, and a layer that sees all", "config.labels.a = \"{{.Args.A}}\"\n" + layer + "build = {}", []string{"ArgsPreferred"}},
		{"an argument in a variable of the app, and a layer that sees all", "config.env.launch = [{ name = \"A\", value = \"{{.Args.A}}\" }]\n" + layer + "build = {}",
			[]string{"ArgsPreferred"}},
		{"an argument in a label, and a layer that lists none", "config.labels.a = \"{{.Args.A}}\"\n" + layer + "build.args = []", nil},
		{"an argument in a label, and a list for all", "config = { args = [], labels = { a = \"{{.Args.A}}\" } }\n" + layer + "build = {}", nil},
		{"an argument in a variable of a layer that sees all", layer + "build.env.both = [{ name = \"A\", value = \"{{.Args.A}}\" }]", []string{"ArgsPreferred"}},
		{"profile without processes", layer + "build.profile = [{ inline = \"x\" }]", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := Parse("packfile.toml", []byte(test.text))
			require.NoError(t, err)
			var got []string
			for _, w := range warnings {
				got = append(got, w.Rule)
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestWarningsAreThereEvenWithErrors(t *testing.T) {
	_, warnings, err := Parse("packfile.toml", []byte("nothing = 1\n[[caches]]\nname = \"c\""))
	require.Error(t, err)
	require.Len(t, warnings, 1)
}
