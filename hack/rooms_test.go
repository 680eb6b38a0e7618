// Package hack has tests of how the code is cut: into rooms that import each other as docs/architecture.md says, and into files and types
// that one can read at a time.
package hack

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// house is the path of the module, before the names of rooms.
const house = "github.com/packfile/frontend/"

// What one can read at a time.
const (
	maxLines   = 500 // of a file
	maxMethods = 40  // of a type
)

// sources are the Go files of each folder below the root of the repository, parsed, by name. Those of other modules are not among them.
func sources(t *testing.T, mode parser.Mode) map[string]map[string]*ast.File {
	t.Helper()
	all := map[string]map[string]*ast.File{}
	err := filepath.WalkDir("..", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			_, missing := os.Stat(filepath.Join(name, "go.mod"))
			if name != ".." && (missing == nil || e.Name()[0] == '.' || e.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(files, name, nil, mode)
		if err != nil {
			return err
		}
		room, err := filepath.Rel("..", filepath.Dir(name))
		if all[room] == nil {
			all[room] = map[string]*ast.File{}
		}
		all[room][name] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var files = token.NewFileSet()

// row is one of the table of rooms.
type row struct {
	rooms []string
	may   string   // what it may import, as it stands there
	names []string // the rooms among that
}

var quoted = regexp.MustCompile("`([^`]+)`")

// names are the names of rooms in a cell.
func names(cell string) (all []string) {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		all = append(all, strings.TrimSuffix(m[1], "/"))
	}
	return all
}

// table is that of the rooms in docs/architecture.md.
func table(t *testing.T) (rows []row) {
	t.Helper()
	data, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n## Rooms\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || len(names(cells[1])) == 0 {
			continue
		}
		rows = append(rows, row{rooms: names(cells[1]), may: strings.TrimSpace(cells[3]), names: names(cells[3])})
	}
	if len(rows) == 0 {
		t.Fatal("there is no table")
	}
	return rows
}

// imports are the rooms that each room imports; tests may import any.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for room, parsed := range sources(t, parser.ImportsOnly) {
		found := map[string]bool{}
		for name, file := range parsed {
			for _, spec := range file.Imports {
				if other, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), house); ok && !strings.HasSuffix(name, "_test.go") {
					found[other] = true
				}
			}
		}
		all[room] = slices.Sorted(maps.Keys(found))
	}
	return all
}

func TestRoomsImportWhatTheTableOfRoomsSays(t *testing.T) {
	rows := table(t)
	imported := imports(t)
	place := map[string]int{}
	for i, r := range rows {
		for _, room := range r.rooms {
			place[room] = i
		}
	}
	for room := range imported {
		if _, known := place[room]; !known && !strings.HasPrefix(room, "hack/") && !strings.HasPrefix(room, "e2e/") {
			t.Errorf("the table has no room %s", room)
		}
	}
	for i, r := range rows {
		found := map[string]bool{}
		for _, room := range r.rooms {
			for _, other := range imported[room] {
				found[other] = true
				if at, known := place[other]; !known || at < i || at == i && !slices.Contains(r.names, other) {
					t.Errorf("%s imports %s, which does not stand below it in the table", room, other)
				}
			}
			if _, there := imported[room]; !there && room != "e2e" && room != "hack" {
				t.Errorf("the table has %s, which is not there", room)
			}
		}
		switch r.may {
		case "all below", "": // any, and tests
		case "the room they call":
			for _, room := range r.rooms {
				if len(imported[room]) != 1 {
					t.Errorf("%s imports %v, want the room that it calls", room, imported[room])
				}
			}
		case "none":
			if len(found) > 0 {
				t.Errorf("%v imports %v, want none", r.rooms, found)
			}
		default:
			if diff := cmp.Diff(slices.Sorted(slices.Values(r.names)), slices.Sorted(maps.Keys(found))); diff != "" {
				t.Errorf("what %v imports is not what the table says: %s", r.rooms, diff)
			}
		}
	}
}

func TestFilesAndTypesCanBeReadAtATime(t *testing.T) {
	for room, parsed := range sources(t, parser.SkipObjectResolution) {
		methods := map[string]int{}
		for name, file := range parsed {
			if n := files.File(file.FileStart).LineCount(); n > maxLines {
				t.Errorf("%s has %d lines, want no more than %d", name, n, maxLines)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
					methods[file.Name.Name+"."+receiver(f.Recv.List[0].Type)]++
				}
			}
		}
		for name, n := range methods {
			if n > maxMethods {
				t.Errorf("%s of %s has %d methods, want no more than %d", name, room, n, maxMethods)
			}
		}
	}
}

// receiver is the name of the type that a method is of.
func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.IndexExpr:
		return receiver(of.X)
	case *ast.IndexListExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}
