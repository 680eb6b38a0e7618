package graph

import (
	"strings"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// Unpinned is a dep whose content its server decides.
type Unpinned struct {
	Filename string // of its packfile
	At       node.Range
	Name     string
	Kind     packfile.SourceKind
	URI      string
	Pin      string // what pins it as it is now: sha of a file, uri of an image or a repository
}

// Unpinned returns the deps that the packfile does not pin and that were looked up, each with what would pin it.
func (s *Decisions) Unpinned() (found []Unpinned, err error) {
	for _, l := range s.Layers {
		if s.facts.status(l) != settled {
			continue
		}
		fetched := s.facts[fact.Question{Layer: l.ID, Kind: fact.Fetched}]
		all, err := s.renderedDeps(l, s.facts.metadata(l, ""))
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if !d.wanted || d.vendored || d.Pinned() {
				continue
			}
			kind, location := d.Source()
			u := Unpinned{Filename: l.Module.Filename, At: d.written.Range(), Name: d.id, Kind: kind, URI: d.URI}
			switch is := s.facts.lookedUp(l)[d.id]; kind {
			case packfile.ImageSource:
				u.Pin = d.URI + "@" + is.Digest.String()
			case packfile.GitSource:
				u.Pin = atCommit(location, is.Commit)
			default:
				u.Pin = fetched.Metadata.Text(d.id)
			}
			found = append(found, u)
		}
	}
	return found, nil
}

// atCommit returns the address of a repository with a commit in the place of a branch or tag.
func atCommit(address, commit string) string {
	repository, fragment, _ := strings.Cut(address, "#")
	if strings.Contains(repository, "?") { // the query may name the branch: BuildKit compares it with the commit
		return strings.TrimSuffix(repository+"&checksum="+commit+"#"+fragment, "#")
	}
	_, folder, _ := strings.Cut(fragment, ":")
	return strings.TrimSuffix(repository+"#"+commit+":"+folder, ":")
}
