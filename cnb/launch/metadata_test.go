package launch

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files")

// full has a value in every field.
var full = Metadata{
	DefaultProcessType: "web",
	Buildpacks: []Buildpack{
		{ID: "acme/node", Version: "1.2.3", API: "0.10", Homepage: "https://example.com/node"},
		{ID: "app", Version: "0.0.0", API: "0.8"},
	},
	Labels: []Label{{Key: "com.example.note", Value: "a \"quoted\" line\nand another"}},
	Processes: []Process{
		{Type: "web", Command: Command{"node", "server.js"}, Args: []string{"--port", "80"}, Direct: true, Buildpack: "acme/node", WorkingDir: "/workspace/web"},
		{Type: "shell", Command: Command{`echo "$HOME" && exec node \x`}, Buildpack: "app"},
	},
	Slices: []Slice{{Paths: []string{"public/*", "static/*"}}},
}

func TestMetadataIsWrittenAsInTheGoldenFileAndReadBack(t *testing.T) {
	const golden = "testdata/metadata.toml"
	got, err := full.TOML()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	back, err := ParseMetadata(got)
	if err != nil {
		t.Fatal(err)
	}
	expected := full
	expected.Processes = append([]Process(nil), full.Processes...)
	expected.Processes[1].Args = []string{}
	if diff := cmp.Diff(expected, back); diff != "" {
		t.Error(diff)
	}
}

func TestEqualMetadataGivesEqualBytes(t *testing.T) {
	first, err := full.TOML()
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		again, err := full.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(again)); diff != "" {
			t.Fatal(diff)
		}
	}
	if full.Processes[1].Args != nil {
		t.Error("rendering changed the value")
	}
}

func TestMetadataOfOtherAPIsIsRead(t *testing.T) {
	for _, test := range []struct {
		name, toml string
		want       Metadata
	}{
		{
			name: "before Platform API 0.10 the command is a string",
			toml: "[[processes]]\ntype='web'\ncommand='node server.js'\nargs=['a']\ndirect=false\nbuildpack-id='b'",
			want: Metadata{Processes: []Process{{Type: "web", Command: Command{"node server.js"}, Args: []string{"a"}, Buildpack: "b"}}},
		},
		{
			name: "keys that the launcher does not use are no error",
			toml: "new=1\n[table]\nnew=1\n[[buildpacks]]\nid='b'\nversion='1'\napi='0.12'\noptional=true\nexec-env=['*']\n[[extensions]]\nid='x'\n" +
				"[[processes]]\ntype='web'\ncommand=['a']\ndefault=true\nnew={a=1}\n[[slices]]\npaths=['a']\nnew=1\n[[labels]]\nkey='k'\nnew=1",
			want: Metadata{
				Buildpacks: []Buildpack{{ID: "b", Version: "1", API: "0.12"}},
				Labels:     []Label{{Key: "k"}},
				Processes:  []Process{{Type: "web", Command: Command{"a"}}},
				Slices:     []Slice{{Paths: []string{"a"}}},
			},
		},
		{
			name: "Platform API 0.15 says for which environments a process is",
			toml: "[[processes]]\ntype='web'\ncommand=['a']\nexec-env=['test', '*']",
			want: Metadata{Processes: []Process{{Type: "web", Command: Command{"a"}, ExecEnv: []string{"test", "*"}}}},
		},
		{name: "an empty file is metadata of nothing", toml: "", want: Metadata{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseMetadata([]byte(test.toml))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMetadataThatIsWrongIsAnErrorThatSaysWhy(t *testing.T) {
	for _, test := range []struct{ name, toml, want string }{
		{"a command of another type", "[[processes]]\ntype='web'\ncommand=3", "command: 3 is neither"},
		{"a command with a word of another type", "[[processes]]\ntype='web'\ncommand=['a', 3]", "command: 3 is not a string"},
		{"a process without command", "[[processes]]\ntype='web'", `process type "web" has no command`},
		{"a process with an empty command", "[[processes]]\ntype='web'\ncommand=['']", `process type "web" has no command`},
		{"text that is no TOML", "[[processes", "toml: line 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseMetadata([]byte(test.toml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
	t.Run("a process without command is not written", func(t *testing.T) {
		if _, err := (Metadata{Processes: []Process{{Type: "web"}}}).TOML(); err == nil {
			t.Error("no error")
		}
	})
}

// FuzzParseMetadata checks that whatever can be read can be written and read again.
func FuzzParseMetadata(f *testing.F) {
	golden, err := os.ReadFile("testdata/metadata.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte("[[processes]]\ntype='web'\ncommand='node server.js'\ndirect=false\nbuildpack-id='b'"))
	f.Add([]byte("[[processes]]\ntype=\"\\u0000\"\ncommand=[\"\\n\"]\nargs=[]"))
	f.Add([]byte("buildpack-default-process-type = 1979-05-27T07:32:00Z"))
	f.Add([]byte("processes = [{type='a', command=['b', {c='d'}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMetadata(data)
		if err != nil {
			return
		}
		text, err := m.TOML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseMetadata(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		again, err := back.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(text, again) {
			t.Errorf("written differently after reading:\n%s\n%s", text, again)
		}
	})
}
