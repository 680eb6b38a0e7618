package text

import "bytes"

// byteOrderMark begins files that some editors write; it is no part of the text.
const byteOrderMark = "\ufeff"

// Unix returns the text of a file as it is in a checkout on Unix: without a byte order mark, and with lines that end in LF
// where they end in CRLF. So one commit has the same scripts, and the same layer keys, wherever it was checked out.
//
// A CR that stands alone, or before another one, is part of the text. A file with a NUL byte is not text, by Git's rule,
// and stays as it is: a script can carry an archive behind its last line.
func Unix(file []byte) []byte {
	if bytes.IndexByte(file, 0) >= 0 {
		return file
	}
	file = bytes.TrimPrefix(file, []byte(byteOrderMark))
	if !bytes.Contains(file, []byte("\r\n")) {
		return file
	}
	text := make([]byte, 0, len(file))
	for i, c := range file {
		ends := c == '\r' && i+1 < len(file) && file[i+1] == '\n' && (i == 0 || file[i-1] != '\r')
		if !ends {
			text = append(text, c)
		}
	}
	return text
}
