package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
)

// The three hard rules of the keyed view. Each of these tests fails without its rule.

// viewed has a versioned layer, whose run step sees the app through a keyed view, and leaves what it saw.
const viewed = sh + `
[[layers]]
name = "a"
export = true
version = "VERSION"
[layers.build.run]
inline = "cp who.txt $LAYER/who"
`

// Two local sources with equal options are one for the daemon, unless the view's key tells them apart.
func TestBuildsAtTheSameTimeSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	const rounds, builds = 3, 4
	for round := range rounds {
		results := make([]built, builds)
		var wg sync.WaitGroup
		for i := range builds {
			who := fmt.Sprintf("%d-%d", round, i)
			dir := files(t, map[string]string{"who.txt": who, "packfile.toml": replace(viewed, "VERSION", who+t.TempDir())})
			r := request{dir: dir, target: "a"}
			wg.Go(func() { results[i] = r.try(t) })
		}
		wg.Wait()
		for i, b := range results {
			if b.err != nil {
				t.Fatalf("%v\n%s", b.err, b.log)
			}
			if want := fmt.Sprintf("%d-%d", round, i); b.read(t, "who") != want {
				t.Errorf("build %s saw the file of build %s", want, b.read(t, "who"))
			}
		}
	}
}

func TestTargetsOfOneBakeSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		base := t.TempDir()
		bake := "group \"default\" {\n  targets = [\"one\", \"two\"]\n}\n"
		for _, name := range []string{"one", "two"} {
			write(t, filepath.Join(base, name), map[string]string{
				"who.txt":       name,
				"packfile.toml": replace(viewed, "VERSION", fmt.Sprint(name, round, base)),
			})
			bake += fmt.Sprintf(`
target %q {
  context = %q
  dockerfile = "packfile.toml"
  target = "a"
  contexts = {
    build-image = "docker-image://%s"
    run-image = "docker-image://%s"
  }
  output = ["type=local,dest=%s"]
}
`, name, filepath.Join(base, name), env.busybox, env.empty, filepath.Join(base, "out-"+name))
		}
		write(t, base, map[string]string{"docker-bake.hcl": bake})
		out, err := run(command(t, "buildx", "bake", "--progress=plain", "--allow", "fs.write="+base, "--allow", "fs.read="+base, "-f", filepath.Join(base, "docker-bake.hcl")))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, name := range []string{"one", "two"} {
			if got := (built{out: filepath.Join(base, "out-"+name)}).read(t, "who"); got != name {
				t.Errorf("target %s saw the file of target %s", name, got)
			}
		}
	}
}

// A nested build without a definition crashes the daemon.
func TestEmptyContextIsAnEmptyAppAndHarmsNobody(t *testing.T) {
	t.Parallel()
	packfile := sh + `
[[layers]]
name = "a"
export = true
version = "` + t.TempDir() + `"
[layers.build.run]
inline = "ls -A $APP > $LAYER/files"

[[layers]]
name = "b"
[layers.build]
inputs = ["**/*.json"]
[layers.build.run]
inline = "ls -A $APP > $LAYER/files"
`
	dir := files(t, map[string]string{"packfile.toml": packfile})
	t.Run("folder", func(t *testing.T) {
		for _, target := range []string{"a", "b"} {
			r := request{dir: dir, target: target, args: []string{"--local", "context=" + t.TempDir()}}
			if got := r.build(t).read(t, "files"); got != "" {
				t.Errorf("layer %s saw %q", target, got)
			}
		}
	})
	t.Run("input without a definition", func(t *testing.T) {
		c, err := client.New(t.Context(), os.Getenv("BUILDKIT_HOST"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, target := range []string{"", "a", "b"} {
			_, err = c.Solve(t.Context(), nil, client.SolveOpt{
				Frontend: "gateway.v0",
				FrontendAttrs: map[string]string{
					"source": env.frontend, "filename": "packfile.toml", "target": target,
					"context:build-image": "docker-image://" + env.busybox, "context:run-image": "docker-image://" + env.empty,
				},
				FrontendInputs: map[string]llb.State{
					"context":    llb.Scratch(),
					"dockerfile": llb.Scratch().File(llb.Mkfile("/packfile.toml", 0o644, []byte(packfile))),
				},
			}, nil)
			if err == nil {
				t.Errorf("target %q: a context without a definition was built", target)
			}
		}
	})
	must(t, "buildctl", "debug", "workers")
}

// Two projects on one daemon with the same layers never see each other's app.
func TestProjectsWithEqualLayersSeeTheirOwnFiles(t *testing.T) {
	t.Parallel()
	packfile := replace(viewed, "VERSION", t.TempDir())
	for _, who := range []string{"one", "two"} {
		dir := files(t, map[string]string{"who.txt": who, "packfile.toml": packfile})
		r := request{dir: dir, target: "a", opts: map[string]string{"build-arg:PACKFILE_APP": who}}
		if got := r.build(t).read(t, "who"); got != who {
			t.Errorf("project %s saw the file of project %s", who, got)
		}
	}
}
