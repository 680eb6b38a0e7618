package packfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

// Lists of a module may be as long as 4 MiB allow, and some are looked at in pairs.
func TestAnArrayOfTooManyEntriesIsAnErrorAtTheFirst(t *testing.T) {
	layer := "[[layers]]\nname = \"l\"\n[layers.build]\nrun.inline = \"true\"\n"
	each := func(n int, format string) (text string) {
		for i := range n {
			text += fmt.Sprintf(format, i)
		}
		return text
	}
	for name, text := range map[string]func(n int) string{
		"ssh": func(n int) string { return layer + "ssh = [" + each(n, "\"s%d\",\n") + "]" },
		"secrets": func(n int) string {
			return layer + "secrets = [" + each(n, "{ id = \"s%d\", path-as = \"S\" },\n") + "]"
		},
		"inputs":    func(n int) string { return layer + "inputs = [" + each(n, "\"s%d\",\n") + "]" },
		"processes": func(n int) string { return each(n, "[[processes]]\ntype = \"p%d\"\ncommand = [\"x\"]\n") },
		"slices":    func(n int) string { return each(n, "[[slices]]\npaths = [\"p%d\"]\n") },
		"both": func(n int) string {
			return layer + each(n, "[[layers.build.env.both]]\nname = \"A%d\"\nvalue = \"\"\n")
		},
	} {
		for _, n := range []int{node.MaxEntries, node.MaxEntries + 1} {
			_, _, err := Parse("packfile.toml", []byte(text(n)))
			said := fmt.Sprintf("%s has at most %d entries, this one has %d", name, node.MaxEntries, n)
			if n > node.MaxEntries {
				require.ErrorContains(t, err, said, name)
				line := 1 + strings.Count(text(node.MaxEntries), "\n")
				require.ErrorContains(t, err, fmt.Sprintf("packfile.toml:%d:", line), name)
			} else if err != nil {
				require.NotContains(t, err.Error(), "entries", name)
			}
		}
	}
}
