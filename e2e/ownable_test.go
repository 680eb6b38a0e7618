package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	distribution "github.com/distribution/reference"
)

// Whoever copies an example asks the registry that it names. Names there are given to who comes first, and who has the name
// of a frontend gets the build and its secrets. So every image has a registry, and every host is one that nobody can have
// (RFC 2606, RFC 6761) or one of places.

// imageForms are the places in which a text names an image, which is the first group.
var imageForms = []*regexp.Regexp{
	regexp.MustCompile(`#\s*syntax\s*=\s*([^\s"'\\]+)`),
	regexp.MustCompile(`docker(?:-image)?://([^\s"'` + "`" + `\\,;)]+)`),
	regexp.MustCompile(`(?:^|["` + "`" + `]|\\n)FROM\s+(?:--platform=\S+\s+)?([^\s"'\\]+)`),
	regexp.MustCompile(`\b(?:build-image|run-image|launcher|builder)\\?["']?\s*[:=]\s*\\?["']([^\s"'\\]+)\\?["']`),
	regexp.MustCompile(`\bimage\s*=\s*\\?["']([^\s"'\\/]+/[^\s"'\\]+)\\?["']`),
	regexp.MustCompile(`\b(?:buildImage|runImage|launcher): \\?["']?([^\s"'\\,}]+)(?:\\?["']|\\n|,|\s*}|$)`),
	regexp.MustCompile(`(?:\bBUILDKIT_SYNTAX|--opt[= ]source)=([^\s"'` + "`" + `\\,]+)`),
	regexp.MustCompile(`\bCOPY --from=([^\s/:]*[/:]\S*)`), // without either it is a stage or a named context
	regexp.MustCompile(`\b(?:docker|podman) (?:run|pull|push)(?: -\S+(?: [0-9]+:[0-9]+)?)* ([^\s"'` + "`" + `\\]+)`),
	regexp.MustCompile(`\bbuildx build .*(?:-t|--tag)[ =]([^\s"'` + "`" + `\\]+)`),
}

// stages are the names of stages in a Dockerfile.
var stages = regexp.MustCompile(`\bAS ([a-z0-9-]+)`)

// hostForms are the places in which a text names a host, which is the first group.
var hostForms = []*regexp.Regexp{
	regexp.MustCompile(`\b[a-z][a-z+-]*://(?:[^\s/"'@]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)`),
	regexp.MustCompile(`\bgit@([a-z0-9-]+(?:\.[a-z0-9-]+)+)[:/]`),
}

var reserved = regexp.MustCompile(`^(.+\.)?(example|test|invalid|localhost|example\.(com|org|net))$|^127\.[0-9.]+$|^0\.0\.0\.0$`)

// places are the hosts besides: what the texts link to, what the examples download, the images of Docker itself, whose names
// nobody can have, and the name space of SBOM documents, which is a name and no address.
var places = []string{
	"docker.io", "packfile.io", "github.com", "nodejs.org", "opencollective.com", "registry.npmjs.org", "tidelift.com",
	"buildpacks.io", "distribution.github.io", "www.debian.org", "in-toto.io", "slsa.dev", "spdx.dev", "spdx.org",
}

// ownable returns what a text names that somebody else can have, as LINE: NAME.
func ownable(text string) []string {
	var found []string
	own := []string{"scratch"}
	for _, m := range stages.FindAllStringSubmatch(text, -1) {
		own = append(own, m[1])
	}
	for i, line := range strings.Split(text, "\n") {
		for _, form := range imageForms {
			for _, m := range form.FindAllStringSubmatch(line, -1) {
				if !slices.Contains(own, m[1]) && !strings.HasPrefix(m[1], "target:") && ownableImage(strings.TrimRight(m[1], ".:")) {
					found = append(found, fmt.Sprintf("%d: image %s", i+1, m[1]))
				}
			}
		}
		for _, form := range hostForms {
			for _, m := range form.FindAllStringSubmatch(line, -1) {
				if host := strings.ToLower(m[1]); !reserved.MatchString(host) && !slices.Contains(places, host) {
					found = append(found, fmt.Sprintf("%d: host %s", i+1, m[1]))
				}
			}
		}
	}
	return found
}

// ownableImage says whether a name is one of an image that somebody else can have. What is no name of an image is none.
func ownableImage(name string) bool {
	ref, err := distribution.Parse(name)
	if err != nil {
		return false
	}
	named, ok := ref.(distribution.Named)
	if !ok {
		return false
	}
	host, repository, slash := strings.Cut(named.Name(), "/")
	switch {
	case !slash || !strings.ContainsAny(host, ".:") && host != "localhost":
		return true
	case host == "docker.io":
		return !strings.HasPrefix(repository, "library/")
	}
	host, _, _ = strings.Cut(host, ":")
	return !reserved.MatchString(host)
}

func TestNothingNamesAnImageThatOthersCanHave(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".dev"):
			return filepath.SkipDir
		case !d.Type().IsRegular() || filepath.Base(path) == "ownable_test.go":
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil || bytes.IndexByte(data, 0) >= 0 {
			return err
		}
		for _, f := range ownable(string(data)) {
			t.Errorf("%s:%s", strings.TrimPrefix(path, "../"), f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNamesThatOthersCanHaveAreSeen(t *testing.T) {
	for _, text := range []string{
		"# syntax=packfile/frontend:1", "#  syntax = frontend", "\"# syntax=docker/dockerfile:1\\n\"", "# syntax=ghcr.io/packfile/frontend:1",
		"--build-context previous=docker-image://shop .", "uri = 'docker://acme/java:8'", "golang=docker-image://golang:1.24 \\",
		"FROM golang:1.26 AS golang", "FROM --platform=$BUILDPLATFORM node", "dockerfile(t, dir, \"FROM busybox\\nUSER 0\\n\")",
		"COPY --from=docker/buildx-bin /buildx /", "FROM docker.io/packfile/frontend",
		"build-image = \"acme/build:1\"", "  runImage: acme/run", "launcher = 'docker.io/buildpacksio/lifecycle:0.21'", "builder = \"acme/builder\"",
		"docker run --rm hello", "`docker run --rm -p 8080:8080 acme/hello`", "podman pull quay.io/acme/hello",
		"docker buildx build -t hello .", "--build-arg BUILDKIT_SYNTAX=packfile/frontend:1", "--opt source=packfile/frontend:1 \\",
		"uri = \"https://acme.com/a.tgz\"", "git@gitlab.com:a/b.git", "https://u:p@a.com/x", "# syntax=localhost.example.co/frontend",
		"# syntax=example/frontend", "image = \"acme/module\"",
	} {
		if len(ownable(text)) == 0 {
			t.Errorf("%q is not seen", text)
		}
	}
	for _, text := range []string{
		"# syntax=registry.example.com/packfile/frontend:1", "docker-image://docker.io/library/node:22", "docker-image://NAME", "docker-image://$REF",
		"FROM scratch AS users\nFROM users", "\"FROM \"+env.busybox", "docker run --rm registry.example.com/hello", "uri = \"docker://localhost:5000/a\"",
		"build-image = \"target:tools\"", "run-image = \"two words\"", "https://127.0.0.1:80/x", "https://downloads.example.com/a", "git@example.com:a/b.git",
		"https://github.com/moby/buildkit", "uses: docker/bake-action@v7",
	} {
		if found := ownable(text); len(found) > 0 {
			t.Errorf("%q: %v", text, found)
		}
	}
}
