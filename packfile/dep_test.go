package packfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/metadata"
)

func TestWhatKindOfDepAnAddressNames(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	sum := "sha256:" + strings.Repeat("01", 32)
	for uri, want := range map[string]struct {
		kind     SourceKind
		location string
		pinned   bool
	}{
		"https://example.com/tool.tgz":                        {HTTPSource, "https://example.com/tool.tgz", false},
		"{{.uri}}":                                            {HTTPSource, "{{.uri}}", false},
		"docker://registry.example.com/go:1":                  {ImageSource, "registry.example.com/go:1", false},
		"docker-image://registry.example.com/go:{{.version}}": {ImageSource, "registry.example.com/go:{{.version}}", false},
		"docker://registry.example.com/go@" + sum:             {ImageSource, "registry.example.com/go@" + sum, true},
		"docker://registry.example.com/go@{{.digest}}":        {ImageSource, "registry.example.com/go@{{.digest}}", true},
		"docker://{{.image}}":                                 {ImageSource, "{{.image}}", true},
		"https://example.com/a.git":                           {GitSource, "https://example.com/a.git", false},
		"https://example.com/{{.name}}.git#v{{.version}}":     {GitSource, "https://example.com/{{.name}}.git#v{{.version}}", false},
		"https://example.com/a.git#{{.commit}}:sub":           {GitSource, "https://example.com/a.git#{{.commit}}:sub", true},
		"https://example.com/a.git#" + commit + ":sub":        {GitSource, "https://example.com/a.git#" + commit + ":sub", true},
		"https://example.com/a.git#" + commit[1:]:             {GitSource, "https://example.com/a.git#" + commit[1:], false},
		"https://example.com/a.git?ref=x&checksum=" + commit:  {GitSource, "https://example.com/a.git?ref=x&checksum=" + commit, true},
		"git://example.com/a":                                 {GitSource, "git://example.com/a", false},
		"git@example.com:a/b.git":                             {GitSource, "git@example.com:a/b.git", false},
		"context:tool":                                        {ContextSource, "tool", true},
		"context:{{.name}}":                                   {ContextSource, "{{.name}}", true},
	} {
		d := Dep{URI: uri}
		kind, location := d.Source()
		require.Equal(t, want.kind, kind, uri)
		require.Equal(t, want.location, location, uri)
		require.Equal(t, want.pinned, d.Pinned(), uri)
		require.Equal(t, want.kind != HTTPSource, d.IsFolder(), uri)
	}
}

func TestAddressesThatAreNoDep(t *testing.T) {
	for uri, want := range map[string]string{
		"tool.tgz":                      "is no address of a dep",
		"ftp://example.com/a":           "is no address of a dep",
		"docker://":                     "names no image",
		"docker://A":                    "names no image",
		"https://u:p@example.com/a.git": "holds a user or password",
		"ssh://u:p@example.com/a.git":   "holds a password",
		"git://":                        "names no host",
		"https://example.com/a.git#a b": "holds white space",
		"git@example.com:a b.git":       "holds white space",
		"context:":                      "names no context",
		"context:Tool":                  "names no context",
		"context:tool:1":                "names no context",
		"context:../tool":               "names no context",
		"context:launcher":              "is a named context of the frontend itself",
		"context:context":               "is a named context of the frontend itself",
	} {
		problem, _ := depURI(uri)
		require.Equal(t, want, problem, uri)
	}
	for _, platform := range []string{"arm64", "linux/", "linux/arm64/v8/x", "linux(1)/arm64", "Linux/arm64", ""} {
		problem, _ := platformName(platform)
		require.Equal(t, "is no platform", problem, platform)
	}
}

func TestTheKindOfADepIsKnownBeforeItIsRendered(t *testing.T) {
	for uri, want := range map[string]string{
		"{{.uri}}":                     `uri of dep "n": "docker://registry.example.com/x" is an image, and its template looks like that of a file: write what tells them apart outside of {{ }}`,
		"https://example.com/{{.git}}": `uri of dep "n": "https://example.com/a.git" is a Git repository, and its template looks like that of a file: write what tells them apart outside of {{ }}`,
		"context:{{.own}}":             `uri of dep "n": "context:previous" is a named context of the frontend itself`,
	} {
		d := Dep{Name: "n", URI: uri}
		_, err := d.Render(metadata.Table{"uri": "docker://registry.example.com/x", "git": "a.git", "own": "previous"}, Target{}, nil)
		require.EqualError(t, err, want)
	}
	d, err := Dep{Name: "n", URI: "docker://registry.example.com/x:{{.version}}", Platform: "linux/{{.TARGETARCH}}"}.Render(metadata.Table{"version": "1"}, Target{OS: "linux", Arch: "arm64"}, nil)
	require.NoError(t, err)
	require.Equal(t, "docker://registry.example.com/x:1 linux/arm64", d.URI+" "+d.Platform)
}
