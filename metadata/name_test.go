package metadata

import (
	"strings"
	"testing"
)

func TestNamesThatMetadataCanHave(t *testing.T) {
	for _, name := range []string{"version", "node@2", ".requires", "a b", "größe", "a\nb", strings.Repeat("a", 255)} {
		if problem := CheckName(name); problem != "" {
			t.Errorf("%q %s", name, problem)
		}
	}
	for name, want := range map[string]string{
		"": "is empty", ".": "is no name of its own", "..": "is no name of its own", "a/b": "holds a '/'", "/": "holds a '/'", "a\x00": "holds a NUL byte",
		"a\xff": "is not valid UTF-8", strings.Repeat("a", 256): "is 256 bytes long",
	} {
		if got := CheckName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
