package e2e

import (
	"archive/tar"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// example is what the test of a folder of examples/ needs to know.
type example struct {
	build, run string   // images
	answer     string   // part of what / answers
	source     string   // file that no version of a layer sees, with a Hello that the answer shows
	runs       []string // layers whose run step the edit executes, those of other modules as MODULE/LAYER
	keeps      []string // layers whose run step it does not execute
	app        string   // pattern of the only files of the app in the image; "" for all of it
}

func examples() map[string]example {
	return map[string]example{
		"c": {
			build: env.debian, run: env.debian, answer: "Hello from C",
			source: "public/index.html", keeps: []string{"server"}, app: "workspace/public/index.html",
		},
		"node": {
			build: env.buildImage, run: env.runImage, answer: "Hello from node v",
			source: "server.js", keeps: []string{"modules"},
		},
		"go": {
			build: env.goImage, run: env.empty, answer: "Hello from Go, built with go1.",
			source: "index.html", keeps: []string{"program"},
		},
		"modular": {
			build: env.buildImage, run: env.runImage, answer: "Hello from modules, on Node.js v",
			source: "server.js", keeps: []string{"node-engine/nodejs", "npm/modules"},
		},
		"site": {
			build: env.buildImage, run: env.runImage, answer: "Hello from a built site",
			source: "index.html", keeps: []string{"tools", "server"}, runs: []string{"pages"},
			app: `workspace/dist/(index\.html|assets/index-[\w-]+\.(js|css))`,
		},
		"static": {
			build: env.buildImage, run: env.runImage, answer: "Hello from a file",
			source: "public/index.html", keeps: []string{"server"},
		},
		"typescript": {
			build: env.buildImage, run: env.runImage, answer: "Hello from TypeScript on Node.js v",
			source: "src/server.ts", keeps: []string{"modules", "tools"}, runs: []string{"compile"},
		},
		"workspaces": {
			build: env.buildImage, run: env.runImage, answer: "Hello from two packages",
			source: "packages/greeting/index.js", keeps: []string{"modules"},
		},
	}
}

func TestExamplesAnswerAndAreRebuiltWithoutRunningWhatDidNotChange(t *testing.T) {
	t.Parallel()
	folders, err := os.ReadDir("../examples")
	if err != nil {
		t.Fatal(err)
	}
	all := examples()
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		e, ok := all[f.Name()]
		if !ok {
			t.Errorf("examples/%s has no entry in this test", f.Name())
			continue
		}
		delete(all, f.Name())
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			e.test(t, f.Name())
		})
	}
	for name := range all {
		t.Errorf("there is no examples/%s", name)
	}
}

func (e example) test(t *testing.T, name string) {
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS("../examples/"+name)); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "packfile.toml"), "# syntax=registry.example.com/packfile/frontend:1\n", "# syntax="+env.frontend+"\n")
	image := imageName(t)
	build := func() built {
		t.Helper()
		args := []string{"--build-context", "build-image=docker-image://" + e.build,
			"--build-context", "run-image=docker-image://" + e.run, "--target", "test", "--tag", image, "--push"}
		if ca := os.Getenv("PACKFILE_CA_CERTIFICATES"); ca != "" {
			args = append(args, "--secret", "id=ca-certificates,src="+ca)
		}
		return watch(t, buildxCommand(t, dir, args...))
	}

	build()
	first := ask(t, image)
	contains(t, first, e.answer)
	if e.app != "" {
		only := regexp.MustCompile("^(" + e.app + ")$")
		files := 0
		for name, f := range pull(t, image).tree(t, "app") {
			if f.Typeflag == tar.TypeDir {
				continue
			}
			if files++; !only.MatchString(name) {
				t.Errorf("%s is in the image", name)
			}
		}
		if files == 0 {
			t.Error("nothing of the app is in the image")
		}
	}

	// No build before, not even one of an earlier test run, had the same text.
	hello := "Hello " + strconv.FormatInt(time.Now().UnixNano(), 36)
	edit(t, filepath.Join(dir, e.source), "Hello from", hello+" from")
	second := build()
	want := map[string]bool{}
	vertex := func(layer string) string {
		if !strings.Contains(layer, "/") {
			layer = name + "/" + layer
		}
		return "[example/" + layer + "] run"
	}
	for _, layer := range e.keeps {
		want[vertex(layer)] = false
	}
	for _, layer := range e.runs {
		want[vertex(layer)] = true
	}
	second.wantRan(t, want)
	for _, v := range second.progress.Vertices() {
		if _, ok := want[v.Name]; !ok && runVertex.MatchString(v.Name) {
			t.Errorf("%s is not known to this test", v.Name)
		}
	}
	if got, want := ask(t, image), strings.Replace(first, "Hello from", hello+" from", 1); got != want {
		t.Errorf("after the edit it answers %q, want %q", got, want)
	}
}

// runVertex is the name of a run step.
var runVertex = regexp.MustCompile(`^\[[^]]*\] run$`)

// edit replaces a text in a file, in which it must be.
func edit(t *testing.T, file, old, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, with, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask starts an image, gets its page / and stops it.
func ask(t *testing.T, image string) string {
	t.Helper()
	res, body := get(t, image, "/", nil)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s\n%s", res.Status, body)
	}
	return body
}

// get starts an image, gets a page with some headers in the request, and stops it.
func get(t *testing.T, image, page string, headers map[string]string) (*http.Response, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	cmd := command(t, "../hack/run-image.sh", "-e", "PORT="+port, image)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	// The script takes its container with it, unless it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		if cmd.Cancel() == nil {
			<-ended
		}
	}()
	deadline := time.After(time.Minute)
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+page, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatalf("%s\n%s%v", res.Status, body, err)
			}
			return res, string(body)
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the container ended: %v\n%s", err, out.String())
		case <-deadline:
			t.Fatalf("no answer: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
