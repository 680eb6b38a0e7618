// Package pattern says which files of an app a list of patterns selects. BuildKit copies the files, packfile-step reads what was
// copied, and the frontend looks for what nobody copied: all of them ask this package, so that they agree.
//
// A pattern is one of moby/patternmatcher, as in .dockerignore. A pattern that matches a folder matches all that is below it. One
// that begins with ! is an exclusion: it takes away what patterns before it have selected. Of the patterns that match a file, the
// last one decides.
package pattern

import (
	"path"
	"slices"
	"strings"
)

// exclusion is what an exclusion begins with.
const exclusion = "!"

// Everything is the pattern that matches all files.
const Everything = "**"

// CutExclusion returns a pattern without its !, and whether it has one.
func CutExclusion(pattern string) (rest string, excludes bool) {
	return strings.CutPrefix(pattern, exclusion)
}

// IsExclusion reports whether a pattern is an exclusion.
func IsExclusion(pattern string) bool { return strings.HasPrefix(pattern, exclusion) }

// Excludes reports whether a list has an exclusion.
func Excludes(list []string) bool { return slices.ContainsFunc(list, IsExclusion) }

// Clean returns a pattern of a packfile as BuildKit takes it, whose own patterns match no file by ".".
func Clean(pattern string) string {
	rest, excludes := CutExclusion(pattern)
	if rest = path.Clean(rest); rest == "." {
		rest = Everything
	}
	if excludes {
		return exclusion + rest
	}
	return rest
}

// Like returns a pattern that is an exclusion if another one is.
func Like(other, pattern string) string {
	if IsExclusion(other) {
		return exclusion + pattern
	}
	return pattern
}

// OnlyExcludes reports whether a list has exclusions and nothing else.
func OnlyExcludes(list []string) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(p string) bool { return !IsExclusion(p) })
}

// FromAll returns a list that begins with all files if it has nothing but exclusions, and else the list itself.
func FromAll(list []string) []string {
	if OnlyExcludes(list) {
		return append([]string{Everything}, list...)
	}
	return list
}

// Text returns a pattern of a packfile without its backslashes: the name that it is about if it has no other special characters.
func Text(pattern string) string { return strings.ReplaceAll(pattern, `\`, "") }

// QuoteSets returns a pattern in which brackets are characters of a name.
func QuoteSets(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			b.WriteByte(c)
			i++
		case c == '[' || c == ']':
			b.WriteByte('\\')
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// WithTargets returns a list, each of its patterns in all its forms, with what symlinks among its files lead to. With exclusions,
// that comes first: an exclusion takes away what a symlink leads to as well.
func WithTargets(list [][]string, targets ...[]string) []string {
	all, behind := slices.Concat(list...), slices.Concat(targets...)
	if Excludes(all) {
		return slices.Concat(behind, all)
	}
	return slices.Concat(all, behind)
}

// ForCopy returns a list in the form in which BuildKit's copies select the same files, as IncludePatterns, or leave them out, as
// ExcludePatterns. A list without exclusions is that form already.
//
// BuildKit walks down from the root. In a folder it skips patterns that cannot change what the patterns before them say of the
// folder, and so does not know for the files below that such a pattern matches the folder (MatchesUsingParentResults of
// moby/patternmatcher). In "src, !**/*_test.go, src/kept" it would not select src/kept/a_test.go. So from the first exclusion on,
// each pattern is followed by one that matches everything below, by its whole path.
func ForCopy(list []string) []string {
	if !Excludes(list) {
		return list
	}
	var all []string
	excluding := false
	for _, p := range list {
		p = Clean(p)
		if excluding = excluding || IsExclusion(p); !excluding {
			all = append(all, p)
			continue
		}
		rest, _ := CutExclusion(p)
		rest = explicit(rest)
		if all = append(all, Like(p, rest)); rest != Everything && !strings.HasSuffix(rest, "/"+Everything) {
			all = append(all, Like(p, rest+"/"+Everything))
		}
	}
	return all
}

// explicit returns a pattern in a form that means the same when something follows it: patternmatcher takes **x for all paths that
// end in x, and **x/y for x/y in any folder.
func explicit(pattern string) string {
	if rest, ok := strings.CutPrefix(pattern, Everything); ok && rest != "" && rest[0] != '/' && !hasMeaning(rest) {
		return Everything + "/*" + rest
	}
	return pattern
}
