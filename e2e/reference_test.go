package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// The reference has every key of the format and every lint rule, and links of the documentation lead somewhere. What the
// documentation shows is tried in docs_test.go.

const reference = "docs/reference.md"

// noKey is a key that no table has: what the parser says about it lists those that the table has.
const noKey = "nokeyisnamedlikethis"

var listOfKeys = regexp.MustCompile(`^keys of [^:]+: (.*)$`)

// keysOf is the keys of the table at a path, as a format writes them; nil if no table stands there, or one with free
// keys. The elements of the path may be arrays of tables, which is tried.
func keysOf(filename string, at []string) []string {
	for arrays := range 1 << len(at) {
		text := noKey + " = 1\n"
		for i := len(at); i > 0; i-- {
			header := "[" + strings.Join(at[:i], ".") + "]\n"
			if arrays&(1<<(i-1)) != 0 {
				header = "[" + header[:len(header)-1] + "]\n"
			}
			text = header + text
		}
		if filename == "packfile.yaml" {
			text = noKey + ": 1"
			for i := len(at) - 1; i >= 0; i-- {
				text = at[i] + ": {" + text + "}"
				if arrays&(1<<i) != 0 {
					text = strings.Replace(text, "{", "[{", 1) + "]"
				}
			}
		}
		_, _, err := packfile.Parse(filename, []byte(text))
		var list *node.Error
		if !errors.As(err, &list) {
			continue
		}
		for _, d := range list.Diagnostics {
			if m := listOfKeys.FindStringSubmatch(d.Hint); m != nil && strings.Contains(d.Message, noKey) {
				return strings.Split(m[1], ", ")
			}
		}
	}
	return nil
}

// schemaKeys finds the tables of the format: names of their keys in TOML and in YAML, by path ("" is the packfile).
func schemaKeys(tomlPath, yamlPath []string, found map[string][][2]string) {
	inTOML, inYAML := keysOf("packfile.toml", tomlPath), keysOf("packfile.yaml", yamlPath)
	for i, key := range inTOML {
		at := strings.Join(tomlPath, ".")
		found[at] = append(found[at], [2]string{key, inYAML[i]})
		schemaKeys(append(slices.Clip(tomlPath), key), append(slices.Clip(yamlPath), inYAML[i]), found)
	}
}

var (
	keysComment = regexp.MustCompile(`^<!-- keys: (.*) -->$`)
	keyRow      = regexp.MustCompile("^\\| `([^`]+)` \\| `([^`]+)` \\|")
)

// documentedKeys are the rows of the reference's tables below comments that say which tables of the format they are for.
// The packfile itself is called "packfile" there, and layers.build stands for layers.provide as well.
func documentedKeys(t *testing.T) map[string][][2]string {
	found := map[string][][2]string{}
	var tables []string
	for line := range strings.Lines(readPage(t, reference)) {
		line = strings.TrimSpace(line)
		if m := keysComment.FindStringSubmatch(line); m != nil {
			tables = nil
			for _, table := range strings.Fields(m[1]) {
				tables = append(tables, strings.TrimPrefix(table, "packfile"))
				if rest, ok := strings.CutPrefix(table, "layers.build"); ok {
					tables = append(tables, "layers.provide"+rest)
				}
			}
		} else if strings.HasPrefix(line, "#") {
			tables = nil
		}
		if m := keyRow.FindStringSubmatch(line); m != nil {
			for _, table := range tables {
				found[table] = append(found[table], [2]string{m[1], m[2]})
			}
		}
	}
	return found
}

func TestReferenceHasEveryKeyWithAnExample(t *testing.T) {
	t.Parallel()
	schema := map[string][][2]string{}
	schemaKeys(nil, nil, schema)
	if len(schema) < 20 {
		t.Fatalf("only these tables were found: %v", slices.Sorted(maps.Keys(schema)))
	}
	documented := documentedKeys(t)
	byName := func(a, b [2]string) int { return strings.Compare(a[0], b[0]) }
	for table, keys := range schema {
		slices.SortFunc(keys, byName)
		slices.SortFunc(documented[table], byName)
		if !slices.Equal(keys, documented[table]) {
			t.Errorf("keys of %q are\n%v, the reference has\n%v", table, keys, documented[table])
		}
		delete(documented, table)
	}
	for table := range documented {
		t.Errorf("the reference has a table %q, the format has not", table)
	}

	shown := map[string]bool{}
	for _, b := range blocks(t, reference) {
		if b.isPackfile() && b.language == "toml" && !b.is("wrong") {
			var tree map[string]any
			if _, err := toml.Decode(b.packfile(), &tree); err != nil {
				t.Fatalf("%v: %v", b, err)
			}
			collectKeys(tree, "", shown)
		}
	}
	for table, keys := range schema {
		for _, key := range keys {
			at := strings.TrimPrefix(table+"."+key[0], ".")
			other := strings.NewReplacer("layers.provide.", "layers.build.", "layers.build.", "layers.provide.").Replace(at)
			if !shown[at] && !shown[other] {
				t.Errorf("the reference has no example of %s", at)
			}
		}
	}
}

func collectKeys(v any, at string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			below := strings.TrimPrefix(at+"."+key, ".")
			found[below] = true
			collectKeys(value, below, found)
		}
	case []map[string]any:
		for _, item := range v {
			collectKeys(item, at, found)
		}
	case []any:
		for _, item := range v {
			collectKeys(item, at, found)
		}
	}
}

func TestReferenceHasEveryLintRuleWithAnExample(t *testing.T) {
	t.Parallel()
	page := readPage(t, reference)
	shown := map[string]bool{}
	for _, b := range blocks(t, reference) {
		shown[b.value("warns")] = true
	}
	for _, rule := range packfile.Rules() {
		row := fmt.Sprintf("| `%s` | %s |\n", rule.Name, rule.Description)
		if !strings.Contains(page, row) {
			t.Errorf("the reference has not this row:\n%s", row)
		}
		if !shown[rule.Name] {
			t.Errorf("the reference has no example of %s", rule.Name)
		}
	}
}

var (
	docsLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docsHost = regexp.MustCompile(`[a-z]+://([A-Za-z0-9.-]+)`)
	// Nobody's hosts, this machine's own, and the homes of the projects that this one is built on.
	knownHost = regexp.MustCompile(`(^|\.)example\.com$|^127\.0\.0\.1$|^github\.com$|^buildpacks\.io$`)
)

func TestDocsLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		text := readPage(t, page)
		for _, m := range docsLink.FindAllStringSubmatch(text, -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := path.Join(path.Dir(page), file)
			if file == "" {
				target = page
			}
			if _, err := os.Stat("../" + target); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(readPage(t, target)), anchor) {
				t.Errorf("%s: link to %s: there is no such heading", page, m[1])
			}
		}
		for _, m := range docsHost.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], ".") && !knownHost.MatchString(m[1]) {
				t.Errorf("%s names the host %s", page, m[1])
			}
		}
	}
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchors are the names by which links lead to headings, as GitHub makes them.
func anchors(page string) []string {
	var found []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			title := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
			found = append(found, strings.ReplaceAll(notInAnchor.ReplaceAllString(title, ""), " ", "-"))
		}
	}
	return found
}
