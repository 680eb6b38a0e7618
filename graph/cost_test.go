package graph

import (
	"fmt"
	"strings"
	"testing"
)

// Answers come one by one. If each cost a look at all links, large builds would take minutes.
func TestAnswersThatComeOneByOneCostNoMoreForALinkInALargerBuild(t *testing.T) {
	for name, layer := range map[string]string{"exported": "export = true", "kept": ""} {
		perLink := func(n int) float64 {
			g := rebuilt(t, oneAfterAnother(n, layer))
			return testing.AllocsPerRun(2, func() { answerTests(t, g) }) / float64(n*(n-1)/2)
		}
		if few, many := perLink(20), perLink(80); many > few {
			t.Errorf("%s layers: %.0f allocations for a link of 80 layers, %.0f for one of 20", name, many, few)
		}
	}
}

// Each layer links all before it with link-content. The key of each is made of all before it, and of what these are made of.
func TestALayerWithManyLinksByContentHasAKeyAtOnce(t *testing.T) {
	var text strings.Builder
	text.WriteString("[config]\nshell = \"/bin/sh\"\n")
	for i := range 60 {
		fmt.Fprintf(&text, "[[layers]]\nname = \"l%d\"\nversion = \"1\"\n[layers.build]\nrun = { inline = \"x\" }\nlinks = [", i)
		for j := range i {
			fmt.Fprintf(&text, "{ name = \"l%d\", link-content = true },\n", j)
		}
		text.WriteString("]\n")
	}
	d := answerTests(t, rebuilt(t, text.String()))
	for _, e := range d.Explain() {
		if e.Action != Kept {
			t.Fatalf("%s is %s", e.Layer, e.Action)
		}
	}
}
