package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Files of modules that would take all memory, or end the frontend, if they were decoded.
var hostileModules = map[string]struct{ file, text, want string }{
	"a package.toml that nests": {"cnb/package.toml", "a = " + strings.Repeat("[", 4<<20-10),
		"modules/bad/cnb/package.toml:1:69: it nests values more than 64 deep"},
	"a package.toml of dots": {"cnb/package.toml", strings.Repeat("a.", 200_000) + "a=1",
		"modules/bad/cnb/package.toml:1:130: it nests values more than 64 deep"},
	"a package.toml of keys": {"cnb/package.toml", "a=[" + strings.Repeat("1,", 500_000) + "]",
		"modules/bad/cnb/package.toml:1:400001: it has more than 200000 keys and values"},
	"a packfile that nests": {"packfile.toml", "a = " + strings.Repeat("{a=", 1<<20),
		"modules/bad/packfile.toml:1:197: it nests values more than 64 deep"},
	"a packfile of headers": {"packfile.toml", strings.Repeat("[[layers]]\n", 300_000),
		"modules/bad/packfile.toml:200001:1: it has more than 200000 keys and values"},
	"a YAML packfile of aliases": {"packfile.yaml", "a: &a [1]\nb: [" + strings.Repeat("*a,", 500_000) + "]",
		"modules/bad/packfile.yaml:2:299998: it has more than 200000 keys and values"},
	"a buildpack.toml of dots": {"buildpack.toml", "[" + strings.Repeat("a.", 200_000) + "a]",
		"modules/bad/buildpack.toml:1:131: it nests values more than 64 deep"},
}

func TestAModuleThatWouldTakeAllMemoryIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range hostileModules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{
				"packfile.toml": sh + uses("modules/bad"), filepath.Join("modules/bad", test.file): test.text,
			})
			contains(t, request{dir: dir}.fail(t), test.want)
		})
	}
	t.Run("in an image", func(t *testing.T) {
		t.Parallel()
		bad := hostileModules["a package.toml of dots"]
		image := dockerfile(t, packageFiles(t, map[string]string{bad.file: bad.text}), "FROM scratch\nCOPY cnb /cnb\n")
		dir := files(t, map[string]string{"packfile.toml": sh + uses("docker://"+image)})
		contains(t, request{dir: dir}.fail(t), "docker://"+image+"/cnb/package.toml:1:130: it nests values more than 64 deep")
	})
	t.Run("many scripts", func(t *testing.T) {
		t.Parallel()
		module, contents := strings.Builder{}, map[string]string{"packfile.toml": sh + uses("modules/bad")}
		script := strings.Repeat("#", 1<<20)
		for i := range 70 {
			name := "s" + strings.Repeat("x", i)
			module.WriteString(testbed.Tables(testbed.Layer(name).RunFile(name)))
			contents["modules/bad/"+name] = script
		}
		contents["modules/bad/packfile.toml"] = "[config]\nid = \"acme/bad\"\n" + module.String()
		contains(t, request{dir: files(t, contents)}.fail(t), "modules/bad/packfile.toml:",
			"the modules of the build have more than 64 MiB of packfiles and scripts")
	})
}
