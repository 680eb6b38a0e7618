package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moby/buildkit/client"
)

// app is a public app that is not ours. Its packfile, and its Dockerfile when it has none of its own, are in testdata/apps.
type app struct {
	name    string
	from    string // arguments of get-app.sh
	prepare string // shell command that is run once in its folder, "" for none
	edit    string // shell command that changes a source; $N is different each time
	bump    string // shell command that changes a dependency, "" if it has none
	build   string // base image of steps
	run     string // base image of the app image
	args    string // of the container; @PORT@ is a free port, which is in PORT as well
	path    string // is asked for over HTTP; "" if the app prints its answer
	want    string // is in the answer
}

// A lock file is made as of this day, so that it is the same tomorrow.
const npmLock = "npm install --package-lock-only --ignore-scripts --before 2025-01-01"

var apps = []app{
	{
		name: "json-server", from: "npm json-server@1.0.0-beta.3 .", build: "build", run: "run",
		prepare: npmLock + ` && echo '{"posts": [{"id": "1", "title": "first post"}]}' >db.json`,
		edit:    `sed -i "s/Watching/Watching $N/" lib/bin.js && echo "// $N" >>lib/app.js`,
		bump:    npmLock + " chalk@5.2.0",
		args:    "--port @PORT@ db.json", path: "/posts/1", want: "first post",
	},
	{
		name: "prometheus-ui", from: "go github.com/prometheus/prometheus@v0.305.1 web/ui", build: "build", run: "run",
		edit: `echo "// $N" >>module/codemirror-promql/src/index.ts`,
		args: "rate(up[5m])", want: "MatrixSelector",
	},
	{
		name: "go-containerregistry", from: "go github.com/google/go-containerregistry@v0.20.2 .", build: "go", run: "empty",
		edit: `sed -i "s/Crane is a tool/Crane $N is a tool/" cmd/crane/cmd/root.go`,
		bump: "go get github.com/spf13/pflag@v1.0.6",
		args: "--port @PORT@", path: "/v2/_catalog", want: "repositories",
	},
	{
		name: "vite-vue", from: "npm create-vite@5.5.5 template-vue", build: "build", run: "busybox",
		prepare: npmLock, edit: `sed -i "s/<h1>/<h1>$N /" src/components/HelloWorld.vue`, bump: npmLock + " vue@3.5.11",
		args: "@PORT@", path: "/", want: "<title>Vite + Vue</title>",
	},
	{
		name: "httpbin", from: "deb python3-httpbin usr/lib/python3/dist-packages", build: "build", run: "run",
		edit: `echo "# $N" >>httpbin/core.py`, bump: `echo python3-simplejson >>packages.txt && sed -i 's/"python3-six"/&, "python3-simplejson"/' packfile.toml`,
		args: "--host 127.0.0.1 --port @PORT@", path: "/uuid", want: `"uuid"`,
	},
	{
		name: "go-httpbin", from: "go github.com/mccutchen/go-httpbin/v2@v2.26.0 .", build: "go", run: "empty",
		edit: `echo "// $N" >>httpbin/helpers.go`,
		path: "/uuid", want: `"uuid"`,
	},
	{
		name: "mini-httpd", from: "deb-src mini-httpd .", build: "c", run: "empty",
		edit: `sed -i "s/mini_httpd\//mini_httpd-$N\//" version.h`, args: "-p @PORT@", path: "/", want: "mini_httpd",
	},
}

func appNames() (names []string) {
	for _, one := range apps {
		names = append(names, one.name)
	}
	return names
}

// appBases are the images that apps are built in (tools) and put on, each from one of the development environment. A text is added to
// a Dockerfile as root.
var appBases = map[string]struct {
	image string
	tools bool
	text  string
}{
	"build":   {"PACKFILE_BUILD_IMAGE", true, ""},
	"go":      {"PACKFILE_GO_IMAGE", true, "RUN apt-get update && apt-get install -y --no-install-recommends make\n"},
	"c":       {"PACKFILE_BUILD_IMAGE", true, "RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev make\n"},
	"run":     {"PACKFILE_RUN_IMAGE", false, ""},
	"empty":   {"PACKFILE_EMPTY_IMAGE", false, ""},
	"busybox": {"PACKFILE_BUSYBOX_IMAGE", false, ""},
}

// appBench is about public apps, on daemons that are empty.
type appBench struct {
	*cold
	bases   map[string]bool // those that are made
	changes int             // so far
}

// measureApps is about public apps, each beside a Dockerfile.
func (b *bench) measureApps() error { return b.onCold((*cold).measureApps) }

func (c *cold) measureApps() error {
	a := &appBench{cold: c, bases: map[string]bool{}}
	failed := 0
	for _, one := range apps {
		if !contains(c.apps, one.name) {
			continue
		}
		if err := a.measure(one); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s could not be measured: %v\n", one.name, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d apps", failed)
	}
	return nil
}

// base returns a base image by its name in appBases. It makes each when it is first needed.
func (a *appBench) base(name string) (string, error) {
	ref := a.registry.Address + "/" + baseRepository + name + ":1"
	if a.bases[name] {
		return ref, nil
	}
	from := appBases[name]
	if file := os.Getenv("PACKFILE_CA_CERTIFICATES"); file != "" && from.tools {
		certificates, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		// What this machine's steps trust: the frontends have different ways to say so.
		from.text = "COPY <<'EOF' /etc/ssl/certs/ca-certificates.crt\n" + string(certificates) + "EOF\n" + from.text
	}
	if from.tools {
		from.text = "USER root\n" + from.text
	}
	if err := a.derive(os.Getenv(from.image), from.text, ref); err != nil {
		return "", fmt.Errorf("base image %s: %w", name, err)
	}
	a.bases[name] = true
	return ref, nil
}

// get makes the folder of an app.
func (a *appBench) get(one app) (string, error) {
	dir := filepath.Join(a.tmp, one.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := a.inShell("hack/bench/get-app.sh "+one.from+" "+dir, "."); err != nil {
		return "", err
	}
	if err := a.inShell("cp -R hack/bench/testdata/apps/"+one.name+"/. "+dir, "."); err != nil {
		return "", err
	}
	return dir, a.inShell(one.prepare, dir)
}

// changed returns a copy of an app's folder in which a command was run.
func (a *appBench) changed(dir, command string) (string, error) {
	a.changes++
	to := fmt.Sprintf("%s-%d", dir, a.changes)
	if err := a.inShell("cp -R "+dir+" "+to, "."); err != nil {
		return "", err
	}
	return to, a.inShell(command, to)
}

func (a *appBench) inShell(command, dir string) error {
	cmd := exec.CommandContext(a.ctx, "bash", "-euc", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("N=%s%d", a.id[:8], a.changes))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return nil
}

func (a *appBench) image(one app, f frontend, tag string) string {
	return a.images.registry + "/" + appRepository + one.name + "-" + f.String() + ":" + tag
}

var fromLine = regexp.MustCompile(`(?m)^FROM (\S+)`)

// appRequest asks a frontend to build an app. The images that the Dockerfile names are ours: the last one is what the app is put on.
func (a *appBench) appRequest(one app, f frontend, dir, to string) (client.SolveOpt, error) {
	opt, err := a.request(f, dir)
	if err != nil {
		return opt, err
	}
	opt.Exports = pushTo(to)
	build, err := a.base(one.build)
	if err != nil {
		return opt, err
	}
	run, err := a.base(one.run)
	if err != nil {
		return opt, err
	}
	build, run = "docker-image://"+build, "docker-image://"+run
	if f == packfile {
		opt.FrontendAttrs["context:build-image"], opt.FrontendAttrs["context:run-image"] = build, run
		return opt, nil
	}
	opt.FrontendAttrs["cmdline"] = a.images.dockerfile // this frontend, whatever the first line of the file says
	opt.CacheExports = []client.CacheOptionsEntry{{Type: "inline"}}
	text, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		return opt, err
	}
	names := fromLine.FindAllStringSubmatch(string(text), -1)
	for i, m := range names {
		switch {
		case i == len(names)-1:
			opt.FrontendAttrs["context:"+m[1]] = run
		case strings.Contains(m[1], ":"): // not a stage
			opt.FrontendAttrs["context:"+m[1]] = build
		}
	}
	return opt, nil
}

// ask runs an image and returns an error when it does not answer as it should.
func (a *appBench) ask(one app, ref string) error {
	cmd := exec.CommandContext(a.ctx, "hack/bench/ask-app.sh", ref, one.path, one.want, one.args)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not answer: %w\n%s", ref, err, out)
	}
	return nil
}
