package measure

import "bytes"

// YAML measures a YAML text (version 1.2). The error is an *Excess.
//
// Only a parser knows where strings and block scalars begin and end. So every byte counts that would be a value outside
// of them: a script counts more than it costs.
func YAML(data []byte, most Size) (Size, error) {
	m, err := begin(data, most)
	// ends says that a "-", "?" or ":" before an offset is an indicator.
	ends := func(i int) bool {
		return i >= len(data) || data[i] >= 0x80 || bytes.IndexByte([]byte(" \t\r\n,[]{}\"'&*!|>"), data[i]) >= 0
	}
	for i := 0; i < len(data) && err == nil; i++ {
		switch data[i] {
		case ',', '[', '{', '#', '&', '*', '!':
			err = m.add(i)
		case '-', '?':
			if ends(i + 1) {
				err = m.add(i)
			}
		case ':':
			if ends(i+1) || i > 0 && bytes.IndexByte([]byte("\"']}"), data[i-1]) >= 0 {
				err = m.add(i)
			}
		}
	}
	return m.Size, err
}
