package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// What is said when something from outside cannot be had. Every text of BuildKit's that the frontend reads something from is
// made here by each supported BuildKit.

// faultyShelf serves a file under its name, and other answers under theirs.
func faultyShelf(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err == nil {
			w.WriteHeader(status)
		}
		if r.URL.Path != "/empty" {
			fmt.Fprint(w, "this is "+r.URL.Path)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// withDep is a packfile with a layer that needs a dep.
func withDep(uri, sha string) string {
	return testbed.Packfile(testbed.Layer("a").Run("cat $(get-dep tool)").Dep("tool", "1", uri, "sha", sha))
}

// noFile is the checksum of no file, which no other test has: BuildKit merges downloads that have the same checksum, of any
// address and build, with their errors.
func noFile(t *testing.T) string { return sha("no file of " + t.Name()) }

func TestDownloadsWithAnotherChecksumSayWhichIsWhichAndWhy(t *testing.T) {
	t.Parallel()
	const pageHint = "That may be the page of an error"
	onEachBuildKit(t, func(t *testing.T, host string) {
		server, wrong := faultyShelf(t), noFile(t)
		for _, answer := range []string{"/file", "/404", "/403", "/500", "/empty", "/sha256:" + sha("in the address")} {
			sent, hint := "this is "+answer, pageHint
			if answer == "/empty" {
				sent, hint = "", "that of an empty file"
			}
			says := []string{
				fmt.Sprintf("checksum of %s differs: the packfile says sha256 %s, what the server sent has sha256 %s", server+answer, wrong, sha(sent)),
				hint, ">>> uri = ",
			}
			dir := files(t, map[string]string{"packfile.toml": withDep(server+answer, wrong)})
			contains(t, request{dir: dir, host: host}.fail(t), append(says, "[a] fetch tool@1")...)

			write(t, dir, map[string]string{"packfile.toml": "[[buildpacks]]\nuri = \"" + server + answer + "\"\nsha = \"" + wrong + "\"\n"})
			contains(t, request{dir: dir, host: host}.fail(t), says...)
		}

		// BuildKit says it in another way when it has the file already.
		wanted := withDep(server+"/file", sha("this is /file"))
		_, dep, _ := strings.Cut(withDep(server+"/file", wrong), "[[layers.build.deps]]")
		dir := files(t, map[string]string{"packfile.toml": wanted + "[[layers.build.deps]]" + strings.Replace(dep, `"1"`, `"2"`, 1)})
		contains(t, request{dir: dir, host: host}.fail(t),
			fmt.Sprintf("checksum of %s differs: the packfile says sha256 %s, what the server sent has sha256 %s", server+"/file", wrong, sha("this is /file")), ">>> uri = ")
	})
}

func TestServersThatCannotBeReachedAreNamedWithTheAddress(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		uri, wanted := "http://127.0.0.1:1/tool", noFile(t)
		dir := files(t, map[string]string{"packfile.toml": withDep(uri, wanted)})
		contains(t, request{dir: dir, host: host}.fail(t), "[a] fetch tool@1 "+uri+" cannot be fetched: ", "connection refused", ">>> uri = ")
		unpinned := strings.Replace(withDep(uri, ""), "sha = \"\"\n", "", 1)
		write(t, dir, map[string]string{"packfile.toml": unpinned})
		contains(t, request{dir: dir, host: host}.fail(t), "[a] fetch tool@1 "+uri+" cannot be fetched: Get", "connection refused", ">>> uri = ")
		write(t, dir, map[string]string{"packfile.toml": "[[buildpacks]]\nuri = \"" + uri + "\"\nsha = \"" + wanted + "\"\n"})
		contains(t, request{dir: dir, host: host}.fail(t), uri+" cannot be fetched: ", "connection refused", ">>> uri = ")
	})
}

// faultyRegistry stands before the registry, and answers for some repositories by itself: /denied, /secret and /broken. Of the
// images in others it has the configs, and no layers.
func faultyRegistry(t *testing.T) string {
	t.Helper()
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry(t)})
	behind.ModifyResponse = func(res *http.Response) error {
		// Blobs have no types in this registry. What is no JSON is a layer.
		if strings.Contains(res.Request.URL.Path, "/blobs/") && res.StatusCode == http.StatusOK {
			beginning := bufio.NewReader(res.Body)
			if first, _ := beginning.Peek(1); string(first) != "{" {
				res.StatusCode = http.StatusNotFound
			}
			res.Body = &peeked{beginning, res.Body}
		}
		return nil
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for repository, status := range map[string]int{"/denied/": http.StatusForbidden, "/secret/": http.StatusUnauthorized, "/broken/": http.StatusBadGateway} {
			if strings.Contains(r.URL.Path, repository) {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				w.WriteHeader(status)
				fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`)
				return
			}
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// peeked is a body of which something has been looked at.
type peeked struct {
	io.Reader
	io.Closer
}

func TestErrorsOfRegistriesNameTheImageAndItsContext(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		registry := faultyRegistry(t)
		// Its layers are on the daemon that has built it, and on no other.
		unknown := imageName(t)
		builder := oldestDaemon(t)
		if host == builder {
			builder = os.Getenv("BUILDKIT_HOST")
		}
		request{dir: app(t, three), host: builder, image: unknown}.build(t)
		_, unknown, _ = strings.Cut(unknown, "/")
		dir := files(t, map[string]string{"packfile.toml": sh + layerNamed("a")})
		named := files(t, map[string]string{"packfile.toml": ""})
		module := files(t, map[string]string{"packfile.toml": "[[buildpacks]]\nid = \"acme/tool\"\n"})
		for image, says := range map[string]string{
			registry + "/no/such:1":     "not found",
			registry + "/denied/x:1":    "403",
			registry + "/secret/x:1":    "401",
			registry + "/broken/x:1":    "502",
			"127.0.0.1:1/unreachable:1": "connection refused",
			registry + "/" + unknown:    "could not fetch content descriptor", // its layers
		} {
			for _, name := range []string{"build-image", "run-image", "launcher"} {
				if name == "run-image" && strings.HasSuffix(image, unknown) {
					continue // nothing looks into it
				}
				r := request{dir: dir, host: host, opts: map[string]string{"context:" + name: "docker-image://" + image, "no-cache": ""}, output: "type=oci,dest=/dev/null"}
				contains(t, r.fail(t), "named context "+name+": "+image+": ", says)
				if name == "launcher" {
					continue
				}
				write(t, named, map[string]string{"packfile.toml": "[config]\nshell = \"/bin/sh\"\n" + name + " = \"" + image + "\"\n" + layerNamed("a")})
				r.dir, r.opts["context:"+name] = named, ""
				contains(t, r.fail(t), name+": "+image+": ", ">>> "+name+" = ", says)
			}
			r := request{dir: module, host: host, opts: map[string]string{"context:acme/tool": "docker-image://" + image}}
			contains(t, r.fail(t), "named context acme/tool: "+image+": ", ">>> [[buildpacks]]", says)
			dep := files(t, map[string]string{"packfile.toml": copies("docker://" + image)})
			contains(t, request{dir: dep, host: host}.fail(t), "packfile.toml:18:7: dep tool@1: "+image+": ", ">>> uri = ", says)
			if strings.HasSuffix(image, unknown) {
				continue // nothing is taken over
			}
			r = request{dir: dir, host: host, previous: image}
			contains(t, r.build(t).log, "previous image: ", image, says)
		}
	})
}

func TestImagesOfNoSuchPlatformAreSaidSo(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		dir := files(t, map[string]string{"packfile.toml": sh})
		contains(t, request{dir: dir, host: host, opts: map[string]string{"platform": "linux/s390x"}}.fail(t),
			"named context run-image: "+env.empty+": there is no image for linux/s390x among those of that name")

		// A target without scripts needs no images but those of the frontend.
		write(t, dir, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").Env("build", "A", "a"))})
		contains(t, request{dir: dir, host: host, target: "a", opts: map[string]string{"platform": "linux/s390x"}}.fail(t),
			"the frontend's own image ", " cannot build for linux/s390x: there is no image for linux/s390x among those of that name")
		r := request{dir: dir, host: host, target: "a", opts: map[string]string{"platform": "linux/arm64", "context:previous": "docker-image://" + env.busybox}}
		contains(t, r.build(t).log, "previous image: there is no image for linux/arm64 among those of that name")
		r.opts["context:context"] = "docker-image://" + env.busybox
		contains(t, r.fail(t), "named context context: "+env.busybox+": there is no image for linux/arm64 among those of that name")
	})
}

func TestScriptsThatFailAndSecretsThatAreMissingAreSaidSo(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		dir := files(t, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build.run]\ninline = \"exit 42\"\n"})
		contains(t, request{dir: dir, host: host}.fail(t), "packfile.toml: [a] run failed with exit code 42", ">>> inline")
		write(t, dir, map[string]string{"packfile.toml": sh + "[[layers]]\nname = \"a\"\n[layers.build]\nsecrets = [{ id = \"token\", env-as = \"TOKEN\" }]\n[layers.build.run]\ninline = \"true\"\n"})
		contains(t, request{dir: dir, host: host}.fail(t), `secret "token" was not given: pass it with --secret id=token,src=FILE`)
	})
}

func TestARebaseIsKnownToHaveNoPackfile(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		const none = "a rebase needs none if --build-context run-image=docker-image://NAME says what to put the image on"
		r := request{dir: t.TempDir(), host: host, opts: map[string]string{"target": "rebase", "context:run-image": ""}}
		contains(t, r.fail(t), "no such file or directory; "+none)
		r.opts["context"] = "" // no folders
		contains(t, r.fail(t), "no local sources enabled; "+none)
		r.args = []string{"--local", "context=" + r.dir}
		if said := r.fail(t); !strings.Contains(said, "context canceled; "+none) { // 0.20.2 loses the error at times
			contains(t, said, `no access allowed to dir "dockerfile"; `+none)
		}
	})
}
