package packfile

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

func TestWithoutAPIACommandThatOnlyAShellUnderstandsIsALineForOne(t *testing.T) {
	for _, test := range []struct {
		name, api, process string
		direct             bool
	}{
		{"white space", "", `command = "npm start"`, false},
		{"a line break", "", `command = "npm\nstart"`, false},
		{"a variable", "", `command = "$HOME/run"`, false},
		{"two programs", "", `command = "a&&b"`, false},
		{"quotes", "", `command = "'a'"`, false},
		{"arguments besides", "", `command = "npm run"` + "\n" + `args = ["x"]`, false},
		{"one word", "", `command = "run"`, true},
		{"an array", "", `command = ["a b"]`, true},
		{"an array of several", "", `command = ["npm", "start"]`, true},
		{"one word of an old API", `api = "0.2"`, `command = "run"`, false},
		{"white space with an old API", `api = "0.2"`, `command = "npm start"`, false},
		{"one word of a new API", `api = "0.9"`, `command = "run"`, true},
		{"direct said", "", "direct = true\ncommand = \"run\"", true},
		{"not direct said", "", "direct = false\ncommand = \"run\"", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			pf := mustParse(t, test.api+"\n[[processes]]\ntype = \"web\"\n"+test.process)
			require.Equal(t, test.direct, pf.Processes[0].Direct)
		})
	}
}

func TestACommandThatOnlyAShellUnderstandsIsNotForADirectProcess(t *testing.T) {
	const want = `: command: a direct process runs one program, and "npm start" holds white space ` +
		`(write command = ["npm", "start"], or direct = false to run it through a shell)`
	_, _, err := Parse("packfile.toml", []byte("api = \"0.9\"\n[[processes]]\ntype = \"web\"\ncommand = \"npm start\""))
	require.EqualError(t, err, "packfile.toml:4:11"+want)
	_, _, err = Parse("packfile.toml", []byte("[[processes]]\ntype = \"web\"\ndirect = true\ncommand = \"npm start\""))
	require.EqualError(t, err, "packfile.toml:4:11"+want)
}

func TestAWrongAPIIsOneError(t *testing.T) {
	for filename, text := range map[string]string{
		"packfile.yaml": "api: seven\nprocesses:\n- type: web\n  command: npm start\n- type: b\n  command: [npm, start]\n",
		"packfile.toml": "api = 0.10\n[[processes]]\ntype = \"web\"\ncommand = \"npm start\"\n[[processes]]\ntype = \"b\"\ncommand = [\"npm\", \"start\"]",
	} {
		_, _, err := Parse(filename, []byte(text))
		require.ErrorContains(t, err, ": api: ")
		require.Len(t, err.(*node.Error).Diagnostics, 1)
	}
}
