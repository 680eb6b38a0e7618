package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2/unstable"
	"go.yaml.in/yaml/v3"
)

var plenty = Size{Bytes: 1 << 30, Values: 1 << 30, Depth: 1 << 30}

func TestTextsAreMeasured(t *testing.T) {
	quotes := strings.Repeat(`"`, 5)
	for _, test := range []struct {
		name    string
		measure func([]byte, Size) (Size, error)
		text    string
		values  int
		depth   int
	}{
		{"TOML of nothing", TOML, "\n# a = [[[\n", 0, 0},
		{"TOML keys", TOML, "a = 1\n'b.[' = 1.5 # = [\n", 2, 0},
		{"TOML dotted keys", TOML, "a.b.c = 1\n a . b . d = 2", 6, 2},
		{"a TOML header", TOML, "[a.b]\nc.d = 1", 4, 1},
		{"a TOML header of an array", TOML, "[[a.b.c]]", 3, 2},
		{"a TOML array", TOML, "a = [1.5, [\n 2 ]\n]", 4, 2},
		{"TOML tables in arrays", TOML, "a.b = [{c.d = [1, 2], e = 3}, {}]", 11, 5},
		{"a TOML table over lines", TOML, "a = {\nb = 1,\nc.d = 2,\n}\ne = 3", 6, 2},
		{"TOML strings", TOML, `a = "[\"[" ` + "\nb = '[\\'\nc = '' # '\nd = [\"\", '[']", 6, 1},
		{"TOML strings over lines", TOML, "a = \"\"\"\n[\\\"\"\"[\"\" [" + quotes + "\nb = '''\n['' [''''\nc = [1]", 4, 1},
		{"a TOML string without end", TOML, `a = "`, 1, 0},
		{"a TOML escape without end", TOML, `a = "\`, 1, 0},
		{"JSON of nothing", JSON, ` "[,:\"[" `, 0, 0},
		{"JSON values", JSON, `{"a": [1, 2, {}], "b": null}`, 8, 3},
		{"JSON without end", JSON, `["\`, 1, 1},
		{"YAML of nothing", YAML, "a-b?c", 0, 0},
		{"a YAML mapping", YAML, "a: b\nc:\n- d\n-\n", 4, 0},
		{"a YAML list in a line", YAML, `{"a":b, c: [*d, &e f, !!str g]}`, 11, 0},
		{"a YAML address", YAML, "a: http://b.example:80", 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			size, err := test.measure([]byte(test.text), plenty)
			if want := (Size{len(test.text), test.values, test.depth}); err != nil || size != want {
				t.Errorf("%+v, %v, want %+v", size, err, want)
			}
		})
	}
}

// The first byte that is too much is where it stands, and what follows is not looked at.
func TestTextsThatAreTooLargeAreRefused(t *testing.T) {
	most := Size{Bytes: 100_000, Values: 10, Depth: 3}
	many := strings.Repeat("\n", 20_000)
	for _, test := range []struct {
		name    string
		measure func([]byte, Size) (Size, error)
		text    string
		offset  int
		want    string
	}{
		{"bytes of TOML", TOML, strings.Repeat(" ", 100_001), 100_000, "it has 100001 bytes, more than 100000"},
		{"bytes of JSON", JSON, strings.Repeat(" ", 100_001), 100_000, "it has 100001 bytes, more than 100000"},
		{"bytes of YAML", YAML, strings.Repeat(" ", 100_001), 100_000, "it has 100001 bytes, more than 100000"},
		{"TOML arrays", TOML, "a=[[[[[" + many, 5, "it nests values more than 3 deep"},
		{"TOML tables", TOML, "a={b={c={d={", 11, "it nests values more than 3 deep"},
		{"TOML dots", TOML, "a.b.c.d.e.f=1", 7, "it nests values more than 3 deep"},
		{"dots of a TOML header", TOML, "[a.b.c.d.e]", 8, "it nests values more than 3 deep"},
		{"TOML keys", TOML, strings.Repeat("a=1\n", 20), 41, "it has more than 10 keys and values"},
		{"TOML headers", TOML, strings.Repeat("[[a]]\n", 20), 60, "it has more than 10 keys and values"},
		{"elements of a TOML array", TOML, "a=[" + strings.Repeat("1,", 20), 20, "it has more than 10 keys and values"},
		{"JSON arrays", JSON, "[[[[[" + many, 3, "it nests values more than 3 deep"},
		{"JSON values", JSON, "[" + strings.Repeat("1,", 20), 20, "it has more than 10 keys and values"},
		{"YAML lines", YAML, strings.Repeat("- a\n", 20), 40, "it has more than 10 keys and values"},
		{"YAML aliases", YAML, "[" + strings.Repeat("*a,", 20), 15, "it has more than 10 keys and values"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.measure([]byte(test.text), most)
			excess, ok := errors.AsType[*Excess](err)
			if !ok || excess.Offset != test.offset || err.Error() != test.want {
				t.Errorf("%v at %+v, want %s at %d", err, excess, test.want, test.offset)
			}
		})
	}
}

// Measuring takes no memory to speak of, whatever the text says.
func TestMeasuringTakesNoMemory(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", 1<<20), "an array": "a = " + strings.Repeat("[", 1<<20), "dots": strings.Repeat("a.", 1<<19),
		"quotes": strings.Repeat("'", 1<<20), "keys": strings.Repeat("a=1\n", 1<<18), "list": "a = [" + strings.Repeat("- ,", 1<<18),
	} {
		for format, measure := range map[string]func([]byte, Size) (Size, error){"TOML": TOML, "JSON": JSON, "YAML": YAML} {
			data := []byte(text)
			if n := testing.AllocsPerRun(1, func() { _, _ = measure(data, Record) }); n > 20 {
				t.Errorf("%s as %s: %v allocations", name, format, n)
			}
		}
	}
}

func TestJSONThatIsTooLargeIsNotDecoded(t *testing.T) {
	var into any
	if err := DecodeJSON([]byte(`{"a": [1]}`), Record, &into); err != nil || into == nil {
		t.Fatal(into, err)
	}
	into = nil
	if err := DecodeJSON([]byte(strings.Repeat("[", 65)+strings.Repeat("]", 65)), Record, &into); err == nil || into != nil {
		t.Fatal(into, err)
	}
}

// nodes counts the keys, their parts and the values in TOML as its parser makes them, and how deep they are.
func nodes(e *unstable.Node, depth int, s *Size) {
	s.Depth = max(s.Depth, depth)
	switch e.Kind {
	case unstable.KeyValue, unstable.Table, unstable.ArrayTable:
		parts := 0
		for it := e.Key(); it.Next(); {
			parts++
		}
		s.Values += parts
		s.Depth = max(s.Depth, depth+parts-1)
		if e.Kind == unstable.KeyValue {
			nodes(e.Value(), depth+parts-1, s)
		}
	case unstable.Array:
		s.Depth = max(s.Depth, depth+1)
		for it := e.Children(); it.Next(); {
			s.Values++
			nodes(it.Node(), depth+1, s)
		}
	case unstable.InlineTable:
		s.Depth = max(s.Depth, depth+1)
		for it := e.Children(); it.Next(); {
			nodes(it.Node(), depth+1, s)
		}
	}
}

// Whatever a parser makes of a TOML text, also of the beginning of one that is broken, was counted.
func FuzzTOML(f *testing.F) {
	f.Add([]byte("[a.b]\n\"c\".d = [{e.f = 1.5, g = [[], '''x''']}, \"\"\"[\\\"\"\"\"\"\"] # [\n[[x]]\ny = 1979-05-27 07:32:00.5"))
	f.Fuzz(func(t *testing.T, data []byte) {
		size, err := TOML(data, plenty)
		if err != nil {
			t.Fatal(err)
		}
		var p unstable.Parser
		p.Reset(data)
		var made Size
		for p.NextExpression() {
			nodes(p.Expression(), 0, &made)
		}
		if made.Values > size.Values || made.Depth > size.Depth {
			t.Fatalf("%+v of %+v", made, size)
		}
	})
}

// Whatever JSON is, all of it was counted.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a": [1, "\"[", {"b": {}}], "c": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		size, err := JSON(data, plenty)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		values, depth := 0, 0
		for {
			token, err := dec.Token()
			if err != nil {
				if err != io.EOF {
					return
				}
				break
			}
			if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
				depth--
				continue
			} else if ok {
				depth++
			}
			if values++; depth > size.Depth {
				t.Fatalf("%d deep, measured %d", depth, size.Depth)
			}
		}
		if json.Valid(data) && values > 2*size.Values+1 {
			t.Fatalf("%d values, measured %d", values, size.Values)
		}
	})
}

// yamlNodes counts what the library makes of a YAML text.
func yamlNodes(n *yaml.Node) int {
	count := 1
	for _, child := range n.Content {
		count += yamlNodes(child)
	}
	return count
}

// Whatever a parser makes of YAML was counted. A byte that counts makes at most four of the library's nodes.
func FuzzYAML(f *testing.F) {
	f.Add([]byte("a: &x [b, {c: d}]\n\"e\":\n- f\n-\n? g\n: |\n  - h\nk: *x # -\n"))
	f.Add([]byte("{\"a\":b,'c':d, ? e, :f }"))
	f.Fuzz(func(t *testing.T, data []byte) {
		size, err := YAML(data, plenty)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = recover() }() // the library panics on some comments
		var n yaml.Node
		if bytes.Contains(data, []byte("%")) || yaml.Unmarshal(data, &n) != nil {
			return
		}
		if made := yamlNodes(&n); made > 4*size.Values+4 {
			t.Errorf("%d nodes, measured %d", made, size.Values)
		}
	})
}
