package e2e

import (
	"strings"
	"testing"
)

// changedIdentity is what a build says when its app seems to be one that the builder knows by another identity.
const changedIdentity = "a packfile that means something else, with some of the same layers or caches, was built here before"

// Without a repository and without PACKFILE_APP an app is known by what its packfile means.
func TestAnAppWithoutANameIsKnownByWhatItsPackfileMeans(t *testing.T) {
	t.Parallel()
	version, id := t.TempDir(), moduleID(t)
	script := stamp + `date +%s%N >> $C/runs; cp $C/runs $LAYER; cat a.txt > $LAYER/app`
	toml := `[config]
id = "` + id + `"
shell = "/bin/sh -eu"

[[caches]]
name = "c"

[[layers]]
name = "a"
version = "` + version + `"
[layers.build.run]
inline = """
` + script + `
"""
[[layers.build.links]]
name = "c"
path-as = "C"
`
	yaml := `
layers:
- build:
    links: [{pathAs: C, name: c}]
    run:
      inline: |
        ` + strings.TrimSuffix(strings.ReplaceAll(script, "\n", "\n        "), " ") + `
  version: ` + version + `
  name: a
caches: [{name: c}]
config: {shell: /bin/sh -eu, id: ` + id + `}
`
	build := func(t *testing.T, contents map[string]string, opts map[string]string) (stamp string, runs int, log string) {
		t.Helper()
		contents["a.txt"] = t.TempDir() // its content differs in every build
		b := request{dir: files(t, contents), target: "a", opts: opts}.build(t)
		return b.read(t, "stamp"), strings.Count(b.read(t, "runs"), "\n"), b.log
	}
	first, runs, log := build(t, map[string]string{"packfile.toml": toml}, nil)
	if equal(t, "runs that a new cache has seen", runs, 1); strings.Contains(log, changedIdentity) {
		t.Errorf("a new app is said to be another\n%s", log)
	}
	for name, contents := range map[string]map[string]string{
		"a comment":          {"packfile.toml": "# A comment\n" + strings.ReplaceAll(toml, "\n[", "\n# another\n[")},
		"another layout":     {"packfile.toml": strings.ReplaceAll(strings.ReplaceAll(toml, " = ", "="), "\n\n", "\n\n\n")},
		"another order":      {"packfile.toml": strings.Replace(toml, "id = \""+id+"\"\nshell = \"/bin/sh -eu\"", "shell = '/bin/sh -eu'\nid = '"+id+"'", 1)},
		"Windows line ends":  {"packfile.toml": strings.ReplaceAll(toml, "\n", "\r\n")},
		"a byte order mark":  {"bom.toml": "\ufeff" + toml},
		"YAML":               {"packfile.yaml": yaml},
		"a script in a file": {"packfile.toml": strings.Replace(toml, "inline = \"\"\"\n"+script+"\n\"\"\"", `path = "run.sh"`, 1), "run.sh": script + "\n"},
	} {
		opts := map[string]string{}
		for file := range contents {
			if file != "run.sh" {
				opts["filename"] = file
			}
		}
		again, _, log := build(t, contents, opts)
		if again != first {
			t.Errorf("with %s the app is another\n%s", name, log)
		}
		if strings.Contains(log, changedIdentity) {
			t.Errorf("with %s the app is said to be another\n%s", name, log)
		}
	}
	for name, changed := range map[string]string{
		"another description": strings.Replace(toml, "id = ", "description = \"x\"\nid = ", 1),
		"another script":      strings.Replace(toml, "date", "true; date", 1),
		"another layer":       toml + "\n[[layers]]\nname = \"b\"\n[layers.build]\n",
	} {
		t.Run(name, func(t *testing.T) {
			opts := map[string]string{"build-arg:PACKFILE_APP": t.TempDir()}
			if _, _, log := build(t, map[string]string{"packfile.toml": changed}, opts); strings.Contains(log, changedIdentity) {
				t.Errorf("an app with a name is said to be another\n%s", log)
			}
			again, runs, log := build(t, map[string]string{"packfile.toml": changed}, nil)
			if again == first {
				t.Error("it is the same app")
			}
			equal(t, "runs that the cache has seen", runs, 1)
			contains(t, log, changedIdentity, "--build-arg PACKFILE_APP=NAME")
			if _, _, log := build(t, map[string]string{"packfile.toml": changed}, nil); strings.Contains(log, changedIdentity) {
				t.Errorf("it is said again\n%s", log)
			}
		})
	}
}
