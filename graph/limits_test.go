package graph

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// declaring returns a packfile of n layers, each with the text of a table before its build section.
func declaring(n int, more string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "[[layers]]\nname = \"l%d\"\nexport = true\n%s[layers.build]\n[layers.build.run]\ninline = \"true\"\n", i, more)
	}
	return text.String()
}

func chosen(t *testing.T, texts ...string) error {
	t.Helper()
	b := newModules(t, texts)
	g, err := b.Try(grouptest.Candidates(b.Detector), fact.Facts{}, &plan.Trials{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(b.Builder, b.in, g, fact.Facts{})
	return err
}

func TestLayersThatAreTooManyOrSayTooMuchAreRefusedBeforeAnythingIsBuilt(t *testing.T) {
	large := fmt.Sprintf("metadata = { v = %q }\n", strings.Repeat("x", 200_000))
	// In a JSON string within a JSON string, seven bytes stand for what takes one byte in TOML.
	tabs := "metadata = { v = '" + strings.Repeat("\t", 200_000) + "' }\n"
	for _, test := range []struct {
		name, text, want string
		layer            int
	}{
		{"as many as there may be", declaring(packfile.MaxLayers, ""), "", 0},
		{"metadata that fits", declaring(20, large), "", 0},
		{"metadata that is written in escapes", declaring(10, tabs), `layer "l6" is too much for the image: with it metadata, variables and deps of layers take `, 6},
		{"many small layers", declaring(900, fmt.Sprintf("metadata = { v = '%s' }\n", strings.Repeat("\t", 2000))), `layer "l6`, 697},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := chosen(t, test.text)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var pe *node.Error
			if !errors.As(err, &pe) || !strings.HasPrefix(pe.Diagnostics[0].Message, test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if line := strings.Count(test.text[:strings.Index(test.text, fmt.Sprintf("name = \"l%d\"\n", test.layer))], "\n"); pe.Diagnostics[0].Range.Start.Line != line {
				t.Errorf("it is on line %d, want %d", pe.Diagnostics[0].Range.Start.Line, line)
			}
		})
	}
}
