package project

import (
	"path"
	"regexp"
	"strings"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// fromGitignore turns a pattern of .gitignore files (gitignore(5)) into one of .dockerignore files; it returns "" for a
// comment. In both kinds of files, the last pattern that matches a file decides, but in .gitignore files
//
//   - a pattern that has no slash, or one only at its end, matches in every folder;
//   - one with a slash at its end matches what is in a folder of that name, and no file;
//   - ** is special only as a whole name between slashes;
//   - ! negates a character class, and no class matches a slash.
//
// As with pack, an exception (!) also applies inside a folder that another pattern matches.
func fromGitignore(s string) (pattern, problem, hint string) {
	if strings.HasPrefix(s, "#") {
		return "", "", ""
	}
	pattern, exception := strings.CutPrefix(withoutTrailingSpaces(s), "!")
	pattern, folder := strings.CutSuffix(pattern, "/")
	anchored := strings.Contains(pattern, "/")
	pattern = strings.TrimPrefix(pattern, "/")
	if problem, hint = node.InsidePath(quoted.ReplaceAllString(pattern, "_")); problem != "" {
		return "", problem, hint
	}
	names := strings.Split(path.Clean(pattern), "/")
	for i, name := range names {
		if name != "**" || !anchored {
			names[i] = wildcards.ReplaceAllStringFunc(name, wildcard)
		}
	}
	pattern = strings.Join(names, "/")
	if folder && strings.HasSuffix(pattern, "**") {
		pattern += "/*" // some folder
	}
	switch {
	case !anchored:
		pattern = "**/" + pattern
	case strings.ContainsAny(pattern[:1], "!# "):
		pattern = `\` + pattern // special only where a pattern begins
	}
	if folder {
		pattern += "/**"
	} else if rest, ok := strings.CutSuffix(pattern, `\ `); ok {
		pattern = rest + "[ ]" // readers of .dockerignore trim white space, quoted or not
	}
	if names[0] == "." || !packfile.IsPattern(pattern) {
		return "", "is not a valid pattern", "as in *.log, docs/**/*.md or /build/"
	}
	if exception {
		pattern = "!" + pattern
	}
	return pattern, "", ""
}

var (
	// quoted matches a character that a backslash quotes.
	quoted = regexp.MustCompile(`\\.`)
	// wildcards matches that, and what the two forms write differently.
	wildcards = regexp.MustCompile(`\\.|\*\*+|\[[!^]?\]?`)
)

// wildcard returns a match of wildcards in the form of .dockerignore files.
func wildcard(s string) string {
	switch s[0] {
	case '*':
		return "*"
	case '[':
		class, bracket := strings.CutSuffix(s, "]")
		if class != "[" {
			class = "[^/"
		}
		if bracket {
			class += `\]`
		}
		return class
	}
	return s
}

// withoutTrailingSpaces returns a pattern without unquoted spaces at its end.
func withoutTrailingSpaces(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}
