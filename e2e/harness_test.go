// Package e2e tests the frontend as its users meet it: the frontend's image, a real buildkitd, a real registry, buildctl
// and docker buildx, and images that are run. `make test` starts all of that; .dev/env names it.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// env is the running environment, from .dev/env.
var env struct {
	frontend, buildImage, runImage, busybox, empty, goImage, debian string
}

func TestMain(m *testing.M) {
	for name, to := range map[string]*string{
		"PACKFILE_FRONTEND":      &env.frontend,
		"PACKFILE_BUILD_IMAGE":   &env.buildImage,
		"PACKFILE_RUN_IMAGE":     &env.runImage,
		"PACKFILE_BUSYBOX_IMAGE": &env.busybox,
		"PACKFILE_EMPTY_IMAGE":   &env.empty,
		"PACKFILE_GO_IMAGE":      &env.goImage,
		"PACKFILE_DEBIAN_IMAGE":  &env.debian,
	} {
		if *to = os.Getenv(name); *to == "" {
			fmt.Fprintf(os.Stderr, "%s is not set: run `make test`, or `make up` and `. .dev/env`\n", name)
			os.Exit(1)
		}
	}
	code := m.Run()
	otherBuilder.Stop()
	oldest.Stop()
	os.Exit(code)
}

// files writes a project and returns its folder. A packfile.toml without a syntax line gets one.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, contents)
	return dir
}

func write(t *testing.T, dir string, contents map[string]string) {
	t.Helper()
	for name, text := range contents {
		if name == "packfile.toml" && !strings.HasPrefix(text, "# syntax=") {
			text = "# syntax=" + env.frontend + "\n" + text
		}
		if err := testbed.WriteFile(dir, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// built is what a build printed and left. What people read is asked of the log; which step ran, of the progress.
type built struct {
	log      string
	progress *testbed.Progress
	out      string // folder of a local export, "" for none
	err      error
}

// request is a build through buildctl. Images default to the small busybox ones.
type request struct {
	dir      string            // context and folder of the packfile
	opts     map[string]string // frontend options
	args     []string          // more arguments of buildctl
	target   string            // layer to export to a folder
	image    string            // name to push to
	output   string            // another --output
	buildImg string
	runImg   string
	host     string   // another daemon
	previous string   // image to take layers over from
	by       []string // command that starts buildctl
}

func (r request) build(t *testing.T) built {
	t.Helper()
	b := r.try(t)
	if b.err != nil {
		t.Fatalf("build failed: %v\n%s", b.err, b.log)
	}
	return b
}

// fail is the log of a build that must not succeed.
func (r request) fail(t *testing.T) string {
	t.Helper()
	b := r.try(t)
	if b.err == nil {
		t.Fatalf("build succeeded and should have failed\n%s", b.log)
	}
	return b.log
}

func (r request) try(t *testing.T) built {
	t.Helper()
	opts := map[string]string{"source": env.frontend, "filename": "packfile.toml"}
	opts["context:build-image"] = "docker-image://" + or(r.buildImg, env.busybox)
	opts["context:run-image"] = "docker-image://" + or(r.runImg, env.empty)
	if r.previous != "" {
		opts["context:previous"] = "docker-image://" + r.previous
	}
	trace := filepath.Join(t.TempDir(), "trace")
	args := []string{"build", "--progress=plain", "--trace=" + trace, "--frontend=gateway.v0"}
	for k, v := range r.opts {
		opts[k] = v
	}
	if _, remote := opts["context"]; !remote {
		args = append(args, "--local", "context="+r.dir, "--local", "dockerfile="+r.dir)
	}
	var b built
	switch {
	case r.target != "":
		opts["target"] = r.target
		b.out = t.TempDir()
		args = append(args, "--output", "type=local,dest="+b.out)
	case r.image != "":
		// The oldest BuildKit writes manifests of Docker's media types unless it is told.
		args = append(args, "--output", "type=image,push=true,oci-mediatypes=true,name="+r.image)
	case r.output != "":
		if strings.HasPrefix(r.output, "type=local") && r.runImg != "" && r.runImg != env.busybox {
			t.Fatal("export a whole image with type=tar: before BuildKit 0.34, type=local may not end")
		}
		args = append(args, "--output", r.output)
	}
	for k, v := range opts {
		if v != "" || k == "no-cache" {
			args = append(args, "--opt", k+"="+v)
		}
	}
	args = slices.Concat(r.by, []string{"buildctl"}, args, r.args)
	cmd := command(t, args[0], args[1:]...)
	if r.host != "" {
		cmd.Env = append(os.Environ(), "BUILDKIT_HOST="+r.host)
	}
	b.log, b.err = run(cmd)
	statuses, err := os.Open(trace)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.log)
	}
	defer statuses.Close()
	if b.progress, err = testbed.ReadTrace(statuses); err != nil {
		t.Fatal(err)
	}
	return b
}

// command ends with the test, at the latest after five minutes.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, name, args...)
}

// run is the output of a command, errors and all.
func run(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// must is the output of a command that has to succeed.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(command(t, name, args...))
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// buildx runs docker buildx build on a folder, with the images of a request.
func buildx(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	return run(buildxCommand(t, dir, append([]string{"--progress=plain"}, args...)...))
}

func buildxCommand(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	all := []string{"build", "-f", filepath.Join(dir, "packfile.toml"),
		"--build-context", "build-image=docker-image://" + env.busybox,
		"--build-context", "run-image=docker-image://" + env.empty}
	return command(t, "buildx", append(append(all, args...), dir)...)
}

// watch runs a build of docker buildx, which has to succeed, for what ran. Its log is only what is said beside the progress.
func watch(t *testing.T, buildx *exec.Cmd) (b built) {
	t.Helper()
	buildx.Args = slices.Insert(buildx.Args, 2, "--progress=rawjson")
	out, err := run(buildx)
	if b.progress, b.log = testbed.ReadRawJSON([]byte(out)); err != nil {
		t.Fatalf("%v\n%s%s", err, b.progress, b.log)
	}
	return b
}

var names atomic.Int64

// imageName is a name in the registry that no other test uses.
func imageName(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("%s/test/%d-%d:latest", registry(t), os.Getpid(), names.Add(1))
}

// registry is the address of the one that has the frontend, and that tests push to.
func registry(t *testing.T) string {
	t.Helper()
	address, _, ok := strings.Cut(env.frontend, "/")
	if !ok {
		t.Fatalf("PACKFILE_FRONTEND %q names no registry", env.frontend)
	}
	return address
}

// read is a file of a local export.
func (b built) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(b.out, name))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.log)
	}
	return string(data)
}

// ran says whether a vertex was executed, as opposed to found in the cache. It has to be there, with or without a reason in
// parentheses behind its name. Of several with that name, one is enough: the first may have been cancelled.
func (b built) ran(t *testing.T, vertex string) bool {
	t.Helper()
	if !b.hasVertex(vertex) {
		t.Fatalf("no vertex %q in the build:\n%s%s", vertex, b.progress, b.log)
	}
	return b.didRun(vertex)
}

// didRun says whether a vertex was there and executed.
func (b built) didRun(name string) bool {
	return slices.ContainsFunc(b.progress.Named(name), (*testbed.Vertex).Ran)
}

// hasVertex says whether a vertex of the name was there, executed or not.
func (b built) hasVertex(name string) bool { return len(b.progress.Named(name)) > 0 }

// executed are the names of vertices that match a pattern from their beginning to their end and were executed, as often as they were.
func (b built) executed(pattern string) (names []string) {
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	for _, v := range b.progress.Vertices() {
		if whole.MatchString(v.Name) && v.Ran() {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return names
}

// wantRan fails unless exactly the given vertices of all those named were executed.
func (b built) wantRan(t *testing.T, want map[string]bool) {
	t.Helper()
	for vertex, executed := range want {
		if got := b.ran(t, vertex); got != executed {
			t.Errorf("%s: executed: %t, want %t\n%s", vertex, got, executed, b.log)
		}
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// contains fails unless text has all the parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}
