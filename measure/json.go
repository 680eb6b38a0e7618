package measure

import "encoding/json"

// JSON measures a JSON text (RFC 8259). The error is an *Excess.
func JSON(data []byte, most Size) (Size, error) {
	m, err := begin(data, most)
	depth := 0
	for i := 0; i < len(data) && err == nil; i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			if err = m.at(depth, i); err == nil {
				err = m.add(i)
			}
		case '}', ']':
			depth--
		case ',', ':':
			err = m.add(i)
		}
	}
	return m.Size, err
}

// DecodeJSON measures a JSON text and decodes it. The error is an *Excess if the text exceeds the limit, else the
// decoder's.
func DecodeJSON(data []byte, most Size, into any) error {
	if _, err := JSON(data, most); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
