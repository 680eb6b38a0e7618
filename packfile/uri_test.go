package packfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

func TestModulesComeFromWhereTheirURISays(t *testing.T) {
	for _, test := range []struct {
		uri      string
		kind     SourceKind
		location string // the uri itself when empty
	}{
		{"modules/node", FileSource, ""},
		{"./modules//node/", FileSource, "modules/node"},
		{"node.cnb", FileSource, ""},
		{"a folder", FileSource, ""},
		{"größe", FileSource, ""},
		{"registry.example.com/java:8", FileSource, ""},
		{"github.com/a/b", FileSource, ""},
		{"git@example.com/a/b.git", FileSource, ""},
		{"./a:b", FileSource, "a:b"},
		{"file://modules/node", FileSource, "modules/node"},
		{"file://./node.tgz", FileSource, "node.tgz"},
		{"docker://registry.example.com/java", ImageSource, "registry.example.com/java"},
		{"docker://registry.example.com:5000/java:8", ImageSource, "registry.example.com:5000/java:8"},
		{"docker-image://registry.example.com/java@sha256:" + strings.Repeat("a", 64), ImageSource, "registry.example.com/java@sha256:" + strings.Repeat("a", 64)},
		{"https://example.com/a.git", GitSource, ""},
		{"https://example.com/a.git#v1:dir", GitSource, ""},
		{"https://example.com/a.git?branch=v1&subdir=dir", GitSource, ""},
		{"http://example.com/a%2egit", GitSource, ""},
		{"HTTPS://example.com/a.git", GitSource, ""},
		{"git://example.com/a", GitSource, ""},
		{"ssh://git@example.com:22/a.git#main", GitSource, ""},
		{"git@example.com:a/b.git#main:dir", GitSource, ""},
		{"https://example.com/a.tgz", HTTPSource, ""},
		{"http://example.com/a.tgz?file=a.git", HTTPSource, ""},
		{"https://example.com/a.tgz#a.git", HTTPSource, ""},
		{"https://example.com/a.git/archive.tgz", HTTPSource, ""},
	} {
		t.Run(test.uri, func(t *testing.T) {
			problem, hint := sourceURI(test.uri)
			require.Empty(t, problem, hint)
			if test.location == "" {
				test.location = test.uri
			}
			kind, location := Buildpack{ID: "a", URI: test.uri}.Source()
			require.Equal(t, test.kind, kind)
			require.Equal(t, test.location, location)
		})
	}
	kind, location := Buildpack{ID: "examples/node"}.Source()
	require.Equal(t, ContextSource, kind)
	require.Equal(t, "examples/node", location)
}

func TestURIsThatAreNoneOfAModule(t *testing.T) {
	for _, test := range []struct{ name, uri, problem, hint string }{
		{"nothing", "", "is empty", ""},
		{"the packfile's own folder", "./", "is the folder of this file itself", "name a folder or file in it"},
		{"the packfile's own folder, in a roundabout way", "file://././", "is the folder of this file itself", "name a folder"},
		{"a folder above", "../modules", node.LeavesFolder, "a module elsewhere is a named context: write id without uri, and --build-context"},
		{"a folder above, with a scheme", "file://../modules", node.LeavesFolder, "a module elsewhere is a named context"},
		{"an absolute path", "/modules", "is absolute", "write a relative path"},
		{"an absolute path with a scheme", "file:///modules", "is absolute", "write a path relative to this file, without file://"},
		{"a path with a backslash", `modules\a`, "holds a backslash", "separate folders with /"},
		{"a path of another system", `C:\modules`, "is no address of a module", sourceForms},
		{"a file without slashes", "file:modules", "is no address of a module", sourceForms},
		{"an image without slashes", "docker:java", "is no address of a module", sourceForms},
		{"an image in upper case", "docker://Java", "names no image", "as in docker://"},
		{"an image with a password", "docker://a:b@example.com/java", "names no image", "as in docker://"},
		{"no image", "docker://", "names no image", "as in docker://"},
		{"an unknown scheme", "ftp://example.com/a.tgz", "is no address of a module", sourceForms},
		{"a layout", "oci-layout://a", "is no address of a module", sourceForms},
		{"a module of a registry", "urn:cnb:registry:a/b@1.0", "is a name that only pack can look up", idForm},
		{"a module of the builder", "urn:cnb:builder:a@1.0", "is a name that only pack can look up", idForm},
		{"a module of the builder in an old form", "from=builder:a@1.0", "is a word of pack", idForm},
		{"all modules of the builder", "from=builder", "is a word of pack", idForm},
		{"no host", "https:///a.tgz", "names no host", ""},
		{"no host but a port", "https://:80/a.git", "names no host", ""},
		{"no host of a repository", "ssh:///a.git", "names no host", ""},
		{"a blank in a URL", "https://example.com/a b.tgz", "holds white space", ""},
		{"a blank in a repository", "git@example.com:a b", "holds white space", ""},
		{"a broken escape", "https://example.com/%zz", "is not a URI", ""},
		{"a line break", "git://example.com/a\n", "is not a URI", ""},
		{"a user", "https://token@example.com/a.tgz", "holds a user or password", "it would be recorded in the image"},
		{"a user of a repository", "https://token@example.com/a.git", "holds a user or password", "it would be recorded in the image"},
		{"a password of a repository", "ssh://git:secret@example.com/a.git", "holds a password", "it would be recorded in the image; for ssh"},
		{"an empty password of a repository", "git://a:@example.com/a.git", "holds a password", "it would be recorded"},
		{"a password of a repository in the short form", "git:secret@example.com:a.git", "is no address of a module", sourceForms},
	} {
		t.Run(test.name, func(t *testing.T) {
			problem, hint := sourceURI(test.uri)
			require.Equal(t, test.problem, problem)
			require.True(t, strings.HasPrefix(hint, test.hint), "%s", hint)
		})
	}
}
