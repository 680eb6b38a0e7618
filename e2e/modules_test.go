package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Modules: packfiles that require and provide each other. The rules are in files modules_*_test.go, one for each of their
// ideas; here is what they write projects and archives with.

// ownFilesOnly leaves what describes a build out of the app.
const ownFilesOnly = "*.toml\n*.yaml\n*.tgz\n*.cnb\n*.tar\n.dockerignore\nmodules\n"

// module is a module's packfile for the busybox build image.
func module(id, text string) string {
	id, version, _ := strings.Cut(id, "@")
	head := fmt.Sprintf("[config]\nid = %q\nshell = \"/bin/sh -eu\"\n", id)
	if version != "" {
		head += fmt.Sprintf("version = %q\n", version)
	}
	return head + text
}

// uses names folders of modules, or whatever else has a uri.
func uses(uris ...string) (text string) {
	for _, uri := range uris {
		text += fmt.Sprintf("[[buildpacks]]\nuri = %q\n", uri)
	}
	return text
}

// group is an [[order]] of modules: ID, ID@VERSION, and with a question mark behind them for optional ones.
func group(entries ...string) string {
	text := "[[order]]\n"
	for _, e := range entries {
		name, optional := strings.CutSuffix(e, "?")
		id, version, _ := strings.Cut(name, "@")
		text += fmt.Sprintf("[[order.group]]\nid = %q\noptional = %t\n", id, optional)
		if version != "" {
			text += fmt.Sprintf("version = %q\n", version)
		}
	}
	return text
}

// provides is a layer that the module makes for others; run is its script.
func provides(name, run string) string {
	return fmt.Sprintf("[[layers]]\nname = %q\n[layers.provide.run]\ninline = '''\n%s\n'''\n", name, run)
}

// requires is a layer that the module wants of others; flags are more keys of it.
func requires(name, flags string) string {
	return fmt.Sprintf("[[layers]]\nname = %q\n%s\n[layers.require]\n", name, flags)
}

// builds is a layer that the module wants and makes itself.
func builds(name, flags, run string) string {
	return fmt.Sprintf("[[layers]]\nname = %q\n%s\n[layers.build.run]\ninline = '''\n%s\n'''\n", name, flags, run)
}

// process is a process that is a shell script.
func process(kind, script string) string {
	return fmt.Sprintf("[[processes]]\ntype = %q\ncommand = [\"sh\", \"-c\", '''%s''']\n", kind, script)
}

// modularApp writes a project of modules: a packfile, and under modules/NAME those of the map.
func modularApp(t *testing.T, packfile string, modules map[string]string) string {
	t.Helper()
	contents := map[string]string{"packfile.toml": sh + packfile, ".dockerignore": ownFilesOnly, "app.txt": "app"}
	for name, text := range modules {
		contents["modules/"+name+"/packfile.toml"] = text
	}
	return files(t, contents)
}

// allOf names the folders of a map of modules, in order of their names.
func allOf(modules map[string]string) string {
	var uris []string
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		uris = append(uris, "modules/"+name)
	}
	return uses(uris...)
}

// archive is a tar archive of files by name.
func archive(t *testing.T, contents map[string]string) string {
	t.Helper()
	var headers []entry
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		headers = append(headers, entry{Header: tar.Header{Name: name, Typeflag: tar.TypeReg}, content: contents[name]})
	}
	return tarOf(t, headers...)
}

// entry is one of an archive.
type entry struct {
	tar.Header
	content string
}

func tarOf(t *testing.T, entries ...entry) string {
	t.Helper()
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	for _, e := range entries {
		h := e.Header
		h.Size = int64(len(e.content))
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	if _, err := zw.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// plan is the answer to --call=packfile.plan for one platform.
type plan struct {
	Modules []struct{ ID, Version, From string }
	Entries []struct {
		Name      string
		Providers []string
		Requires  []struct {
			By, From string
			Metadata map[string]any
		}
	}
	Failed []struct {
		Modules []struct {
			Module, Why string
			Optional    bool
		}
	}
}

// members are the modules that take part.
func (p plan) members() (ids []string) {
	for _, m := range p.Modules {
		ids = append(ids, m.ID)
	}
	return ids
}

// planned asks which modules take part in a build of a folder, through docker buildx.
func planned(t *testing.T, dir string, args ...string) plan {
	t.Helper()
	out, err := buildx(t, dir, append([]string{"--call=packfile.plan,format=json"}, args...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, text, _ := strings.Cut("\n"+out, "\n{")
	text, _, _ = strings.Cut("{"+text, "\n}")
	var answer struct{ Platforms []plan }
	if err := json.Unmarshal([]byte(text+"\n}"), &answer); err != nil || len(answer.Platforms) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	return answer.Platforms[0]
}

// planText asks the same through buildctl, and is the tables that people read.
func (r request) planText(t *testing.T) string {
	t.Helper()
	opts := maps.Clone(r.opts)
	if opts == nil {
		opts = map[string]string{}
	}
	opts["requestid"] = "frontend.packfile.plan"
	r.opts = opts
	log := r.build(t).log
	for _, heading := range []string{"GROUP ", "MODULE "} {
		if i := strings.Index(log, "\n"+heading); i >= 0 {
			return log[i+1:]
		}
	}
	t.Fatalf("no plan in\n%s", log)
	return ""
}

// files builds an image into a folder, as its files.
func (r request) files(t *testing.T) built {
	t.Helper()
	out := t.TempDir()
	r.output = "type=local,dest=" + out
	b := r.build(t)
	b.out = out
	return b
}

// has says whether an export has a file.
func (b built) has(name string) bool {
	_, err := os.Lstat(filepath.Join(b.out, name))
	return err == nil
}
