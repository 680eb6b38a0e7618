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

func TestAValueIsShownShortAndInOneWord(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	for in, want := range map[string]string{
		"":                           `""`,
		"1.2.3":                      "1.2.3",
		"two words":                  `"two words"`,
		`a"b`:                        `"a\"b"`,
		"a\x1b[2J":                   `"a\x1b[2J"`,
		"\xff":                       `"\xff"`,
		digits:                       digits[:12] + "…",
		"sha256:" + digits:           "sha256:" + digits[:12] + "…",
		"\x1b[2Jsha:" + digits:       `"\x1b[2Jsha:` + digits[:12] + `…"`,
		digits[:31]:                  digits[:31],
		strings.Repeat("漢", 61):      strings.Repeat("漢", 60) + "…",
		strings.Repeat("漢", 60):      strings.Repeat("漢", 60),
		strings.Repeat("a ", 100000): `"` + strings.Repeat("a ", 30) + `…"`,
	} {
		if got := Short(in); got != want {
			t.Errorf("Short(%.80q) is %s, want %s", in, got, want)
		}
	}
}

func TestOfALongListTheFirstTextsAreShown(t *testing.T) {
	for list, want := range map[string]string{
		"a": "a", "a b c d e": "a, b, c, d, e", "a b c d e f": "a, b, c, d, e and 1 more", "a b c d e f g": "a, b, c, d, e and 2 more",
	} {
		if got := Few(strings.Fields(list)); got != want {
			t.Errorf("Few of %q is %q, want %q", list, got, want)
		}
	}
}
