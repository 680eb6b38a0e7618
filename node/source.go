package node

import (
	"bytes"
	"sort"
)

// source is the text of a file with the offsets of its lines. The position functions of the TOML and YAML libraries count
// from the start of the text each time, or count characters; source counts bytes, and is cheap.
type source struct {
	data  []byte
	lines []int // offset of the first byte of each line
	near  int   // index of the line of the last call: the next call is mostly about it or the one after
}

func newSource(data []byte) *source {
	s := &source{data: data, lines: make([]int, 1, 1+bytes.Count(data, []byte{'\n'}))}
	for i, c := range data {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// line returns the index of the line in which an offset lies.
func (s *source) line(offset int) int {
	for i := s.near; i < len(s.lines) && i < s.near+2; i++ {
		if s.lines[i] <= offset && (i+1 == len(s.lines) || offset < s.lines[i+1]) {
			s.near = i
			return i
		}
	}
	s.near = sort.SearchInts(s.lines, offset+1) - 1
	return s.near
}

// span returns the range of the bytes from start to before end, cut at the end of its first line.
func (s *source) span(start, end int) Range {
	line := s.line(start)
	limit := len(s.data)
	if line+1 < len(s.lines) {
		limit = s.lines[line+1] - 1
	}
	if limit > start && s.data[limit-1] == '\r' {
		limit--
	}
	first := Position{Line: line + 1, Column: start - s.lines[line] + 1}
	last := first
	last.Column += max(min(end, limit)-start, 1) - 1
	return Range{Start: first, End: last}
}

// restOfLine returns the range from an offset to the end of its line.
func (s *source) restOfLine(start int) Range { return s.span(start, len(s.data)) }
