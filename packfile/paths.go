package packfile

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/pattern"
)

// scriptPath checks the path of a script in the packfile's folder.
func scriptPath(s string) (problem, hint string) {
	if problem, hint = node.InsidePath(s); problem != "" {
		return problem, hint
	}
	if strings.HasSuffix(s, "/") || path.Clean(s) == "." {
		return "is a folder", "name the script in it"
	}
	return "", ""
}

// appDir checks a working directory. Only an absolute path may lead out of the app.
func appDir(s string) (problem, hint string) {
	if strings.HasPrefix(s, "/") {
		return node.NonEmpty(s)
	}
	problem, hint = node.InsidePath(s)
	if problem == node.LeavesFolder {
		hint = "a folder outside the app is written as an absolute path"
	}
	return problem, hint
}

// escape is a character of a pattern that means itself.
var escape = regexp.MustCompile(`\\[][*?{}!]`)

// glob checks a pattern over files of the app, which may be an exclusion.
func glob(s string) (problem, hint string) {
	rest, excludes := pattern.CutExclusion(s)
	write := func(other string) string { return "write " + node.Quote(pattern.Like(s, other)) }
	clean := path.Clean(rest)
	plain := escape.ReplaceAllString(rest, "_")
	switch {
	case excludes && (rest == "" || rest[0] == '!'):
		return "is not an exclusion", `as in !*.map; a name that begins with ! is written \!`
	case strings.HasPrefix(rest, "/"):
		return "is absolute", "patterns begin in the app's folder: " + write(strings.TrimPrefix(clean, "/"))
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return "leaves the app", "paths go down only"
	case slices.Contains(strings.Split(rest, "/"), ".."):
		return "goes up", write(clean)
	case strings.Contains(plain, `\`):
		return "holds a backslash", `separate folders with /, and write \[ \] \* \? \{ \} \! for these characters`
	}
	if problem, hint = node.InsidePath(plain); problem != "" {
		return problem, hint
	}
	if strings.TrimSpace(rest) != rest {
		return "begins or ends with white space", ""
	}
	if all := alternatives(s); len(all) > 1 {
		return "has alternatives in braces, which patterns do not have", "write " + quoteAll(all)
	}
	if !IsPattern(rest) {
		return "is not a valid pattern", "as in *.lock, src/**/*.go or [a-z]*"
	}
	return "", ""
}

// checkExclusions reports a list of patterns that has nothing but exclusions.
func checkExclusions(d *node.Decoder, t node.Table, key string, list []string) {
	if pattern.OnlyExcludes(list) {
		d.Fail(t.At(key), `begin with what they are taken from, as in "**"`, "%s: exclusions alone select no file", key)
	}
}

// maxAlternatives is the largest number of patterns that a hint shows in place of one with braces.
const maxAlternatives = 8

// alternatives returns the patterns that a shell makes of one with {a,b} in it. Here such a pattern matches names with
// braces, and so mostly nothing. It returns at most maxAlternatives and one more; s alone when it has no alternatives.
func alternatives(s string) []string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
			continue
		case '[':
			i += max(strings.IndexByte(s[i:], ']'), 0) // braces in a set are characters
			continue
		case '{':
		default:
			continue
		}
		cuts := group(s, i)
		if len(cuts) < 3 {
			continue
		}
		var all []string
		for n, cut := range cuts[:len(cuts)-1] {
			for _, one := range alternatives(s[:i] + s[cut+1:cuts[n+1]] + s[cuts[len(cuts)-1]+1:]) {
				if all = append(all, one); len(all) > maxAlternatives {
					return all
				}
			}
		}
		return all
	}
	return []string{s}
}

// group returns the offsets of a brace group that begins at an offset: its braces, and its own commas between them; nil
// when it has no end.
func group(s string, begin int) (cuts []int) {
	depth := 0
	for i := begin; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '[':
			i += max(strings.IndexByte(s[i:], ']'), 0)
		case c == '{':
			if depth++; depth == 1 {
				cuts = append(cuts, i)
			}
		case c == ',' && depth == 1:
			cuts = append(cuts, i)
		case c == '}':
			if depth--; depth == 0 {
				return append(cuts, i)
			}
		}
	}
	return nil
}

// quoteAll returns patterns as a message shows them.
func quoteAll(all []string) string {
	var shown []string
	for i, s := range all {
		if i == maxAlternatives {
			return strings.Join(shown, ", ") + " and so on"
		}
		shown = append(shown, node.Quote(s))
	}
	return strings.Join(shown, ", ")
}

// IsPattern reports whether a pattern can be compiled.
func IsPattern(s string) bool {
	// Compiling a pattern costs more than the rest of its line; these cannot fail.
	if !strings.ContainsFunc(s, func(r rune) bool { return !isWord(r) && !strings.ContainsRune("./*?-@+ ", r) }) {
		return true
	}
	m, err := patternmatcher.New([]string{s})
	if err == nil {
		_, err = m.MatchesOrParentMatches("x") // compiles it
	}
	return err == nil
}
