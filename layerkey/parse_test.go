package layerkey

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// fullLabel is a label that has one of everything.
func fullLabel() Label {
	return Label{Time: 315532801, Layers: []Record{
		{
			Name: "nodejs", Key: digestA, Content: "sha256:" + digestA, DiffID: "sha256:" + digestB,
			Parts: Parts{
				Contract: 1, Layer: "/layers/app/nodejs", Platform: "linux/amd64", BuildImage: "sha256:" + digestA, User: "0:0",
				Script: &Script{Shell: []string{"/bin/sh"}, Digest: digestA}, Version: "20.1.0",
				Metadata: metadata.Table{"os": metadata.Table{"arch": "amd64"}},
				Deps:     []Dep{{Name: "node", Version: "20.1.0", SHA: digestB, Metadata: metadata.Table{"a": "b"}}},
				Env:      []step.EnvFile{{Dir: "env", Name: "NODE_ENV", Value: "production", Op: "override"}},
			},
			Metadata: metadata.Table{"version": "20.1.0", "table": metadata.Table{"a": "x"}},
			Files:    map[string]string{"package.json": "0123456789abcdef"},
		},
		{Name: "nodejs", Parts: Parts{Layer: "/layers/other/nodejs"}, Links: map[string]string{"nodejs": "sha256:" + digestA}},
	}}
}

func labelText(t testing.TB, label Label) string {
	t.Helper()
	data, err := json.Marshal(label)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestALabelIsReadAsItWasWritten(t *testing.T) {
	want := fullLabel()
	got, err := ParseLabel(labelText(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	t.Run("also with what a later version adds", func(t *testing.T) {
		got, err := ParseLabel(`{"time": 1, "more": {}, "layers": [{"name": "a", "more": [1], "parts": {"layer": "/layers/a/a", "more": 1}}]}`)
		want := Label{Time: 1, Layers: []Record{{Name: "a", Parts: Parts{Layer: "/layers/a/a"}}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

// nested is a table of so many tables in each other.
func nested(depth int) metadata.Table {
	table := metadata.Table{}
	for range depth {
		table = metadata.Table{"t": table}
	}
	return table
}

func TestMetadataUpToItsBounds(t *testing.T) {
	many := metadata.Table{}
	for i := range metadata.MaxEntries {
		many[fmt.Sprint(i)] = ""
	}
	for _, md := range []metadata.Table{nested(metadata.MaxDepth), many, {"a": strings.Repeat("x", metadata.MaxBytes-1)}} {
		label := fullLabel()
		label.Layers[0].Metadata = md
		if _, err := ParseLabel(labelText(t, label)); err != nil {
			t.Error(err)
		}
	}
}

func TestLabelsThatAreRefused(t *testing.T) {
	record := func(change func(r *Record)) string {
		label := fullLabel()
		change(&label.Layers[0])
		return labelText(t, label)
	}
	many := metadata.Table{}
	for i := range metadata.MaxEntries + 1 {
		many[fmt.Sprint(i)] = ""
	}
	for _, test := range []struct{ name, label, want string }{
		{"nothing", "", "unexpected end of JSON input"},
		{"no JSON", "{\x1b", `invalid character '\x1b' looking for beginning of object key string`},
		{"two values", "{} {}", "invalid character '{' after top-level value"},
		{"another kind of value", "[]", "it is a JSON array"},
		{"too much", strings.Repeat(" ", MaxRecord+1), "it has 8388609 bytes, more than 8388608"},
		{"JSON that is nested too deep", `{"more": ` + strings.Repeat("[", 20_000), "it nests values more than 64 deep"},
		{"too many layers", `{"layers": [` + strings.Repeat("{},", maxLayers) + "{}]}", "layers: there are 10001, more than 10000"},
		{"a time before 1970", `{"time": -1}`, "time: -1 is not between 1970 and 9999"},
		{"a time that has no form", `{"time": 253402300800}`, "time: 253402300800 is not between 1970 and 9999"},
		{"a time that is a text", `{"time": "now"}`, "time: it is a JSON string"},
		{"a number that is too large", `{"time": 1` + strings.Repeat("0", 1000) + "}", "time: it is a JSON number"},
		{"a layer that is none", `{"layers": [null]}`, `layer 1 (""): name: it is empty`},
		{"a part of another kind", `{"layers": [{"name": "a", "parts": {"env": [{"name": 1}]}}]}`, `layer 1 (a): parts.env.name: it is a JSON number`},
		{"a layer without name", record(func(r *Record) { r.Name = "" }), `layer 1 (""): name: it is empty`},
		{"a layer with a long name", record(func(r *Record) { r.Name = strings.Repeat("\x1b", 257) }), "name: it is longer than 256 bytes"},
		{"a layer without folder", record(func(r *Record) { r.Parts.Layer = "" }), "layer 1 (nodejs): parts.layer: it is empty"},
		{"two layers in one folder", record(func(r *Record) { r.Parts.Layer = "/layers/other/nodejs" }),
			"layer 2 (nodejs): parts.layer: there is another layer in /layers/other/nodejs"},
		{"a key that is too short", record(func(r *Record) { r.Key = "abc" }), "layer 1 (nodejs): key: abc is not 64 hex digits"},
		{"a key with capitals", record(func(r *Record) { r.Key = strings.Repeat("A", 64) }), "key: AAAAAAAAAAAA… is not 64 hex digits"},
		{"a key that is no digest", record(func(r *Record) { r.Key = strings.Repeat("g", 64) }), "key: " + strings.Repeat("g", 60) + "… is not"},
		{"a content that is no digest", record(func(r *Record) { r.Content = digestA }), "layer 1 (nodejs): content: ab12ab12ab12… is not a SHA-256 digest"},
		{"a diff id of another algorithm", record(func(r *Record) { r.DiffID = "sha512:" + digestA + digestA }), "diffID: sha512:ab12ab12ab12… is not a SHA-256 digest"},
		{"a diff id that is no word", record(func(r *Record) { r.DiffID = "a\nb" }), `layer 1 (nodejs): diffID: "a\nb" is not a SHA-256 digest`},
		{"metadata that is a number", record(func(r *Record) { r.Metadata = metadata.Table{"a": metadata.Table{"b\n": 1}} }),
			`layer 1 (nodejs): metadata: "a.b\n" is neither a string nor a table`},
		{"metadata that leads out of its folder", record(func(r *Record) { r.Metadata = metadata.Table{"a": metadata.Table{"../b": "x"}} }),
			`metadata: "../b" cannot be the name of a file`},
		{"metadata without a name", record(func(r *Record) { r.Metadata = metadata.Table{"": "x"} }),
			`metadata: "" cannot be the name of a file`},
		{"metadata that is nested too deep", record(func(r *Record) { r.Metadata = nested(metadata.MaxDepth + 1) }),
			"metadata: tables are nested more than 32 deep"},
		{"too much metadata", record(func(r *Record) { r.Parts.Metadata = metadata.Table{"a": strings.Repeat("x", metadata.MaxBytes)} }),
			"parts.metadata: there are more than 1048576 bytes"},
		{"too many metadata", record(func(r *Record) { r.Metadata = many }), "metadata: there are more than 10000 entries"},
		{"metadata of a dep", record(func(r *Record) { r.Parts.Deps[0].Metadata = metadata.Table{"a": nil} }),
			"parts.deps: metadata of node: a is neither a string nor a table"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseLabel(test.label)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "label io.packfile.layers: ") {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
			checkLine(t, err.Error())
			if diff := cmp.Diff(Label{}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzParseLabel checks that what is read is the same when it is written and read again, and that all that is said of it
// can be printed.
func FuzzParseLabel(f *testing.F) {
	f.Add(labelText(f, fullLabel()))
	f.Add(`{"time": 1, "layers": [{"name": "a", "parts": {"layer": "/a", "version": "1", "script": {}}}, {"name": "b", "parts": {"layer": "/b"}}]}`)
	f.Add(`{"layers": [{"name": "\u001b", "key": "x", "parts": {"layer": "/a"}}]}`)
	f.Add(`{"layers": [{"name": "a", "parts": {"layer": "/a", "metadata": {"\n": {"\u202e": "x"}}, "inputs": "x"}, "files": {"\r": "x"}},` +
		`{"name": "b", "parts": {"layer": "/b"}, "files": {"\r": "y"}}]}`)
	f.Add(`{"time": "x"}`)
	f.Add("null")
	f.Fuzz(func(t *testing.T, data string) {
		label, err := ParseLabel(data)
		if err != nil {
			checkLine(t, err.Error())
			return
		}
		again, err := ParseLabel(labelText(t, label))
		if err != nil {
			t.Fatalf("it cannot be read again: %v", err)
		}
		if one, two := labelText(t, label), labelText(t, again); one != two {
			t.Errorf("it is another label when it is read again: %s", cmp.Diff(one, two))
		}
		last := Record{}
		for i, r := range label.Layers {
			if changes := Changes(r, again.Layers[i]); changes != nil {
				t.Errorf("a layer differs from itself: %v", changes)
			}
			changes := Changes(last, r)
			checkLine(t, Why(changes))
			if (len(changes) == 0) != (key(t, last) == key(t, r)) {
				t.Errorf("changes %v between\n%+v\n%+v", changes, last, r)
			}
			last = r
		}
	})
}
