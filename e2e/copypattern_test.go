package e2e

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/pattern/patterntest"
)

// What BuildKit copies by patterns is what package pattern says: digests, steps and images are made of such copies, and the frontend
// and packfile-step go by the package.

func TestBuildKitCopiesWhatPatternsSelect(t *testing.T) {
	t.Parallel()
	const lists = 120
	onEachBuildKit(t, func(t *testing.T, host string) {
		files := llb.Mkdir("/app", 0o755)
		for _, file := range patterntest.Files() {
			at := "/app/" + file
			files = files.Mkdir(path.Dir(at), 0o755, llb.WithParents(true)).Mkfile(at, 0o644, nil)
		}
		src := llb.Scratch().File(files)
		var copies *llb.FileAction
		for seed := range lists {
			list := pattern.ForCopy(patterntest.List(uint64(seed)))
			for name, info := range map[string]*llb.CopyInfo{
				"included/": {IncludePatterns: list}, "excluded/": {ExcludePatterns: list},
			} {
				info.CopyDirContentsOnly, info.CreateDestPath = true, true
				copies = copies.Copy(src, "/app", "/"+name+strconv.Itoa(seed), info)
			}
		}
		out := t.TempDir()
		solveTo(t, host, llb.Scratch().File(copies), out)
		partly := 0
		for seed := range lists {
			list := patterntest.List(uint64(seed))
			m, err := pattern.New(list)
			if err != nil {
				t.Fatalf("%q: %v", list, err)
			}
			want := map[bool][]string{true: {}, false: {}}
			for _, file := range patterntest.Files() {
				ok, err := m.Selects(file)
				if err != nil {
					t.Fatalf("%q: %v", list, err)
				}
				want[ok] = append(want[ok], file)
			}
			if len(want[true]) > 0 && len(want[false]) > 0 && pattern.Excludes(list) {
				partly++
			}
			for name, files := range map[string][]string{"included": want[true], "excluded": want[false]} {
				slices.Sort(files)
				equal(t, name+" by "+strconv.Quote(list[0])+" "+strconv.Itoa(seed), filesBelow(t, filepath.Join(out, name, strconv.Itoa(seed))), files)
			}
		}
		if partly < lists/5 {
			t.Errorf("only %d lists have exclusions and select a part", partly)
		}
	})
}

// filesBelow are the files in a folder, none when it is not there.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	files := []string{}
	_ = filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, at)
			files = append(files, rel)
		}
		return err
	})
	slices.Sort(files)
	return files
}

// solveTo exports a state to a folder.
func solveTo(t *testing.T, host string, st llb.State, dir string) {
	t.Helper()
	c, err := client.New(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Solve(t.Context(), def, client.SolveOpt{Exports: []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: dir}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}
