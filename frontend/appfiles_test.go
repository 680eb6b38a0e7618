package frontend

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/tree"
	"github.com/packfile/frontend/tree/treetest"
)

// linksOf are the links of an app that is in memory.
func linksOf(app tree.Folder) *appLinks {
	links := newAppLinks(nil, app.State, "", nil)
	links.app = &app
	return links
}

func TestAFileIsFoundThatAllListsSelect(t *testing.T) {
	app := treetest.Files{
		"a.txt": "", "src/a.go": "", "src/a_test.go": "", "src/sub/b_test.go": "", "app/[slug]/page": "", "empty/": "", "link": treetest.Link("src"),
	}
	for name, test := range map[string]struct {
		lists [][]string
		want  bool
	}{
		"a file":                      {[][]string{{"a.txt"}}, true},
		"a folder":                    {[][]string{{"src"}}, true},
		"a folder without files":      {[][]string{{"empty"}}, false},
		"any file":                    {[][]string{{"**/*_test.go"}}, true},
		"none":                        {[][]string{{"**/*.md", "src/*/*.go", "!src"}}, false},
		"a symlink":                   {[][]string{{"link"}}, true},
		"nothing behind a symlink":    {[][]string{{"link/a.go"}}, false},
		"brackets":                    {[][]string{{`app/\[slug\]`}}, true},
		"a set":                       {[][]string{{"app/[slug]"}}, false},
		"two lists":                   {[][]string{{"src"}, {"**/*_test.go"}}, true},
		"two lists of different ones": {[][]string{{"src/*.go", "!**/*_test.go"}, {"**/*_test.go"}}, false},
		"what an exclusion leaves":    {[][]string{{"src", "!src/*"}}, false},
		"no pattern":                  {[][]string{nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			treetest.NoErrorIsLost(t, app, func(ctx context.Context, folder tree.Folder) error {
				got, err := linksOf(folder).hasFile(ctx, test.lists...)
				if err == nil {
					require.Equal(t, test.want, got)
				}
				return err
			})
		})
	}
}

func TestASearchLooksIntoNoFolderThatCannotHaveTheFile(t *testing.T) {
	app := treetest.Files{"z/a_test.go": ""}
	for i := range 2 * maxLooks {
		app[fmt.Sprintf("a/%d/x", i)] = ""
	}
	for name, test := range map[string]struct {
		lists [][]string
		want  bool
		calls int
	}{
		"one folder":                     {[][]string{{"z"}, {"**/*_test.go"}}, true, 2},
		"none of them":                   {[][]string{{"b/**"}}, false, 1},
		"too many, so that nobody knows": {[][]string{{"**/*.md"}}, true, maxLooks},
	} {
		t.Run(name, func(t *testing.T) {
			files := treetest.New(app)
			got, err := linksOf(files.Folder()).hasFile(t.Context(), test.lists...)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.calls, files.Calls())
		})
	}
}
