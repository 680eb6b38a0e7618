package e2e

import (
	"strings"
	"testing"
)

// calling is a module whose test calls a program of a layer that an earlier module exposes.
func calling(t *testing.T, script, test string) string {
	t.Helper()
	return modularApp(t, uses("modules/engine", "modules/app"), map[string]string{
		"engine": module("acme/engine", provides("tool", "mkdir $LAYER/bin\necho 'echo tool 7' > $LAYER/bin/tool\nchmod +x $LAYER/bin/tool")),
		"app": module("acme/app", requires("tool", "expose = true")+`
[[layers]]
name = "words"
export = true
[layers.build.test]
`+test+`
inline = """
`+script+`
"""
[layers.build.run]
inline = "tool; cp $MD/version $LAYER/version"
`),
	})
}

const fullEnvHint = "without full-env = true a test has nothing of the layers that run sees: acme/engine/tool"

func TestATestThatDoesNotFindAProgramOfAnExposedLayerIsToldOfFullEnv(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"at its end":      "tool > $MD/version",
		"on its way":      "version=$(tool)\necho $version > $MD/version",
		"through another": "sh -c 'tool; exit $?' > $MD/version",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := calling(t, script, "")
			contains(t, request{dir: dir}.fail(t), "[acme/app/words] test failed with exit code 127 ("+fullEnvHint+")")
		})
	}
}

func TestATestThatGoesOnWithoutAProgramOfAnExposedLayerIsAWarning(t *testing.T) {
	t.Parallel()
	const script = `echo "a-$(tool)" > $MD/version`
	dir := calling(t, script, "")
	r := request{dir: dir, target: "words"}
	for range 2 { // the second time the step is found in the cache
		b := r.build(t)
		contains(t, b.log, "packfile.toml:", "the test of layer acme/app/words did not find tool: "+fullEnvHint)
		if got := b.read(t, "version"); got != "a-" {
			t.Errorf("the version is %q", got)
		}
	}
	dir = calling(t, script, "full-env = true")
	b := request{dir: dir, target: "words"}.build(t)
	if got := b.read(t, "version"); got != "a-tool 7" || strings.Contains(b.log, "did not find") {
		t.Errorf("with full-env the version is %q\n%s", got, b.log)
	}
}

func TestATestOfALinkedLayersProgramIsToldOfFullEnvAndOthersAreNot(t *testing.T) {
	t.Parallel()
	text := func(test, link string) string {
		return sh + builds("tool", "", "mkdir $LAYER/bin\necho 'echo tool 7' > $LAYER/bin/tool\nchmod +x $LAYER/bin/tool") +
			builds("words", "export = true", "true") + "[layers.build.test]\ninline = \"" + test + "\"\n" + link
	}
	const link = "[[layers.build.links]]\nname = \"tool\"\n"
	dir := files(t, map[string]string{"packfile.toml": text("tool", link)})
	contains(t, request{dir: dir}.fail(t), "[words] test failed with exit code 127 (without full-env = true a test has nothing of the layers that run sees: tool)")
	for _, text := range []string{text("tool", ""), text("exit 126", link)} {
		if log := (request{dir: files(t, map[string]string{"packfile.toml": text})}).fail(t); strings.Contains(log, "full-env") {
			t.Errorf("there is a hint that does not help\n%s", log)
		}
	}
}
