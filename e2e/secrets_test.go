package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// haystack is everything that a build leaves for others to read, by what it is.
type haystack map[string][]byte

// add adds some bytes, and what is packed in them.
func (h haystack) add(name string, data []byte) {
	h[name] = data
	if zr, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if unpacked, err := io.ReadAll(zr); err == nil {
			h.add(name+" unpacked", unpacked)
		}
	}
	var value any
	if json.Unmarshal(data, &value) == nil {
		h.addValue(name, value)
	}
}

// addValue adds what is packed in the strings of a JSON value: JSON in labels, base64 in provenance.
func (h haystack) addValue(name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			h.addValue(name+"."+key, v)
		}
	case []any:
		for i, v := range value {
			h.addValue(fmt.Sprintf("%s[%d]", name, i), v)
		}
	case string:
		if unpacked, err := base64.StdEncoding.DecodeString(value); err == nil && len(unpacked) > 8 {
			h.add(name+" unpacked", unpacked)
		}
		if strings.HasPrefix(value, "{") {
			h.add(name+" as JSON", []byte(value))
		}
	}
}

// has is where a text is, as it is or in base64.
func (h haystack) has(text string) (places []string) {
	for name, data := range h {
		if bytes.Contains(data, []byte(text)) || bytes.Contains(data, []byte(base64.StdEncoding.EncodeToString([]byte(text)))) {
			places = append(places, name)
		}
	}
	slices.Sort(places)
	return places
}

// addPushed adds everything that can be reached from something in the registry: manifests, configs, layers, attestations,
// and the layers and records of a cache.
func (h haystack) addPushed(t *testing.T, name string) {
	t.Helper()
	p := pushed{name: name}
	var reach func(what string, d ocispecs.Descriptor, data []byte)
	reach = func(what string, d ocispecs.Descriptor, data []byte) {
		what = strings.TrimSpace(what + " " + kindOf(d.MediaType))
		if _, seen := h[what+" "+sha(string(data))]; seen {
			return
		}
		h.add(what+" "+sha(string(data)), data)
		var m struct {
			Manifests, Layers []ocispecs.Descriptor
			Config            *ocispecs.Descriptor
			Subject           *ocispecs.Descriptor
		}
		if !strings.Contains(d.MediaType, "index") && !strings.Contains(d.MediaType, "manifest") {
			return
		}
		decode(t, data, &m)
		for _, d := range m.Manifests {
			if strings.Contains(d.MediaType, "manifest") {
				reach(what, d, raw(t, strings.TrimSuffix(name, ":latest")+"@"+d.Digest.String()))
			} else {
				m.Layers = append(m.Layers, d) // a cache is an index of layers
			}
		}
		if m.Config != nil {
			m.Layers = append(m.Layers, *m.Config)
		}
		for _, d := range m.Layers {
			reach(what, d, p.blobData(t, d.Digest))
		}
	}
	reach("", ocispecs.Descriptor{MediaType: "index"}, raw(t, name))
}

// kindOf is the part of a media type that tells what it is.
func kindOf(mediaType string) string {
	return mediaType[strings.LastIndexAny(mediaType, "./")+1:]
}

// secretsApp has a secret in every place where a build takes one.
type secretsApp struct {
	request
	secrets map[string]string // by place
	cache   string
}

func newSecretsApp(t *testing.T, script string) secretsApp {
	t.Helper()
	a := secretsApp{secrets: map[string]string{}, cache: imageName(t)}
	secret := func(place string) string {
		a.secrets[place] = "planted-" + strings.ReplaceAll(place, " ", "-") + "-" + sha(t.Name() + place)[:20]
		return a.secrets[place]
	}
	header := "Bearer " + secret("header of a dep's server")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != header {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "dep")
	}))
	t.Cleanup(server.Close)
	files := files(t, map[string]string{"app.txt": "app", "packfile.toml": sh + `
[[layers]]
name = "tool"
version = "1"
export = true
[layers.require]
inline = "test -n \"$TOKEN\"; echo asked"
secrets = [{ id = "env", env-as = "TOKEN" }]
[layers.provide]
secrets = [{ id = "file", path-as = "FILE" }, { id = "env", env-as = "TOKEN" }, { id = "printed", env-as = "PRINTED" }]
[layers.provide.test]
inline = "test -s \"$FILE\"; echo 1 > $MD/version"
secrets = [{ id = "file", path-as = "FILE" }]
[layers.provide.run]
inline = """
cp $(get-dep dep) $LAYER
test -s "$FILE" && test -n "$TOKEN"
echo "$PRINTED"
` + script + `
"""
[[layers.provide.deps]]
name = "dep"
version = "1"
uri = "` + server.URL + `/dep"
sha = "` + sha("dep") + `"
`})
	a.dir = files
	a.image = imageName(t)
	a.opts = map[string]string{"attest:provenance": "mode=max"}
	values := t.TempDir()
	for id, value := range map[string]string{
		"file": secret("file"), "env": secret("variable"), "printed": secret("printed"), "HTTP_AUTH_HEADER_127.0.0.1": header,
	} {
		file := filepath.Join(values, id)
		write(t, values, map[string]string{id: value})
		a.args = append(a.args, "--secret", "id="+id+",src="+file)
	}
	a.args = append(a.args, "--opt", "attest:sbom=", "--export-cache", "type=registry,mode=max,ref="+a.cache)
	return a
}

// left builds the app and collects all that it leaves.
func (a secretsApp) left(t *testing.T) haystack {
	t.Helper()
	b := a.build(t)
	h := haystack{}
	h.add("log", []byte(b.log))
	h.addPushed(t, a.image)
	h.addPushed(t, a.cache)
	return h
}

func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	a := newSecretsApp(t, "")
	h := a.left(t)
	if len(h) < 100 {
		t.Errorf("there are only %d things to look into", len(h))
	}
	for _, want := range []string{"packfile-step", "SPDX-2.3", "resolvedDependencies", "io.packfile.layers"} {
		if len(h.has(want)) == 0 {
			t.Errorf("%q, which must be there, was not found: the search is worth nothing", want)
		}
	}
	for place, secret := range a.secrets {
		for _, found := range h.has(secret) {
			// What a script prints is in the log, and in the log alone.
			if place != "printed" || found != "log" {
				t.Errorf("secret of %s: in %s", place, found)
			}
		}
	}
	equal(t, "places of what is printed", h.has(a.secrets["printed"]), []string{"log"})
}

func TestSecretThatAScriptLeavesInALayerIsFound(t *testing.T) {
	t.Parallel()
	a := newSecretsApp(t, `cp "$FILE" $LAYER/oops; echo "$TOKEN" > $MD/oops; echo "$PRINTED" | base64 > $LAYER/coded`)
	h := a.left(t)
	for place, where := range map[string]string{"file": "tar+gzip", "variable": "io.packfile.layers", "printed": "tar+gzip"} {
		if found := h.has(a.secrets[place]); !strings.Contains(strings.Join(found, "\n"), where) {
			t.Errorf("the secret of %s is found only in %q", place, found)
		}
	}
}

// TestCredentialsInOptionsAreInMaximalProvenanceOnly: BuildKit puts the options of a build, and the operations that they
// become, into provenance with mode=max. docs/sbom.md says so.
func TestCredentialsInOptionsAreInMaximalProvenanceOnly(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"min", "max"} {
		a := newSecretsApp(t, "")
		a.opts["attest:provenance"] = "mode=" + mode
		credentials := map[string]string{}
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"} {
			credentials[name] = "planted-" + strings.ToLower(name) + "-" + mode
			a.opts["build-arg:"+name] = "http://user:" + credentials[name] + "@127.0.0.1:9"
		}
		h := a.left(t)
		for name, secret := range credentials {
			found := h.has(secret)
			for _, place := range found {
				if mode == "min" || !strings.Contains(place, "in-toto") {
					t.Errorf("mode=%s: the password in %s is in %s", mode, name, place)
				}
			}
			if mode == "max" && found == nil {
				t.Errorf("mode=max: the password in %s is not in provenance any more: say so in docs/sbom.md", name)
			}
		}
	}
}

// gitServer serves the repository in a folder to a user with this password.
func gitServer(t *testing.T, dir, password string) (url string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"}} {
		must(t, "git", append([]string{"-C", dir}, args...)...)
	}
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + filepath.Dir(dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, given, _ := r.BasicAuth(); given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.URL.Path = strings.Replace(r.URL.Path, "app.git", filepath.Base(dir), 1)
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "://", "://user:"+password+"@", 1) + "/app.git"
}

// TestCredentialsInTheAddressOfAGitContext: BuildKit takes them out of the options in provenance, but not out of the log and
// of the operation that fetches it. docs/sbom.md says so.
func TestCredentialsInTheAddressOfAGitContext(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"min", "max"} {
		a := newSecretsApp(t, "")
		password := "planted-git-password-" + mode
		a.opts["attest:provenance"] = "mode=" + mode
		a.opts["context"] = gitServer(t, a.dir, password)
		found := a.left(t).has(password)
		for _, place := range found {
			if place != "log" && (mode == "min" || !strings.Contains(place, "in-toto")) {
				t.Errorf("mode=%s: the password is in %s", mode, place)
			}
		}
		if mode == "max" && len(found) < 2 {
			t.Error("the password is not in provenance any more: say so in docs/sbom.md")
		}
	}
}
