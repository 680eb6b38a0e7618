package env_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/cnb/env"
)

// write makes an env folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEnvFiles(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []string
		dirs   []map[string]string
		old    bool // Buildpack API before 0.5
		want   []string
	}{
		{
			name:   "override replaces what was there",
			before: []string{"A=1"},
			dirs:   []map[string]string{{"A.override": "2"}},
			want:   []string{"A=2"},
		},
		{
			name:   "the later of two overrides counts",
			before: nil,
			dirs:   []map[string]string{{"A.override": "1"}, {"A.override": "2"}},
			want:   []string{"A=2"},
		},
		{
			name:   "the first of two defaults counts",
			before: nil,
			dirs:   []map[string]string{{"A.default": "1"}, {"A.default": "2"}},
			want:   []string{"A=1"},
		},
		{
			name:   "default fills a variable that is empty and leaves one that is not",
			before: []string{"EMPTY=", "FULL=x"},
			dirs:   []map[string]string{{"EMPTY.default": "1", "FULL.default": "1"}},
			want:   []string{"EMPTY=1", "FULL=x"},
		},
		{
			name:   "append puts earlier text first and prepend later text first",
			before: []string{"A=0", "P=0"},
			dirs: []map[string]string{
				{"A.append": "1", "A.delim": ",", "P.prepend": "1", "P.delim": ","},
				{"A.append": "2", "A.delim": ",", "P.prepend": "2", "P.delim": ","},
			},
			want: []string{"A=0,1,2", "P=2,1,0"},
		},
		{
			name:   "no delimiter is assumed, not even for PATH",
			before: []string{"PATH=/bin"},
			dirs:   []map[string]string{{"PATH.prepend": "/x"}},
			want:   []string{"PATH=/x/bin"},
		},
		{
			name: "the delimiter is left out where there is nothing to separate",
			dirs: []map[string]string{{"A.append": "1", "A.delim": ":", "B.prepend": "1", "B.delim": ":"}},
			want: []string{"A=1", "B=1"},
		},
		{
			name:   "a delimiter counts for its own folder only",
			before: []string{"A=0"},
			dirs:   []map[string]string{{"A.delim": ":"}, {"A.append": "1"}},
			want:   []string{"A=01"},
		},
		{
			name:   "a file without suffix overrides",
			before: []string{"A=1"},
			dirs:   []map[string]string{{"A": "2"}},
			want:   []string{"A=2"},
		},
		{
			name:   "before Buildpack API 0.5 a file without suffix goes before the value",
			before: []string{"A=1", "B=1"},
			dirs:   []map[string]string{{"A": "2", "B": "2", "B.delim": "-"}},
			old:    true,
			want:   []string{"A=2:1", "B=2-1"},
		},
		{
			name:   "a file whose name ends in a period goes before the value, in any Buildpack API",
			before: []string{"A=1", "B=1"},
			dirs:   []map[string]string{{"A.": "2", "B.": "2", "B.delim": "-", "C.": "3"}},
			want:   []string{"A=2:1", "B=2-1", "C=3"},
		},
		{
			name: "contents count verbatim",
			dirs: []map[string]string{{"A.override": " $HOME `x` \n\n"}},
			want: []string{"A= $HOME `x` \n\n"},
		},
		{
			name: "unknown suffixes, suffixes behind a second period and nameless files do nothing",
			dirs: []map[string]string{{"A.bak": "1", "A.override.x": "1", ".override": "1", "B=C": "1"}},
			old:  true,
			want: []string{},
		},
		{
			name: "several changes of one variable in one folder apply in the order of their file names",
			dirs: []map[string]string{{"A.prepend": "p", "A.override": "o", "A.default": "d", "A.append": "a"}},
			want: []string{"A=po"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			bare := env.Override
			if test.old {
				bare = env.PrependPath
			}
			e := env.New(test.before)
			for _, files := range test.dirs {
				if err := e.AddDir(write(t, files), bare); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(test.want, e.List()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnEnvFolderThatDoesNotExistChangesNothing(t *testing.T) {
	e := env.New([]string{"A=1"})
	if err := e.AddDir(filepath.Join(t.TempDir(), "none"), env.Override); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A=1"}, e.List()); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyFilesAndLinksToFilesInAnEnvFolderCount(t *testing.T) {
	dir := write(t, map[string]string{"A.override": "1"})
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "web"), 0o755),
		os.Symlink("web", filepath.Join(dir, "B")),
		os.Symlink("A.override", filepath.Join(dir, "C")),
		syscall.Mkfifo(filepath.Join(dir, "D"), 0o644), // reading it would never end
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e := env.New(nil)
	if err := e.AddDir(dir, env.Override); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A=1", "C=1"}, e.List()); diff != "" {
		t.Error(diff)
	}
}

func TestAFileWithANulByteIsAnErrorThatNamesIt(t *testing.T) {
	err := env.New(nil).AddDir(write(t, map[string]string{"A": "x\x00y"}), env.Override)
	if err == nil || !strings.Contains(err.Error(), "/A: ") {
		t.Errorf("got error %v", err)
	}
}

func TestFilesThatAreAddedApplyLikeFilesThatAreRead(t *testing.T) {
	files := env.Files{}
	files.Add("A", env.Append, "1", ":")
	files.Add("A", env.Override, "2", "")
	want := env.Files{"A.append": "1", "A.delim": ":", "A.override": "2"}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	read, err := env.ReadFiles(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, read); diff != "" {
		t.Error(diff)
	}
}

func TestFoldersOfALayerGoToTheFrontOfPaths(t *testing.T) {
	layer := t.TempDir()
	for _, name := range []string{"bin", "lib", "include", "pkgconfig"} {
		if err := os.Mkdir(filepath.Join(layer, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	empty := write(t, map[string]string{"bin": "a file", "lib": "a file"})
	for _, test := range []struct {
		name    string
		layer   string
		folders []env.Folder
		want    []string
	}{
		{"at launch bin and lib count", layer, env.LaunchFolders,
			[]string{"LD_LIBRARY_PATH=" + layer + "/lib", "PATH=" + layer + "/bin:/bin"}},
		{"while building lib counts for linking too, and headers and pkg-config files count", layer, env.BuildFolders,
			[]string{"CPATH=" + layer + "/include", "LD_LIBRARY_PATH=" + layer + "/lib", "LIBRARY_PATH=" + layer + "/lib",
				"PATH=" + layer + "/bin:/bin", "PKG_CONFIG_PATH=" + layer + "/pkgconfig"}},
		{"folders that do not exist do not count, nor do files", empty, env.BuildFolders, []string{"PATH=/bin"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := env.New([]string{"PATH=/bin"})
			e.AddFolders(test.layer, test.folders)
			if diff := cmp.Diff(test.want, e.List()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlatformVariablesGoBeforePathsAndReplaceTheRest(t *testing.T) {
	e := env.New([]string{"PATH=/bin", "A=1", "CPATH="})
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "PKG_CONFIG_PATH", "A", "B.override"} {
		e.AddPlatform(name, "x")
	}
	want := []string{"A=x", "B.override=x", "CPATH=x", "LD_LIBRARY_PATH=x", "LIBRARY_PATH=x", "PATH=x:/bin", "PKG_CONFIG_PATH=x"}
	if diff := cmp.Diff(want, e.List()); diff != "" {
		t.Error(diff)
	}
}

func TestLookPath(t *testing.T) {
	root := t.TempDir()
	for path, mode := range map[string]fs.FileMode{"a/plain": 0o644, "a/both": 0o644, "b/both": 0o755, "b/tool": 0o755} {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, mode)); err != nil {
			t.Fatal(err)
		}
	}
	e := env.New([]string{"PATH=a:" + root + "/b"})
	for _, test := range []struct {
		name, file, want string
		err              error
	}{
		{"a name is looked for in all folders of PATH", "tool", root + "/b/tool", nil},
		{"a file that cannot be executed is passed over", "both", root + "/b/both", nil},
		{"a file that cannot be executed is another error than none", "plain", "", fs.ErrPermission},
		{"a name that is nowhere is an error", "none", "", fs.ErrNotExist},
		{"a name with a slash starts at the folder", "./b/tool", root + "/b/tool", nil},
		{"an absolute path is taken as it is", root + "/b/tool", root + "/b/tool", nil},
		{"a folder is no program", "./b", root + "/b", fs.ErrPermission},
		{"no name is no program", "", "", fs.ErrNotExist},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := e.LookPath(test.file, root)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

// FuzzAddDir reads folders of up to two files with any names and contents.
func FuzzAddDir(f *testing.F) {
	f.Add("A.prepend", "/x", "A.delim", ":", false)
	f.Add("PATH", "/x\n", "PATH.append", "/y", true)
	f.Add("A.default", "", ".override", "x", false)
	f.Add("A=B", "x", "A.", "y", true)
	f.Add("\xff.append", "\xfe", "A.override.bak", "\x00", false)
	f.Fuzz(func(t *testing.T, name1, content1, name2, content2 string, old bool) {
		dir := t.TempDir()
		for name, content := range map[string]string{name1: content1, name2: content2} {
			if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/\x00") {
				t.Skip("no file has this name")
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Skip(err)
			}
		}
		bare := env.Override
		if old {
			bare = env.PrependPath
		}
		e := env.New([]string{"PATH=/bin"})
		err := e.AddDir(dir, bare)
		if nul := strings.Contains(content1+content2, "\x00"); nul && name1 != name2 && err == nil {
			t.Error("a NUL byte was taken")
		}
		if err != nil {
			return
		}
		list := e.List()
		if diff := cmp.Diff(list, env.New(list).List()); diff != "" {
			t.Errorf("the list is not an environment: %s", diff)
		}
	})
}
