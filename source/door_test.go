package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	ours      = "github.com/packfile/frontend/"
	clientLLB = "github.com/moby/buildkit/client/llb."
	dockerui  = "github.com/moby/buildkit/frontend/dockerui."
	messages  = "github.com/moby/buildkit/solver/pb."
)

// makers are the functions that make a source of LLB.
var makers = []string{
	clientLLB + "Image", clientLLB + "ImageBlob", clientLLB + "HTTP", clientLLB + "Git", clientLLB + "Local", clientLLB + "OCILayout", clientLLB + "OCILayoutBlob", clientLLB + "NewSource",
	dockerui + "DetectGitContext", dockerui + "DetectHTTPContext", dockerui + "DefaultMainContext",
	"github.com/moby/buildkit/frontend/attestations/sbom.CreateSBOMScanner",
}

// lookUps are the methods that look a source up, of whatever type: the gateway's client is wrapped.
var lookUps = []string{
	"MainContext", "NamedContext", "ReadEntrypoint", "ResolveMainContextSourceDateEpoch", "ResolveImageConfig", "ResolveSourceMetadata", "Inputs",
}

// made are the types of messages that are sources.
var made = []string{messages + "SourceOp", messages + "Op_Source"}

// goPackage is a package as go list describes it.
type goPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// packages returns the packages that our programs are built from.
func packages(t *testing.T) (all []goPackage, find types.Importer, set *token.FileSet) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./cmd/...")
	list.Dir, list.Stderr = "..", os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		all = append(all, p)
	}
	set = token.NewFileSet()
	return all, importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }), set
}

// uses returns each place in a package that makes or looks up a source, with the function or type that it uses.
func uses(set *token.FileSet, find types.Importer, path string, files []*ast.File) (found []string, err error) {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: find}
	if _, err := config.Check(path, set, files, info); err != nil {
		return nil, err
	}
	add := func(n ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", set.Position(n.Pos()), what))
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			passing := "" // a method that wraps a look-up is no look-up
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				passing = f.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					f, ok := info.Uses[n].(*types.Func)
					switch {
					case !ok:
					case f.Signature().Recv() == nil && slices.Contains(makers, f.FullName()):
						add(n, f.FullName())
					case f.Signature().Recv() != nil && f.Name() != passing && slices.Contains(lookUps, f.Name()):
						add(n, f.FullName())
					}
				case *ast.CompositeLit:
					if name := info.Types[n].Type.String(); slices.Contains(made, name) {
						add(n, name)
					}
				case *ast.CallExpr:
					if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "new" && slices.Contains(made, info.Types[n.Args[0]].Type.String()) {
						add(n, "new")
					}
				}
				return true
			})
		}
	}
	return found, nil
}

// A source that comes around the door could not be locked, put into a kit, or denied.
func TestNothingComesAroundTheDoor(t *testing.T) {
	all, find, set := packages(t)
	through := 0
	for _, p := range all {
		if !strings.HasPrefix(p.ImportPath, ours) {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		found, err := uses(set, find, p.ImportPath, files)
		if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == ours+"source/live" {
			through += len(found)
			continue
		}
		for _, use := range found {
			t.Errorf("%s: sources come from source.Resolver", use)
		}
	}
	if through < 10 {
		t.Errorf("the test knows %d sources, and there are more", through)
	}
}

func TestWhatMakesASourceIsSeenWhateverItIsCalled(t *testing.T) {
	_, find, set := packages(t)
	const imports = `package x
import (
	"context"
	some "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)
var _ context.Context; var _ some.State; var _ dockerui.Client; var _ gw.Client; var _ pb.Op
`
	for text, want := range map[string]int{
		`var _ = some.Image("x")`: 1,
		`var local = some.Local`:  1,
		`func f(c *dockerui.Client) { _, _ = c.MainContext(context.TODO()) }`: 1,
		`func f(c gw.Client) { _, _ = c.Inputs(context.TODO()) }`:             1,
		`func f(c *dockerui.Client) any { return c.NamedContext }`:            1,
		`var _ = pb.SourceOp{}`:                                                    1,
		`var _ = new(pb.SourceOp)`:                                                 1,
		`var _ = &pb.Op{Op: &pb.Op_Source{Source: &pb.SourceOp{}}}`:                2,
		`var _ = some.Scratch()`:                                                   0,
		`func Image(string) int { return 0 }; var _ = Image("x")`:                  0,
		`func f(op *pb.Op) *pb.SourceOp { return op.GetSource() }`:                 0,
		"type c struct{ gw.Client }; func (c c) Inputs() { c.Client.Inputs(nil) }": 0,
	} {
		file, err := parser.ParseFile(set, "x.go", imports+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		found, err := uses(set, find, "x", []*ast.File{file})
		if err != nil || len(found) != want {
			t.Errorf("%s: %v, %v", text, found, err)
		}
	}
}
