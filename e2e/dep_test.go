package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// shelf serves files over HTTP and counts what is taken.
type shelf struct {
	*httptest.Server
	contents map[string]string
	mu       sync.Mutex
	taken    map[string]int
}

func newShelf(t *testing.T, contents map[string]string) *shelf {
	t.Helper()
	s := &shelf{contents: contents, taken: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.taken[r.URL.Path]++
		s.mu.Unlock()
		text, ok := contents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[path]
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestGetDepGivesTheDepOfTheLayersVersionAndRecordsIt(t *testing.T) {
	t.Parallel()
	s := newShelf(t, map[string]string{"/tool-1.0.txt": "one", "/tool-2.0.txt": "two", "/extra.txt": "extra"})
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Layer("a").Version("2.0").Run(`
cat "$(get-dep tool)" "$(get-dep extra)" > $LAYER/content
basename "$(get-dep tool)" > $LAYER/name
cp -r $MD/deps $LAYER/deps
if get-dep tool 1.0 2> $LAYER/other; then exit 1; fi
if get-dep nothing 2> $LAYER/unknown; then exit 1; fi
`).
			Dep("tool", "1.0", s.URL+"/tool-1.0.txt", "sha", sha("one")).
			Dep("tool", "{{.version}}", s.URL+"/tool-{{.version}}.txt", "sha", sha("two"), "metadata.license", "MIT").
			Dep("extra", "9", s.URL+"/extra.txt", "sha", sha("extra")),
	)})
	b := request{dir: dir, target: "a"}.build(t)
	for file, want := range map[string]string{
		"content":                        "twoextra",
		"name":                           "tool-2.0.txt\n",
		"deps/tool@2.0/name":             "tool",
		"deps/tool@2.0/version":          "2.0",
		"deps/tool@2.0/uri":              s.URL + "/tool-2.0.txt",
		"deps/tool@2.0/sha":              sha("two"),
		"deps/tool@2.0/metadata/license": "MIT",
		"deps/extra@9/version":           "9",
	} {
		if got := b.read(t, file); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	contains(t, b.read(t, "other"), "2.0")
	contains(t, b.read(t, "unknown"), "nothing", "extra", "tool")
	if n := s.count("/tool-1.0.txt"); n != 0 {
		t.Errorf("the dep of another version was fetched %d times", n)
	}
}

func TestDepInTheModulesFolderNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"deps/tool@1": "vendored",
		"packfile.toml": testbed.Packfile(
			testbed.Layer("a").Run("cat $(get-dep tool) > $LAYER/content", "network", "none").
				Dep("tool", "1", "http://nowhere.invalid/tool", "sha", sha("vendored")),
		)})
	if got := (request{dir: dir, target: "a"}).build(t).read(t, "content"); got != "vendored" {
		t.Errorf("content is %q", got)
	}
	write(t, dir, map[string]string{"deps/tool@1": "somebody changed it"})
	contains(t, request{dir: dir}.fail(t), sha("vendored"), sha("somebody changed it"))
}
