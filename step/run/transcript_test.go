package run

import (
	"fmt"
	"strings"
	"testing"
)

func TestATranscriptKeepsBeginningAndEnd(t *testing.T) {
	var said transcript
	fmt.Fprint(&said, "first line\n")
	for range 10 {
		fmt.Fprint(&said, strings.Repeat("x", 40<<10))
	}
	fmt.Fprint(&said, "\nlast line\n")
	got := string(said.Bytes())
	if !strings.HasPrefix(got, "first line\nxxx") || !strings.HasSuffix(got, "xxx\nlast line\n") || len(got) > 65<<10 {
		t.Errorf("%d bytes: %.20q … %q", len(got), got, got[len(got)-20:])
	}
	if all := 11 + 400<<10 + 11; !strings.Contains(got, fmt.Sprintf("\n[%d bytes are not shown]\n", all-maxHead-maxTail)) {
		t.Error("it does not say what is missing")
	}
	short := transcript{}
	fmt.Fprint(&short, strings.Repeat("y", maxHead), "z")
	if got := string(short.Bytes()); got != strings.Repeat("y", maxHead)+"z" {
		t.Errorf("a short text is %d bytes", len(got))
	}
}
