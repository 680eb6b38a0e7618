package deb

import "strings"

// ReleaseFiles are the files in which an image says which distribution it is (os-release(5)). The first one that exists counts.
var ReleaseFiles = []string{"etc/os-release", "usr/lib/os-release"}

// Release is what one of ReleaseFiles says of a distribution, Debian's or another.
type Release struct {
	ID      string // as in "debian"
	Version string // as in "12", "" for a testing release
	Like    []string
}

// ParseRelease reads the values that name the distribution: shell assignments with quotes and backslashes, without substitutions
// (os-release(5)). When a name is assigned twice, the last assignment counts. It passes over other lines.
func ParseRelease(data []byte) (r Release) {
	for line := range strings.Lines(string(data)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch name {
		case "ID":
			r.ID = unquote(value)
		case "VERSION_ID":
			r.Version = unquote(value)
		case "ID_LIKE":
			r.Like = strings.Fields(unquote(value))
		}
	}
	return r
}

// HasApt reports whether the distribution is one whose packages apt installs: Debian, Ubuntu, or one that is like these.
func (r Release) HasApt() bool {
	for _, id := range append([]string{r.ID}, r.Like...) {
		if id == "debian" || id == "ubuntu" {
			return true
		}
	}
	return false
}

// unquote returns a word as a shell reads it.
func unquote(word string) string {
	var out strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range word {
		switch {
		case escaped:
			// In double quotes a backslash before any other character stands for itself.
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				out.WriteRune('\\')
			}
			out.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && (r == ' ' || r == '\t'):
			return out.String() // what follows is a comment, or no assignment
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
