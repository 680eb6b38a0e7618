package frontend

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/guard"
)

func TestAPanicInAnyGoroutineAsksForAReport(t *testing.T) {
	fail := func() error { panic("boom\x1b[2J") }
	ctx := t.Context()
	_, built := platformBuild(func(context.Context, *ocispecs.Platform, int) (*dockerui.BuildResult, error) { return nil, fail() })(ctx, nil, 0)
	g, groupCtx := guard.NewGroup(ctx)
	g.Go(fail)
	g.Go(func() error {
		<-groupCtx.Done() // the others of a group are told
		return nil
	})
	started := make(chan error)
	guard.Start(ctx, fail, func(err error) { started <- err })
	_, whole := Build(ctx, nil) // no gateway at all
	for what, err := range map[string]error{
		"platform": built, "group": g.Wait(), "goroutine": <-started, "build": whole,
	} {
		if err == nil || !strings.Contains(err.Error(), "internal error: ") || !strings.Contains(err.Error(), "please report it") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := visible(nil, built); strings.Contains(err.Error(), "\x1b") || !errors.Is(err, built) {
		t.Errorf("%q", err)
	}
}

// goFile is a Go file of ours.
type goFile struct {
	name    string
	set     *token.FileSet
	file    *ast.File
	imports map[string]string // paths by the names that they have in the file
}

// sources returns the files of some rooms, without tests.
func sources(t *testing.T, rooms ...string) (all []goFile) {
	t.Helper()
	for _, room := range rooms {
		names, err := filepath.Glob(filepath.Join("..", room, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s has no files: %v", room, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := goFile{name: name, set: token.NewFileSet(), imports: map[string]string{}}
			if s.file, err = parser.ParseFile(s.set, name, data, 0); err != nil {
				t.Fatal(err)
			}
			for _, spec := range s.file.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				as := path[strings.LastIndexByte(path, '/')+1:]
				if spec.Name != nil {
					as = spec.Name.Name
				}
				s.imports[as] = path
			}
			all = append(all, s)
		}
	}
	return all
}

// at returns where a node stands.
func (s goFile) at(n ast.Node) token.Position { return s.set.Position(n.Pos()) }

// called returns the name of the function that an expression calls, "" when it calls none.
func called(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return ""
	}
	name, ok := call.Fun.(*ast.Ident)
	if !ok {
		return ""
	}
	return name.Name
}

func TestGoroutinesAreStartedWhereTheirPanicsAreCaught(t *testing.T) {
	// Functions of libraries that call their arguments in goroutines of their own, and what these arguments must go through.
	guards := map[string]string{"Build": "platformBuild"}
	guarded := 0
	for _, s := range sources(t, "frontend", "image", "graph", "previous", "group", "container", "fact", "guard", "llb", "layerkey", "module", "source", "source/live", "tree") {
		if filepath.Base(s.name) == "guard.go" {
			continue
		}
		for _, path := range s.imports {
			if strings.HasPrefix(path, "golang.org/x/sync/errgroup") {
				t.Errorf("%s has groups of its own", s.name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine whose panic ends the frontend: use guard.Start", s.at(n))
			case *ast.CallExpr:
				fun, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					break
				}
				if fun.Sel.Name == "Go" && len(n.Args) == 1 && called(n.Args[0]) == "" {
					if receiver, ok := fun.X.(*ast.Ident); !ok || !strings.HasPrefix(receiver.Name, "eg") {
						t.Errorf("%s: a group that is none of guard.NewGroup", s.at(n))
					}
				}
				guard := guards[fun.Sel.Name]
				if guard == "" || len(n.Args) != 2 || s.imports[receiverName(fun)] != "" {
					break
				}
				guarded++
				if called(n.Args[1]) != guard {
					t.Errorf("%s: a function whose panic ends the frontend: use %s", s.at(n), guard)
				}
			}
			return true
		})
	}
	if guarded != len(guards) {
		t.Errorf("%d calls have been looked at, and there should be %d: does the test know all of them?", guarded, len(guards))
	}
}

// receiverName returns the name that a method is called on, "" when it is no name.
func receiverName(fun *ast.SelectorExpr) string {
	if name, ok := fun.X.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func TestNothingIsMarshalledAroundTheLock(t *testing.T) {
	marshals := 0
	for _, s := range sources(t, "frontend", "image", "graph", "previous", "group", "container", "fact", "llb", "module", "source", "source/live", "tree") {
		if strings.HasSuffix(s.name, filepath.Join("llb", "marshal.go")) {
			continue
		}
		var alone []ast.Node // methods without arguments, as those of messages: not those of states
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 0 {
				alone = append(alone, call.Fun)
			}
			fun, ok := n.(*ast.SelectorExpr)
			if !ok || fun.Sel.Name != "Marshal" {
				return true
			}
			if path := s.imports[receiverName(fun)]; path != "" {
				if strings.HasSuffix(path, "/frontend/llb") {
					marshals++
				}
				return true
			}
			if composite, ok := fun.X.(*ast.CompositeLit); ok { // proto.MarshalOptions{…}.Marshal
				if of, ok := composite.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "MarshalOptions" {
					return true
				}
			}
			if !slices.Contains(alone, ast.Node(fun)) {
				t.Errorf("%s: marshalled without the lock: use llb.Marshal", s.at(fun))
			}
			return true
		})
	}
	if marshals == 0 {
		t.Error("the test found none")
	}
}
