package packfile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
)

func TestNamesAndPathsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		what  string
		check node.Check
		good  []string
		bad   []string
	}{
		{"layer name", layerName,
			[]string{"a", "nodejs", "node-18.x", "_a", "C++", "7zip", strings.Repeat("a", 235)},
			[]string{"", ".", "..", ".toml", "a.toml", "../x", "/x", "a/b", `a\b`, "a b", "a,b", "a\x00b", "a\nb", "a\u202eb", "größe",
				"-a", "+a", "a.sbom.cdx.json", "build", "launch", "store", strings.Repeat("a", 300)}},
		{"metadata key", metadataKey,
			[]string{"version", "node-version", "a b", "größe", "-", "~"},
			[]string{"", ".", "..", ".hidden", "a/b", "/", "a\x00", "a\n", strings.Repeat("a", 256)}},
		{"process type", processType,
			[]string{"web", "web.1", "a_b-c"}, []string{"", ".", "..", "a/b", "a b", ">x", strings.Repeat("a", 300)}},
		{"variable of a link", ownVariable, []string{"NODE", "CACHE"}, []string{"APP", "LAYER", "MD", "A-B"}},
		{"user", user,
			[]string{"1000", "1000:1000", "node", "node:users", "svc$", "4294967295"},
			[]string{"", ":", "1000:", ":1", "a b", "-1", "4294967296", "1:2:3", "1000:99999999999"}},
		{"API", apiVersion,
			[]string{"0.2", "0.9", "0.10", "0.12"}, []string{"", "0.1", "0.13", "1.0", "0.010", "0", "0.10.1", "v0.10", "0.99999999999999999999"}},
		{"script path", scriptPath,
			[]string{"a.sh", "./a.sh", "a/b.sh", "a b.sh"}, []string{"", " ", ".", "./", "a/", "/a", "../a", "a/../../b", `a\b`, "a\x00", strings.Repeat("a", 1025)}},
		{"pattern", glob,
			[]string{"*", "**", "*.lock", "src/**/*.go", "[a-z]*", "a b", "größe", ".", "./", "./a", "a/", "a//b", "{a}", "{a", "[{]a,b}", "a,b", "{{x}}",
				"!a", "!./a/", "!{a}", `app/\[slug\]/page.tsx`, `\!a`, `!\!a`, `\{a,b\}`, `a\*\?`},
			[]string{"", "!", "!!a", "! a", "!/a", "!../a", "!{a,b}", "![a", `!\a`, `a\`, `\\a`, "/a", "../a", "a/..", "a/../b", "..", "{a,b}", "a{,b}c", "{{a,b}}", `\a`, "[a", "[]", " a", "a ", strings.Repeat("a", 1025)}},
		{"working directory", appDir, []string{"a", ".", "/etc", "a/b"}, []string{"", "..", "../a", `a\b`, "/a\n"}},
		{"dep name", depName, []string{"node", "a b"}, []string{"", "a@b", "a/b", ".a", strings.Repeat("a", 201)}},
		{"dep version", depVersion, []string{"", "1.2", ".5", "v1"}, []string{"1/2", "1\x00", strings.Repeat("1", 51)}},
	} {
		for _, s := range test.good {
			problem, _ := test.check(s)
			require.Empty(t, problem, "%s %q", test.what, s)
		}
		for _, s := range test.bad {
			problem, _ := test.check(s)
			require.NotEmpty(t, problem, "%s %q", test.what, s)
		}
	}
}

func TestAPatternThatIsNoneHereIsShownAsItHasToBeWritten(t *testing.T) {
	for pattern, want := range map[string]string{
		"{package,package-lock}.json": `write "package.json", "package-lock.json"`,
		"a/{b,{c,d}}/{e,f}":           `write "a/b/e", "a/b/f", "a/c/e", "a/c/f", "a/d/e", "a/d/f"`,
		"{a}{b,c}":                    `write "{a}b", "{a}c"`,
		"{,x}y[{,}]":                  `write "y[{,}]", "xy[{,}]"`,
		"!{a,b}.map":                  `write "!a.map", "!b.map"`,
		`\{{a,b}\}`:                   `write "\\{a\\}", "\\{b\\}"`,
		"!/a":                         `patterns begin in the app's folder: write "!a"`,
		"!a/../b":                     `write "!b"`,
		"!!a":                         `as in !*.map; a name that begins with ! is written \!`,
		`src\a`:                       `separate folders with /`,
		"{1,2,3,4,5,6,7,8,9}":         `write "1", "2", "3", "4", "5", "6", "7", "8" and so on`,
		strings.Repeat("{a,b}", 100):  `write "` + strings.Repeat("a", 80) + `"…, `,
		"/a//b":                       `patterns begin in the app's folder: write "a/b"`,
		"a/../b/":                     `write "b"`,
		"../a":                        "paths go down only",
	} {
		problem, hint := glob(pattern)
		require.NotEmpty(t, problem, pattern)
		require.True(t, strings.HasPrefix(hint, want), "%s: %s", pattern, hint)
	}
}

func TestDurationsMayHaveDays(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "1s": time.Second, "1h30m": 90 * time.Minute,
	} {
		got, ok := parseDuration(s)
		require.True(t, ok, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "1", "0", "0d", "0s", "999ms", "-1h", "1d-1h", "d", "1.5d", "1h1d", "1d1d", "999999d", "5 minutes", "9999999h"} {
		_, ok := parseDuration(s)
		require.False(t, ok, s)
	}
}
