package packfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAWordOfAugust2019IsAnErrorThatNamesTodaysWordAtItsLine(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"layer and what is in it": {"packfile.toml", `
[[layer]]
name = "a"
use = true

[layer.detect]
inline = "x"
`, `packfile.toml:2:3: unknown key "layer" in a packfile (it is called "layers" today)
packfile.toml:4:1: unknown key "use" in a layer (it is called "export" today)
packfile.toml:6:8: unknown key "detect" in a layer (it is called "require" today)`},
		"detect beside require": {"packfile.toml", `
[[layers]]
name = "a"
launch = true
[layers.detect]
[layers.require]
`, `packfile.toml:4:1: unknown key "launch" in a layer (it is called "export" today)
packfile.toml:5:9: unknown key "detect" in a layer (it is called "require" today)`},
		"one layer": {"packfile.toml", `
[layer]
name = "a"
`, `packfile.toml:2:2: unknown key "layer" in a packfile (it is called "layers" today)
packfile.toml:2:2: layers: expected an array of tables, found a table (write the header in double brackets: [[…layers]])`},
		"in YAML": {"packfile.yaml", `
process:
- type: web
layers:
- name: a
  detect: {inline: x}
`, `packfile.yaml:2:1: unknown key "process" in a packfile (it is called "processes" today)
packfile.yaml:3:3: a process needs "command"
packfile.yaml:6:3: unknown key "detect" in a layer (it is called "require" today)`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(test.file, []byte(test.text))
			require.EqualError(t, err, test.want)
		})
	}
}
