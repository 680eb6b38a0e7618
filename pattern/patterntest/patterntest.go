// Package patterntest has lists of patterns to compare answers on, and files to ask about, for tests.
package patterntest

import (
	"math/rand/v2"
	"strings"
)

// names are the names of files and folders in a tree.
var names = []string{"a", "b", "ab", "a.go", "b_test.go", "[a]", "x y", "!a", "é"}

// parts are what patterns consist of.
var parts = []string{
	"a", "b", "ab", "a.go", "*.go", "*_test.go", "*", "?", "a*", "[ab]", "[^a]*", `\[a\]`, `\!a`, "**", "**a", "a**", "**.go", "x y", "é", "***",
}

// Files returns the paths of files in a tree of three levels.
func Files() (paths []string) {
	for _, a := range names {
		paths = append(paths, a+".1")
		for _, b := range []string{"a", "a.go", "[a]", "b"} {
			paths = append(paths, a+"/"+b+".2", a+"/"+b+"/a.go", a+"/"+b+"/b_test.go")
		}
	}
	return paths
}

// List returns a list of patterns, always the same one for a seed. Every second pattern is an exclusion.
func List(seed uint64) (list []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range 1 + r.IntN(5) {
		var p []string
		for range 1 + r.IntN(3) {
			p = append(p, parts[r.IntN(len(parts))])
		}
		list = append(list, []string{"", "!"}[r.IntN(2)]+strings.Join(p, "/"))
	}
	return list
}
