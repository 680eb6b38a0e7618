package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildPlanFilesAreRead(t *testing.T) {
	for _, test := range []struct {
		name, file string
		want       Plan
		warnings   []string
	}{
		{
			name: "an empty file is a plan of nothing",
		},
		{
			name: "provides and requires",
			file: "[[provides]]\nname = \"node\"\n[[provides]]\nname = \"npm\"\n[[requires]]\nname = \"node\"\n" +
				"[requires.metadata]\nversion = \"1.x\"\nbuild = true\n",
			want: Plan{
				Provides: []Provide{{Name: "node"}, {Name: "npm"}},
				Requires: []Require{{Name: "node", Metadata: map[string]any{"version": "1.x", "build": true}}},
			},
		},
		{
			name: "alternatives",
			file: "[[or]]\n[[or.provides]]\nname = \"b\"\n[[or]]\n[[or.requires]]\nname = \"c\"\nmetadata.n = 1\n[[or]]\n" +
				"[[provides]]\nname = \"a\"\n",
			want: Plan{
				Provides: []Provide{{Name: "a"}},
				Or: []Plan{
					{Provides: []Provide{{Name: "b"}}},
					{Requires: []Require{{Name: "c", Metadata: map[string]any{"n": int64(1)}}}},
					{},
				},
			},
		},
		{
			name: "values instead of tables with headers",
			file: "provides = [{name = \"a\"}]\nrequires = [{name = \"a\", metadata = {}}]\nor = []",
			want: Plan{Provides: []Provide{{Name: "a"}}, Requires: []Require{{Name: "a", Metadata: map[string]any{}}}},
		},
		{
			name: "keys that nobody knows",
			file: "version = 1\n[[provides]]\nname = \"a\"\nversion = 1\nif-required = true\n[[requires]]\nname = \"a\"\n" +
				"mixins = []\n[[entries]]\nname = \"b\"\n",
			want: Plan{Provides: []Provide{{Name: "a"}}, Requires: []Require{{Name: "a"}}},
		},
		{
			name: "alternatives of alternatives are such keys",
			file: "[[or]]\n[[or.or]]\n[[or.or.provides]]\nname = \"a\"\n",
			want: Plan{Or: []Plan{{}}},
		},
		{
			name: "capital letters, as the lifecycle does",
			file: "[[Provides]]\nName = \"a\"\n[[Or]]\n[[Or.Requires]]\nname = \"b\"\nNAME = \"c\"\n",
			want: Plan{Provides: []Provide{{Name: "a"}}, Or: []Plan{{Requires: []Require{{Name: "b"}}}}},
		},
		{
			name: "an empty version is none",
			file: "[[requires]]\nname = \"a\"\nversion = \"\"\n",
			want: Plan{Requires: []Require{{Name: "a"}}},
		},
		{
			name: "a byte order mark and ends of lines from Windows",
			file: "\ufeff[[provides]]\r\nname = \"a\"\r\n",
			want: Plan{Provides: []Provide{{Name: "a"}}},
		},
		{
			name: "the example of the first draft (seed 002)",
			file: "[[requests]]\nname = \"nodejs\"\nversion = \"1.x\"\n[[requests.metadata]]\nsomething = \"12\"\n\n\n" +
				"[[provides]]\nname = \"nodejs\"\n",
			want: Plan{
				Provides: []Provide{{Name: "nodejs"}},
				Requires: []Require{{Name: "nodejs", Metadata: map[string]any{"version": "1.x", "something": "12"}}},
			},
			warnings: []string{draftWarning},
		},
		{
			name: "requests without version, or with metadata in one table or several",
			file: "[[requests]]\nname = \"a\"\n[[requests]]\nname = \"b\"\n[requests.metadata]\nn = 1\n[[requests]]\nname = \"c\"\n" +
				"[[requests.metadata]]\nn = 1\n[[requests.metadata]]\nm = 2\n[[or]]\n[[or.requests]]\nname = \"d\"\nversion = \"1\"\n",
			want: Plan{
				Requires: []Require{
					{Name: "a"},
					{Name: "b", Metadata: map[string]any{"n": int64(1)}},
					{Name: "c", Metadata: map[string]any{"n": int64(1), "m": int64(2)}},
				},
				Or: []Plan{{Requires: []Require{{Name: "d", Metadata: map[string]any{"version": "1"}}}}},
			},
			warnings: []string{draftWarning},
		},
		{
			name:     "requests after requires",
			file:     "[[requests]]\nname = \"b\"\n[[requires]]\nname = \"a\"\n",
			want:     Plan{Requires: []Require{{Name: "a"}, {Name: "b"}}},
			warnings: []string{draftWarning},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, warnings, err := Parse([]byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warnings, warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuildPlanFilesWithErrors(t *testing.T) {
	long := strings.Repeat("long", 100)
	for _, test := range []struct {
		name, file, want string
	}{
		{
			"a value that is missing", "[[provides]]\nname =\n",
			"invalid TOML at line 2, column 7: unexpected character U+000A",
		},
		{
			"a key that is there twice", "[[provides]]\nname = \"a\"\nname = \"b\"\n",
			"invalid TOML at line 3, column 1: key name is already defined",
		},
		{
			"a value that nobody reads", "a = 2026-13-01",
			"invalid TOML at line 1, column 10: impossible date",
		},
		{
			"a message that repeats a key", "\"\\n" + long + "\" = 1\n\"\\n" + long + "\" = 2",
			"invalid TOML at line 2, column 1: key \ufffd" + long[:235] + "…",
		},
		{
			"a version in requires", "[[requires]]\nname = \"a\"\nversion = \"1\"\n",
			`[[requires]] "a": write version as metadata.version`,
		},
		{
			"also in an alternative", "[[or]]\n[[or]]\n[[or.requires]]\nname = \"a\"\nversion = \"1\"\n",
			`[[or]] 2: [[requires]] "a": write version as metadata.version`,
		},
		{
			"two versions in requests", "[[requests]]\nname = \"a\"\nversion = \"1\"\n[requests.metadata]\nversion = \"1\"\n",
			`[[requests]] "a": "version" is there twice`,
		},
		{
			"metadata of requests that says something twice",
			"[[requests]]\nname = \"a\"\n[[requests.metadata]]\nb = 1\nc = 1\n[[requests.metadata]]\nc = 1\nb = 1\n",
			`[[requests]] "a": "b" is there twice`,
		},
		{"a version that is a number", "[[requires]]\nname = \"a\"\nversion = 1\n", `[[requires]] "a": version is no string`},
		{"one of requests", "[[requests]]\nname = \"a\"\nversion = 1\n", `[[requests]] "a": version is no string`},
		{"provides without name", "[[provides]]\nname = \"a\"\n[[provides]]\n", "[[provides]] 2: no name"},
		{"requires with an empty name", "[[requires]]\nname = \"\"\n", "[[requires]] 1: no name"},
		{"requests without name", "[[requests]]\n", "[[requests]] 1: no name"},
		{"a name that is a number", "[[provides]]\nname = 1\n", "[[provides]] 1: name is no string"},
		{"provides of one table", "[provides]\nname = \"a\"\n", "provides is no array of tables"},
		{"provides of names", "provides = [\"a\"]\n", "provides is no array of tables"},
		{"or of one table", "[or]\n", "or is no array of tables"},
		{"metadata of several tables", "[[requires]]\nname = \"a\"\n[[requires.metadata]]\n",
			`[[requires]] "a": metadata is no table: write [requires.metadata]`},
		{"metadata of requests that is text", "[[requests]]\nname = \"a\"\nmetadata = \"b\"\n",
			`[[requests]] "a": metadata is no array of tables`},
		{"a long name", "[[requires]]\nname = \"" + long + "\"\nversion = \"1\"",
			`[[requires]] "` + long[:80] + `"…: write version as metadata.version`},
		{"more bytes than it may have", "#" + strings.Repeat(" ", MaxSize),
			"it has 1048577 bytes, more than 1048576"},
		{"as many bytes as it may have, and an error", strings.Repeat(" ", MaxSize-1) + "a",
			"invalid TOML at line 1, column 1048576: expected '='"},
		{"as many keys as it may have", strings.Repeat("[[provides]]\nname=\"a\"\n", 5000), ""},
		{"more keys than it may have", strings.Repeat("[[provides]]\nname=\"a\"\n", 5000) + "[[provides]]",
			"it has more than 10000 keys and values"},
		{"more parts of keys", "a = [" + strings.Repeat("{a.b.c.d.e=1},", 2000) + "]", "it has more than 10000 keys and values"},
		{"more elements of arrays", "a = [" + strings.Repeat("1,", 10_000) + "]", "it has more than 10000 keys and values"},
		{"a key of many parts", strings.Repeat("a.", 32) + "a = 1", ""},
		{"one of more", strings.Repeat("a.", 33) + "a = 1", "it nests values more than 32 deep"},
		{"a header of more parts", "[" + strings.Repeat("a.", 33) + "a]", "it nests values more than 32 deep"},
		{"arrays in arrays", "a = " + strings.Repeat("[", 32) + strings.Repeat("]", 32), ""},
		{"more of them", "a = " + strings.Repeat("[", 33) + strings.Repeat("]", 33), "it nests values more than 32 deep"},
		{"tables in tables", "a = " + strings.Repeat("{a = ", 32) + "1" + strings.Repeat("}", 32), ""},
		{"more of them still", "a = " + strings.Repeat("{a = ", 33) + "1" + strings.Repeat("}", 33),
			"it nests values more than 32 deep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Parse([]byte(test.file))
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "build plan: ")
			}
			if !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
