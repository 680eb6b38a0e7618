package pattern

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	fscopy "github.com/tonistiigi/fsutil/copy"

	"github.com/packfile/frontend/pattern/patterntest"
)

// compiled are patterns that were read.
var compiled = map[string]*regexp.Regexp{}

// one is a pattern as patternmatcher reads it alone, as a regular expression that is written down here once more.
func one(pattern string) *regexp.Regexp {
	if re, ok := compiled[pattern]; ok {
		return re
	}
	var b strings.Builder
	rest := explicit(Clean(pattern))
	for len(rest) > 0 {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(.*/)?")
			rest = rest[3:]
			continue
		case rest == "**":
			b.WriteString(".*")
			rest = ""
			continue
		case strings.HasPrefix(rest, "**"):
			b.WriteString("(.*/)?")
			rest = rest[2:]
			continue
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		case rest[0] == '\\':
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			rest = rest[2:]
			continue
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			b.WriteString(rest[:end+1])
			rest = rest[end+1:]
			continue
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
		rest = rest[1:]
	}
	compiled[pattern] = regexp.MustCompile("^" + b.String() + "$")
	return compiled[pattern]
}

// selects is what a list means: the last pattern that matches the file or a folder above it decides.
func selects(list []string, file string) bool {
	for _, p := range slices.Backward(list) {
		rest, excludes := CutExclusion(p)
		re := one(rest)
		for at := file; at != "."; at = filepath.Dir(at) {
			if re.MatchString(at) {
				return !excludes
			}
		}
	}
	return false
}

func TestTheLastPatternThatMatchesAFileOrAFolderAboveItDecides(t *testing.T) {
	for name, test := range map[string]struct {
		list []string
		want []string // of a/b/c, a/b/d, a/e, f
	}{
		"one":                       {[]string{"a"}, []string{"a/b/c", "a/b/d", "a/e"}},
		"a folder without a folder": {[]string{"a", "!a/b"}, []string{"a/e"}},
		"a folder without a folder but for a file": {[]string{"a", "!a/b", "a/b/c"}, []string{"a/b/c", "a/e"}},
		"a file that a later pattern takes away":   {[]string{"a/b/c", "!a"}, nil},
		"a folder again, which was never away":     {[]string{"a", "!**/c", "a/b"}, []string{"a/b/c", "a/b/d", "a/e"}},
		"all again":                                {[]string{"a", "!a/b", "*"}, []string{"a/b/c", "a/b/d", "a/e", "f"}},
		"an exclusion in front":                    {[]string{"!a/b", "a"}, []string{"a/b/c", "a/b/d", "a/e"}},
		"all but one":                              {FromAll([]string{"!a/b/*", "!f"}), []string{"a/e"}},
		"all but all":                              {FromAll([]string{"!."}), nil},
		"nothing":                                  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := New(test.list)
			require.NoError(t, err)
			var got []string
			for _, file := range []string{"a/b/c", "a/b/d", "a/e", "f"} {
				ok, err := m.Selects(file)
				require.NoError(t, err)
				require.Equal(t, selects(test.list, file), ok, "%s, by the definition", file)
				if ok {
					got = append(got, file)
				}
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestAListWithoutExclusionsIsCopiedAsItIs(t *testing.T) {
	list := []string{"./a/", "**b", `\[a\]`, "."}
	require.Equal(t, list, ForCopy(list))
	require.Equal(t, []string{"a", "!b", "!b/**", "**/*c", "**/*c/**", "**"}, ForCopy([]string{"a/", "!./b", "**c", "."}))
}

func TestExclusionsTakeAwayWhatSymlinksLeadTo(t *testing.T) {
	require.Equal(t, []string{"a", "b", "t", "w"}, WithTargets([][]string{{"a", "b"}}, []string{"t"}, []string{"w"}))
	require.Equal(t, []string{"t", "w", "a", "!b"}, WithTargets([][]string{{"a"}, {"!b"}}, []string{"t"}, []string{"w"}))
}

// TestACopyHasWhatAListSelects asks the code with which BuildKit copies. A test in e2e asks BuildKit.
func TestACopyHasWhatAListSelects(t *testing.T) {
	src := t.TempDir()
	for _, name := range patterntest.Files() {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(src, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(src, name), nil, 0o644))
	}
	excluding := 0
	for seed := range uint64(100) {
		list := patterntest.List(seed)
		m, err := New(list)
		require.NoError(t, err, "%q", list)
		want := map[string]bool{}
		for _, name := range patterntest.Files() {
			ok, err := m.Selects(name)
			require.NoError(t, err, "%q", list)
			require.Equal(t, selects(list, name), ok, "seed %d: %q of %q, by the definition", seed, name, list)
			if ok {
				want[name] = true
				for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
					reached, err := m.Reaches(dir)
					require.NoError(t, err)
					require.True(t, reached, "seed %d: %q reaches %q", seed, list, dir)
				}
			}
		}
		if Excludes(list) && len(want) > 0 && len(want) < len(patterntest.Files()) {
			excluding++
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), copied(t, src, ForCopy(list), nil), "seed %d: included by %q", seed, list)
		maps.DeleteFunc(want, func(string, bool) bool { return true })
		for _, name := range patterntest.Files() {
			if !selects(list, name) {
				want[name] = true
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), copied(t, src, nil, ForCopy(list)), "seed %d: excluded by %q", seed, list)
	}
	require.Greater(t, excluding, 20, "lists with exclusions that select a part")
}

// copied are the files of a copy.
func copied(t *testing.T, src string, include, exclude []string) (files []string) {
	t.Helper()
	dst := t.TempDir()
	require.NoError(t, fscopy.Copy(context.Background(), src, "/", dst, "/", func(ci *fscopy.CopyInfo) {
		ci.IncludePatterns, ci.ExcludePatterns, ci.CopyDirContents = include, exclude, true
	}))
	require.NoError(t, filepath.WalkDir(dst, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dst, path)
			files = append(files, rel)
		}
		return err
	}))
	slices.Sort(files)
	return files
}

func TestBracketsCanBeCharacters(t *testing.T) {
	require.Equal(t, `app/\[slug\]/\[a\]`, QuoteSets(`app/[slug]/\[a\]`))
	m, err := New([]string{`app/\[slug\]/page.tsx`})
	require.NoError(t, err)
	for file, want := range map[string]bool{"app/[slug]/page.tsx": true, "app/s/page.tsx": false} {
		ok, err := m.Selects(file)
		require.NoError(t, err)
		require.Equal(t, want, ok, file)
	}
}

func TestNamesOfAPatternMatchNames(t *testing.T) {
	for pattern, want := range map[string][2][]string{ // by pattern: what its name matches, and what not
		`\!a`: {{"!a"}, {"a", `\!a`}}, "[ab]": {{"a", "b"}, {"ab", "[ab]"}}, "a.b": {{"a.b"}, {"axb"}}, "*": {{"a", "!"}, nil}, `\[a\]`: {{"[a]"}, {"a"}},
	} {
		for i, files := range want {
			for _, file := range files {
				parts, err := NamesOf("!./" + pattern + "/")
				require.NoError(t, err)
				require.Len(t, parts, 1)
				ok, err := parts[0].Matches(file)
				require.NoError(t, err)
				require.Equal(t, i == 0, ok, fmt.Sprintf("%s matches %s", pattern, file))
			}
		}
	}
}
