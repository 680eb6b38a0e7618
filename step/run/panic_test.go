package run

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// said is what a function writes to standard error.
func said(t *testing.T, f func()) string {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	own := os.Stderr
	os.Stderr = in
	f()
	os.Stderr = own
	in.Close()
	data, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAPanicAsksForAReport(t *testing.T) {
	code := 0
	text := said(t, func() { code = Main(nil, nil) }) // a program has a name
	if code != 1 || !strings.HasPrefix(text, "packfile-step: internal error: ") || !strings.Contains(text, "(please report it)\n") ||
		!strings.Contains(text, "run.Main") {
		t.Errorf("code %d:\n%s", code, text)
	}
}

// panicky is a writer that panics at first.
type panicky struct{ strings.Builder }

func (p *panicky) Write(data []byte) (int, error) {
	if p.Len() == 0 {
		p.WriteString("-")
		panic("no")
	}
	return p.Builder.Write(data)
}

func TestAScriptIsReadOnWhenWhatItSaysMakesUsPanic(t *testing.T) {
	var w panicky
	text := said(t, func() {
		l, err := listen(&w)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(l.in, strings.Repeat("x", 1<<20)) // more than a pipe holds
		l.end()
	})
	if !strings.Contains(text, "internal error: no (please report it)") || w.Len() < 1<<19 {
		t.Errorf("%d bytes are read, and said is %q", w.Len(), text)
	}
}

// A panic in any of them would end the program without a word of ours.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			started, ok := n.(*ast.GoStmt)
			if !ok {
				return true
			}
			found++
			guarded := false
			ast.Inspect(started, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if ok {
					name, ok := call.Fun.(*ast.Ident)
					guarded = guarded || ok && name.Name == "caught"
				}
				return true
			})
			if !guarded {
				t.Errorf("%s starts a goroutine that is not guarded", file)
			}
			return true
		})
	}
	if found == 0 {
		t.Error("there is none")
	}
}
