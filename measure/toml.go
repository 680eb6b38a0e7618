package measure

import "bytes"

// TOML measures a TOML text (version 1.1). The error is an *Excess.
func TOML(data []byte, most Size) (Size, error) {
	m, err := begin(data, most)
	t := tomlMeter{meter: m, data: data, in: []level{{}}}
	for t.next < len(data) && err == nil {
		err = t.step()
	}
	return t.Size, err
}

// tomlMeter walks over a TOML text.
type tomlMeter struct {
	meter
	data   []byte
	next   int     // offset of what has not been looked at
	header bool    // it is in a [header]
	in     []level // the document, and the arrays and inline tables that it is in
}

// level is an array or an inline table, or the document.
type level struct {
	array bool
	depth int  // of it, with the dots of keys on the way
	dots  int  // of the key that it is at, or at whose value
	value bool // it is behind the "=" of a key
}

// step reads the next byte, or the next string or comment.
func (t *tomlMeter) step() error {
	at, c := t.next, t.data[t.next]
	t.next++
	here := &t.in[len(t.in)-1]
	switch c {
	case '#':
		if end := bytes.IndexByte(t.data[t.next:], '\n'); end >= 0 {
			t.next += end
		} else {
			t.next = len(t.data)
		}
	case '"', '\'':
		t.skipString(c)
	case '\n':
		if len(t.in) == 1 {
			t.header, *here = false, level{}
		}
	case '=':
		here.value = true
		return t.add(at)
	case '.':
		if here.array || here.value {
			return nil // of a number or a time
		}
		here.dots++
		if err := t.at(here.depth+here.dots, at); err != nil {
			return err
		}
		return t.add(at)
	case ',':
		if here.array {
			return t.add(at)
		}
		here.dots, here.value = 0, false
	case '[', '{':
		return t.open(here, c == '[', at)
	case ']', '}':
		if len(t.in) > 1 {
			t.in = t.in[:len(t.in)-1]
		}
	}
	return nil
}

// open reads the bracket of an array, an inline table or a header.
func (t *tomlMeter) open(here *level, array bool, at int) error {
	if len(t.in) == 1 && !here.value {
		if t.header { // the second bracket of [[header]]
			return nil
		}
		t.header = true
		return t.add(at)
	}
	depth := here.depth + here.dots + 1
	if err := t.at(depth, at); err != nil {
		return err
	}
	t.in = append(t.in, level{array: array, depth: depth})
	return t.add(at)
}

// quotes are what a string over several lines begins and ends with, by its first byte.
var quotes = [256][]byte{'"': []byte(`"""`), '\'': []byte("'''")}

// skipString skips a string whose first quote has been read.
func (t *tomlMeter) skipString(quote byte) {
	three := func(at int) bool { return bytes.HasPrefix(t.data[at:], quotes[quote]) }
	multiline := three(t.next - 1)
	if multiline {
		t.next += 2
	}
	for ; t.next < len(t.data); t.next++ {
		switch c := t.data[t.next]; {
		case c == '\\' && quote == '"':
			t.next++
		case c == '\n' && !multiline:
			return // it has no end
		case c == quote && !multiline:
			t.next++
			return
		case c == quote && three(t.next):
			// Of up to five quotes the last three are its end.
			for n := 0; n < 5 && t.next < len(t.data) && t.data[t.next] == quote; n++ {
				t.next++
			}
			return
		}
	}
	t.next = min(t.next, len(t.data))
}
