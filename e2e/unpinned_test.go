package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// changing is a server with one file, which may become another one. It knows what its clients have.
type changing struct {
	*httptest.Server
	mu   sync.Mutex
	text string
	seen []string // requests: method, and the status of the answer
}

func newChanging(t *testing.T, text string) *changing {
	t.Helper()
	c := &changing{text: text}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		tag, status := `"`+sha(c.text)+`"`, http.StatusOK
		if r.Header.Get("If-None-Match") == tag {
			status = http.StatusNotModified
		}
		c.seen = append(c.seen, fmt.Sprint(r.Method, " ", status))
		w.Header().Set("ETag", tag)
		w.WriteHeader(status)
		if r.Method == http.MethodGet && status == http.StatusOK {
			fmt.Fprint(w, c.text)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// become is the file from now on.
func (c *changing) become(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = text
}

// requests are those since it was last asked.
func (c *changing) requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

// unpinned is a layer that holds its one dep, which has no sha.
func unpinned(uri string) string {
	return testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "network", "none"),
		testbed.Layer("a").Export().Version("1").Run(`
cp "$(get-dep tool)" "$LAYER/tool"
cp "$MD/deps/tool@1/sha" "$LAYER/sha"
`).
			Dep("tool", "{{.version}}", uri),
	)
}

func TestADepWithoutShaIsAskedForInEveryBuildAndIsNeverStale(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		s := newChanging(t, "one")
		dir := files(t, map[string]string{"packfile.toml": unpinned(s.URL + "/tool-{{.version}}")})
		r := request{dir: dir, target: "a", host: host}
		holds := func(b built, want string) {
			t.Helper()
			if got := b.read(t, "tool") + " " + b.read(t, "sha"); got != want+" "+sha(want) {
				t.Errorf("the layer holds %q, want %q", got, want)
			}
		}

		first := r.build(t)
		holds(first, "one")
		contains(t, first.log, "packfile.toml:", "dep tool@1 has no sha", "every build asks", s.URL+"/tool-1", `sha = "`+sha("one")+`"`)
		if got := s.requests(); !slices.Equal(got, []string{"GET 200"}) {
			t.Errorf("an empty builder asked %v", got)
		}

		second := r.build(t)
		holds(second, "one")
		second.wantRan(t, map[string]bool{"[a] run": false})
		if got := s.requests(); !slices.Equal(got, []string{"HEAD 304"}) {
			t.Errorf("the next build asked %v", got)
		}

		s.become("two")
		third := r.build(t)
		holds(third, "two")
		contains(t, third.log, `sha = "`+sha("two")+`"`)
	})
}

func TestALayerWhoseDepHasNoShaIsReusedAsLongAsTheDepIsTheSame(t *testing.T) {
	t.Parallel()
	s := newChanging(t, "one")
	dir := files(t, map[string]string{"packfile.toml": unpinned(s.URL + "/tool")})
	image := imageName(t)
	request{dir: dir, image: image}.build(t)
	other := request{dir: dir, host: secondDaemon(t), previous: image, image: imageName(t)}

	same := other.build(t)
	contains(t, same.log, "[a] reused", `sha = "`+sha("one")+`"`)
	if same.hasVertex("[a] run") {
		t.Errorf("it was built again\n%s", same.log)
	}

	s.become("two")
	changed := other.build(t)
	changed.wantRan(t, map[string]bool{"[a] run": true})
	contains(t, changed.log, "dep tool")
}

func TestADepWithoutShaThatCannotBeHadIsAnErrorAtItsURI(t *testing.T) {
	t.Parallel()
	missing := newShelf(t, nil)
	gone := newShelf(t, nil)
	gone.Close()
	for name, test := range map[string]struct{ uri, want string }{
		"there is no such file": {missing.URL + "/tool", "404"},
		"nobody answers":        {gone.URL + "/tool", "connection refused"},
		"there is no such host": {"http://nowhere.invalid/tool", "nowhere.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, map[string]string{"packfile.toml": unpinned(test.uri)})
			text := request{dir: dir}.fail(t)
			contains(t, text, "packfile.toml: [a] fetch tool@1 "+test.uri+" cannot be fetched: ", test.want,
				"the dep has no sha, so every build asks its server for it: give the sha, or put the file into deps/tool@1", ">>> uri = ")
			if strings.Contains(text, "cache key") {
				t.Errorf("it speaks of BuildKit's cache\n%s", text)
			}
		})
	}
}

func TestADepWithoutVersionIsCalledByItsName(t *testing.T) {
	t.Parallel()
	s := newShelf(t, map[string]string{"/tool": "fetched"})
	text := sh + `[[layers]]
name = "a"
export = true
[layers.build.run]
inline = 'cp "$(get-dep tool)" "$LAYER/tool"; cp "$MD/deps/tool/sha" "$LAYER/sha"'
[[layers.build.deps]]
name = "tool"
uri = "URI"
`
	dir := files(t, map[string]string{"packfile.toml": strings.Replace(text, "URI", s.URL+"/none", 1)})
	failed := request{dir: dir}.fail(t)
	contains(t, failed, "[a] fetch tool "+s.URL+"/none cannot be fetched", "put the file into deps/tool)")
	write(t, dir, map[string]string{"packfile.toml": strings.Replace(text, "URI", s.URL+"/tool", 1)})
	b := request{dir: dir, target: "a"}.build(t)
	equal(t, "the dep and its sha", b.read(t, "tool")+" "+strings.TrimSpace(b.read(t, "sha")), "fetched "+sha("fetched"))
	contains(t, b.log, "dep tool has no sha")

	write(t, dir, map[string]string{"deps/tool": "vendored"})
	vendored := request{dir: dir, target: "a"}.build(t)
	equal(t, "the dep of the folder", vendored.read(t, "tool"), "vendored")
	write(t, dir, map[string]string{"packfile.toml": strings.Replace(text, `"URI"`, `"`+s.URL+`/tool"`+"\nsha = \""+noFile(t)+`"`, 1)})
	wrong := request{dir: dir, target: "a"}.fail(t)
	contains(t, wrong, "checksum of dep tool differs")
	if all := failed + b.log + wrong; strings.Contains(all, "tool@") {
		t.Errorf("it is called by a version that it has not\n%s", all)
	}
}

func TestADepWithoutShaThatIsAnEmptyFileIsSaidSo(t *testing.T) {
	t.Parallel()
	s := newShelf(t, map[string]string{"/tool": ""})
	b := request{dir: files(t, map[string]string{"packfile.toml": unpinned(s.URL + "/tool")})}.build(t)
	contains(t, b.log, `sha = "`+sha("")+`", which is that of an empty file: see what the address gives`)
}

func TestADepWithoutShaInTheModulesFolderNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": unpinned("http://nowhere.invalid/tool"), "deps/tool@1": "vendored"})
	r := request{dir: dir, target: "a"}
	for _, text := range []string{"vendored", "changed"} {
		write(t, dir, map[string]string{"deps/tool@1": text})
		b := r.build(t)
		if got := b.read(t, "tool") + " " + b.read(t, "sha"); got != text+" "+sha(text) {
			t.Errorf("the layer holds %q", got)
		}
		if strings.Contains(b.log, "has no sha") {
			t.Errorf("there is a warning about what is not asked for\n%s", b.log)
		}
	}
}

func TestWhatAStepDoesWithItsDepsIsSeenByNoOther(t *testing.T) {
	t.Parallel()
	s := newShelf(t, map[string]string{"/tool": "#!/bin/sh\necho tool runs\n"})
	layer := func(name, script string) string {
		return testbed.Tables(
			testbed.Layer(name).Export().Run("\n"+script+`
`).
				Dep("fetched", "1", s.URL+"/tool", "sha", sha("#!/bin/sh\necho tool runs\n")).
				Dep("vendored", "1", "http://nowhere.invalid/tool", "sha", sha("vendored")).
				Dep("unpinned", "1", s.URL+"/tool"),
		)
	}
	const link = "[[layers.build.links]]\nname = \"first\"\npath-as = \"FIRST\"\n"
	text := layer("first", `
test "$(id -u)" = 1000
for dep in fetched vendored unpinned; do
	mkdir -p $LAYER/$dep
	chmod +x "$(get-dep $dep)"
	mv "$(get-dep $dep)" $LAYER/$dep/tool
	test ! -e "$(get-dep $dep)"
	echo other > "$(get-dep $dep)"
done
test "$($LAYER/fetched/tool)" = "tool runs"
`) + layer("second", `
rm "$(get-dep fetched)"
test "$(cat "$(get-dep vendored)")" = vendored
test ! -x "$(get-dep unpinned)"
test "$(sh "$(get-dep unpinned)")" = "tool runs"
test "$("$FIRST/unpinned/tool")" = "tool runs"
`) + link + layer("third", `test "$(sh "$(get-dep fetched)")" = "tool runs"`) + "[[layers.build.links]]\nname = \"second\"\n"
	onEachBuildKit(t, func(t *testing.T, host string) {
		for _, user := range []string{"1000:1000", "0:0"} {
			text := sh + "user = \"" + user + "\"\n" + strings.Replace(text, "id -u)\" = 1000", "id -u):$(id -g)\" = "+user, 1)
			dir := files(t, map[string]string{"packfile.toml": text, "deps/vendored@1": "vendored"})
			b := request{dir: dir, target: "first", host: host}.build(t)
			if got := b.read(t, "fetched/tool"); got != "#!/bin/sh\necho tool runs\n" {
				t.Errorf("%s: what was moved is %q", user, got)
			}
			request{dir: dir, host: host}.build(t)
		}
	})
}
