package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

func TestMetadataThatCannotBeTaken(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"a symlink", `mkdir $MD/a; ln -s /etc/passwd $MD/a/link`, "$MD/a/link is a symlink; metadata is made of files and folders"},
		{"a symlink to a folder", `ln -s . $MD/link`, "$MD/link is a symlink"},
		{"a fifo", `mkfifo $MD/fifo`, "$MD/fifo is a fifo"},
		{"a value that is not text", `printf '\377' > $MD/bytes`, "$MD/bytes: the value is not valid UTF-8"},
		{"a name that is not text", `printf x > "$MD/$(printf 'a\377')"`, `the name is not valid UTF-8`},
		{"too many bytes", `head -c 262145 /dev/zero | tr '\0' x > $MD/big`, "$MD has more than 262144 bytes"},
		{"too many bytes in several files", `for i in 1 2 3; do head -c 100000 /dev/zero | tr '\0' x > $MD/$i; done`, "$MD has more than 262144 bytes"},
		{"a sparse file", `truncate -s 10T $MD/sparse`, "$MD has more than 262144 bytes"},
		{"too deep", `cd $MD; for i in $(seq 40); do mkdir d; cd d; done`, "folders are nested more than 32 deep"},
		{"a link in place of the folder", `rm -r $MD; ln -s / $MD`, "$MD is not a folder any more"},
		{"no folder", `rm -r $MD`, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			newBox(t, step.KindRun).script(test.script).fail(1, test.want)
		})
	}
	t.Run("too many entries", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(`cd $MD; mkdir a b; seq 6000 | (cd a; xargs touch); seq 6000 | (cd b; xargs touch)`)
		b.fail(1, "$MD has more than 10000 entries")
	})
	t.Run("a socket", func(t *testing.T) {
		dir := t.TempDir()
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Join(dir, "socket")}); err != nil {
			t.Fatal(err)
		}
		if _, err := readMetadata(dir); err == nil || !strings.Contains(err.Error(), "$MD/socket is a socket") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the most that may be is taken", func(t *testing.T) {
		newBox(t, step.KindRun).script(`
			head -c 262000 /dev/zero | tr '\0' x > $MD/big
			cd $MD; for i in $(seq 32); do mkdir d; cd d; done`).succeed()
	})
}

func TestStaticMetadataThatCannotBeWritten(t *testing.T) {
	for _, test := range []struct {
		name     string
		metadata metadata.Table
		want     string
	}{
		{"a name with a slash", metadata.Table{"a/b": "x"}, `"a/b" cannot be the name of a file`},
		{"a name that leads up", metadata.Table{"..": metadata.Table{"x": "y"}}, `".." cannot be the name of a file`},
		{"no name", metadata.Table{"": "x"}, `"" cannot be the name of a file`},
		{"a number", metadata.Table{"a": metadata.Table{"n": 1.5}}, "a.n is neither a string nor a table"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindTest)
			b.spec.Metadata = test.metadata
			b.fail(1, test.want)
		})
	}
}

func TestMetadataStaysTheSameThroughWritingAndReading(t *testing.T) {
	want := metadata.Table{
		"plain": "x", "empty": "", "newline": "\n", "lines": "a\nb\n", "unicode": "ä\u2028",
		"table": metadata.Table{"none": metadata.Table{}, "name with space": "x"},
	}
	dir := t.TempDir()
	if err := writeMetadata(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := readMetadata(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	plain, err := os.ReadFile(filepath.Join(dir, "plain"))
	if err != nil || string(plain) != "x" {
		t.Errorf("the file holds %q, %v", plain, err)
	}
}

// FuzzReadMetadata reads folders made by a list of operations, a line each: "d PATH", "l PATH" (symlink to its
// folder), "f PATH CONTENT". What can be read can be told in JSON, and is the same when written and read again.
func FuzzReadMetadata(f *testing.F) {
	f.Add("f version 1.2\nd deps\nd deps/ruby@3\nf deps/ruby@3/uri https://example.com")
	f.Add("f .private x\nd .git\nf empty \nf a \xff")
	f.Add("l link\nf \xff x")
	f.Add("d a\nd a/b\nl a/b/c")
	f.Add("f a \x00\r")
	f.Fuzz(func(t *testing.T, operations string) {
		dir := t.TempDir()
		for line := range strings.SplitSeq(operations, "\n") {
			kind, rest, _ := strings.Cut(line, " ")
			name, content, _ := strings.Cut(rest, " ")
			path := filepath.Join(dir, filepath.FromSlash(name))
			if !filepath.IsLocal(name) || name == "." {
				continue
			}
			switch kind {
			case "d":
				os.Mkdir(path, 0o755)
			case "l":
				os.Symlink(".", path)
			case "f":
				os.WriteFile(path, []byte(content), 0o644)
			}
		}
		got, err := readMetadata(dir)
		if err != nil {
			return
		}
		data, err := json.Marshal(step.Result{Metadata: got})
		if err != nil {
			t.Fatal(err)
		}
		var back step.Result
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 && !cmp.Equal(got, back.Metadata) {
			t.Errorf("through JSON: %s", cmp.Diff(got, back.Metadata))
		}
		again := t.TempDir()
		if err := writeMetadata(again, got); err != nil {
			t.Fatal(err)
		}
		reread, err := readMetadata(again)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got, reread) {
			t.Errorf("through files: %s", cmp.Diff(got, reread))
		}
	})
}
