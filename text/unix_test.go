package text

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextIsTheSameWithWindowsLineEnds(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"CRLF and a byte order mark", "\ufeffa\r\n\r\nb\r\n", "a\n\nb\n"},
		{"both kinds of line ends", "a\r\nb\n", "a\nb\n"},
		{"no text", "", ""},
		{"CR that ends no line", "a\rb\r", "a\rb\r"},
		{"CR before the end of a line", "a\r\r\nb", "a\r\r\nb"},
		{"a byte order mark that begins nothing", "a\ufeff\n", "a\ufeff\n"},
		{"no text but bytes", "\ufeffa\r\n\x00\r\n", "\ufeffa\r\n\x00\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, string(Unix([]byte(test.file)))) })
	}
}
