package frontend

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/cnb/project"
)

func TestTheLineThatHidesWhatAPatternIsAboutIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		ignore, pattern string
		line            int
	}{
		"the file itself":                        {"a\nb.txt\n", "b.txt", 2},
		"a folder above it":                      {"# c\nlib\n", "lib/x/*.js", 2},
		"by a pattern":                           {"*.js\n", "x.js", 1},
		"all of a folder that the pattern names": {"lib/*\n", "lib", 1},
		"the last of several":                    {"lib\nlib/x\n", "lib/x", 2},
		"not what is let through again":          {"lib\n!lib/x\n", "lib/x", 0},
		"what is hidden again after that":        {"lib\n!lib/x\nlib/x\n", "lib/x", 3},
		"nothing else":                           {"lib\n", "src/x", 0},
		"nothing in an empty file":               {"", "x", 0},
		"nothing by what cannot be a pattern":    {"[z-a]\n", "x", 0},
	} {
		t.Run(name, func(t *testing.T) {
			line, rule := hidingLine([]byte(test.ignore), test.pattern)
			if line != test.line || line > 0 && rule != strings.Split(test.ignore, "\n")[line-1] {
				t.Errorf("line %d, %q", line, rule)
			}
		})
	}
}

func TestTheKeyOfAProjectThatHidesWhatAPatternIsAboutIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		include, exclude []string
		pattern, want    string
	}{
		"what include does not name":        {[]string{"src"}, nil, "lib/x", "include"},
		"not what include names":            {[]string{"src"}, nil, "src/x", ""},
		"what include takes back":           {[]string{"src", "!src/x"}, nil, "src/x", "include"},
		"what exclude names":                {nil, []string{"lib"}, "lib/x", "exclude"},
		"not what exclude does not name":    {nil, []string{"lib"}, "src/x", ""},
		"not what exclude lets through":     {nil, []string{"lib", "!lib/x"}, "lib/x", ""},
		"nothing in a project without both": {nil, nil, "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hidingKey(&project.Project{Include: test.include, Exclude: test.exclude}, test.pattern); got != test.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
