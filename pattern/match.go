package pattern

import (
	"strings"

	"github.com/moby/patternmatcher"
)

// Matcher tells which files a list selects. One goroutine uses it.
type Matcher struct {
	list  *patternmatcher.PatternMatcher
	wants [][]Name // the patterns that are no exclusions
}

// New returns the matcher of a list. It fails for a pattern that packfiles cannot have.
func New(list []string) (*Matcher, error) {
	m := &Matcher{}
	for _, p := range list {
		if IsExclusion(p) {
			continue
		}
		names, err := NamesOf(p)
		if err != nil {
			return nil, err
		}
		m.wants = append(m.wants, names)
	}
	var err error
	m.list, err = patternmatcher.New(ForCopy(list))
	return m, err
}

// Selects reports whether the list selects the file with a slash-separated path: whether the last of the patterns that match it,
// or a folder above it, is no exclusion. It fails for a pattern that packfiles cannot have.
func (m *Matcher) Selects(file string) (bool, error) { return m.list.MatchesOrParentMatches(file) }

// Reaches reports whether the list may select a file in a folder. It goes by names, and knows nothing of exclusions.
func (m *Matcher) Reaches(dir string) (bool, error) {
	for _, names := range m.wants {
		if ok, err := leadsTo(names, dir); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// leadsTo reports whether a pattern may match a file in a folder, the folder, or a folder above it.
func leadsTo(names []Name, dir string) (bool, error) {
	for i, name := range strings.Split(dir, "/") {
		if i == len(names) || names[i].Deep() {
			return true, nil
		}
		if ok, err := names[i].Matches(name); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Name is a part of a pattern between slashes.
type Name struct {
	Text string
	m    *patternmatcher.PatternMatcher // nil for the name of a file
}

// NamesOf returns the names that a pattern consists of, without its !. It fails for a pattern that packfiles cannot have.
func NamesOf(pattern string) ([]Name, error) {
	rest, _ := CutExclusion(Clean(pattern))
	var names []Name
	for _, text := range strings.Split(rest, "/") {
		n := Name{Text: text}
		if hasMeaning(text) {
			var err error
			if n.m, err = patternmatcher.New([]string{folder + text}); err != nil {
				return nil, err
			}
		}
		names = append(names, n)
	}
	return names, nil
}

// Join returns the pattern that consists of some names.
func Join(names []Name) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = n.Text
	}
	return strings.Join(all, "/")
}

// folder stands before a name and its pattern: behind it no character is special because it comes first.
const folder = "x/"

// hasMeaning reports whether a part of a pattern is anything but a name.
func hasMeaning(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// Literal reports whether this is the name of a file.
func (n Name) Literal() bool { return n.m == nil }

// Deep reports whether it goes through folders, as ** does.
func (n Name) Deep() bool { return strings.Contains(n.Text, Everything) }

// Matches reports whether a file has such a name. It fails for a pattern that packfiles cannot have.
func (n Name) Matches(file string) (bool, error) {
	if n.m == nil {
		return n.Text == file, nil
	}
	return n.m.MatchesOrParentMatches(folder + file)
}
