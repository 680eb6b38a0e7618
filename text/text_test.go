package text

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// raw is what must not reach a terminal, and how it is shown.
var raw = map[string]string{
	"\x1b[2J":      `\x1b[2J`,
	"\x1b]0;t\x07": `\x1b]0;t\a`,
	"\r":           `\r`,
	"\b":           `\b`,
	"\x00":         `\x00`,
	"\x7f":         `\x7f`,
	"\u009b31m":    `\u009b31m`, // one character that begins an order
	"\x9b":         `\x9b`,      // and as a byte
	"\u202e":       `\u202e`,
	"\u2066":       `\u2066`,
	"\u200b":       `\u200b`,
	"\u2028":       `\u2028`,
	"\ufeff":       `\ufeff`,
	"\xff":         `\xff`,
}

func TestWhatATerminalObeysIsEscaped(t *testing.T) {
	for in, want := range raw {
		if got := Visible("a" + in + "b"); got != "a"+want+"b" {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if got := Line(in + "\n\t"); got != want+`\n\t` {
			t.Errorf("%q becomes %q in a line", in, got)
		}
	}
	for _, same := range []string{"", "plain text", "a\n\tb", "žluťoučký 漢字 🙂", "back\\slash \"quoted\"", "\ufffd"} {
		if got := Visible(same); got != same {
			t.Errorf("%q becomes %q", same, got)
		}
	}
}

func TestExcerptsKeepTheNumbersOfTheirLines(t *testing.T) {
	data := []byte("a\r\n\x1b[2Jb\rc\n\td")
	if got := string(Excerpt(data)); got != "a\n\\x1b[2Jb\\rc\n\td" {
		t.Errorf("%q", got)
	}
}

func TestJSONForTerminals(t *testing.T) {
	for in, want := range raw {
		if !strings.Contains(in, "\xff") && !strings.Contains(in, "\x9b") || strings.Contains(in, "\u009b") {
			data, err := json.Marshal(map[string]string{"k": in + "\n\\u001b"})
			if err != nil {
				t.Fatal(err)
			}
			var same, shown map[string]string
			if err := json.Unmarshal(JSON(data), &same); err != nil || same["k"] != in+"\n\\u001b" {
				t.Errorf("%q becomes %q: %v", in, same["k"], err)
			}
			if err := json.Unmarshal(ShownJSON(data), &shown); err != nil || Visible(shown["k"]) != shown["k"] || !strings.HasSuffix(shown["k"], "\n\\u001b") {
				t.Errorf("%q is shown as %q (%s): %v", in, shown["k"], want, err)
			}
			for _, r := range string(JSON(data)) {
				if !strconv.IsPrint(r) {
					t.Errorf("%q leaves %q in JSON", in, r)
				}
			}
		}
	}
}
