package live

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/tree"
	"github.com/packfile/frontend/tree/treetest"
)

func TestATransientErrorIsNeverReadAsNoDockerignore(t *testing.T) {
	for name, test := range map[string]struct {
		files treetest.Files
		name  string
	}{
		"a .dockerignore":  {treetest.Files{".dockerignore": "x"}, ".dockerignore"},
		"no .dockerignore": {nil, "deep/.dockerignore"},
	} {
		t.Run(name, func(t *testing.T) {
			treetest.NoErrorIsLost(t, test.files, func(ctx context.Context, f tree.Folder) error {
				_, err := readIgnore(ctx, f, test.name)
				return err
			})
		})
	}
}

func TestADockerignoreFile(t *testing.T) {
	for name, test := range map[string]struct {
		data     *string // nil for no file
		patterns []string
		err      string
	}{
		"that is not there has no patterns":    {nil, nil, ""},
		"that is empty has no patterns":        {ptr(""), nil, ""},
		"has a pattern on each line":           {ptr("# comment\n\n /a/ \n!b/*.txt\r\n"), []string{"a", "!b/*.txt"}, ""},
		"may have any valid pattern":           {ptr("**/x[a-c]?\n*\n"), []string{"**/x[a-c]?", "*"}, ""},
		"must have no pattern that is invalid": {ptr("a\n[z-a]\n"), nil, `.dockerignore: pattern "[z-a]"`},
		"must have no bare exception":          {ptr("a\n!\n"), nil, `.dockerignore: pattern "!"`},
		"must not be huge":                     {ptr(strings.Repeat("a\n", maxIgnore/2+1)), nil, ".dockerignore: "},
	} {
		t.Run(name, func(t *testing.T) {
			files := treetest.Files{}
			if test.data != nil {
				files[".dockerignore"] = *test.data
			}
			file, err := readIgnore(t.Context(), treetest.New(files).Folder(), ".dockerignore")
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err != nil || (file.Name != "") != (test.data != nil) {
				t.Errorf("%q, %v", file.Name, err)
			}
			if diff := cmp.Diff(test.patterns, file.Patterns); diff != "" {
				t.Error(diff)
			}
		})
	}
	folder := treetest.New(treetest.Files{".dockerignore/": ""}).Folder()
	if _, err := readIgnore(t.Context(), folder, ".dockerignore"); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("a folder of that name: %v", err)
	}
}

func ptr(s string) *string { return &s }
