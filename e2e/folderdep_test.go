package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// Deps that are folders: images, Git repositories, named contexts.

// copies is a layer that holds a file of its one dep, and what get-dep noted of it. No script has the network.
func copies(uri string, pairs ...any) string {
	return testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "network", "none"),
		testbed.Layer("a").Export().Version("1").Run(`
cp "$(get-dep tool)/tool.txt" "$LAYER/tool.txt"
cp -r "$MD/deps/tool@1" "$LAYER/noted"
`).
			Dep("tool", "{{.version}}", uri, pairs...),
	)
}

// toolImage is the name of a new image, a name without a digest, that holds tool.txt and no program.
func toolImage(t *testing.T, text string) string {
	t.Helper()
	return dockerfile(t, packageFiles(t, map[string]string{"tool.txt": text}), "FROM scratch\nCOPY tool.txt /\n")
}

// commitOf is the commit that a repository is at.
func commitOf(t *testing.T, repo string) string {
	t.Helper()
	return strings.TrimSpace(must(t, "git", "-C", repo, "rev-parse", "HEAD"))
}

// repository is a repository that a server has at an address, which may change.
func servedRepository(t *testing.T, contents map[string]string) (dir, address string) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, "tool.git")
	must(t, "mkdir", dir)
	gitIn(t, dir, "init", "-q")
	write(t, dir, contents)
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-qm", "x")
	return dir, serveGit(t, base) + "/tool.git"
}

func TestADepIsAnImageARepositoryOrANamedContext(t *testing.T) {
	t.Parallel()
	image := toolImage(t, "image")
	digest := readImage(t, image).Digest.String()
	repo, address := servedRepository(t, map[string]string{"tool.txt": "git", "sub/tool.txt": "below"})
	commit := commitOf(t, repo)
	gitIn(t, repo, "tag", "-a", "-m", "x", "v1")
	layout, manifest := ociLayout(t, packageFiles(t, map[string]string{"tool.txt": "layout"}), "FROM scratch\nCOPY tool.txt /\n")
	folder := files(t, map[string]string{"tool.txt": "folder", "left.out": "x", ".dockerignore": "left.out\n"})
	for name, test := range map[string]struct {
		uri   string
		want  string
		noted map[string]string
		opts  map[string]string
		args  []string
	}{
		"an image by tag":    {uri: "docker://" + image, want: "image", noted: map[string]string{"digest": digest, "image": strings.TrimSuffix(image, ":latest")}},
		"an image by digest": {uri: "docker://" + strings.TrimSuffix(image, ":latest") + "@" + digest, want: "image", noted: map[string]string{"digest": digest}},
		"a repository":       {uri: address, want: "git", noted: map[string]string{"commit": commit}},
		"a branch":           {uri: address + "#main", want: "git", noted: map[string]string{"commit": commit}},
		"an annotated tag":   {uri: address + "#v{{.version}}", want: "git", noted: map[string]string{"commit": commit}},
		"a commit's folder":  {uri: address + "#" + commit + ":sub", want: "below", noted: map[string]string{"commit": commit}},
		"a context: an image": {uri: "context:tool", want: "image", noted: map[string]string{"digest": digest, "image": strings.TrimSuffix(image, ":latest")},
			opts: map[string]string{"context:tool": "docker-image://" + image}},
		"a context: a folder":     {uri: "context:tool", want: "folder", opts: map[string]string{"context:tool": "local:tool"}, args: []string{"--local", "tool=" + folder}},
		"a context: a repository": {uri: "context:tool", want: "below", opts: map[string]string{"context:tool": address + "#main:sub"}},
		"a context: an OCI layout": {uri: "context:tool", want: "layout", noted: map[string]string{"digest": manifest},
			opts: map[string]string{"context:tool": "oci-layout://tool@" + manifest}, args: []string{"--oci-layout", "tool=" + layout}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachBuildKit(t, func(t *testing.T, host string) {
				dir := files(t, map[string]string{"packfile.toml": copies(test.uri)})
				b := request{dir: dir, target: "a", host: host, opts: test.opts, args: test.args}.build(t)
				equal(t, "the file of the dep", b.read(t, "tool.txt"), test.want)
				equal(t, "the noted name", strings.TrimSpace(b.read(t, "noted/name")), "tool")
				for key, want := range test.noted {
					equal(t, "the noted "+key, strings.TrimSpace(b.read(t, "noted/"+key)), want)
				}
			})
		})
	}
}

func TestALayerWithAFolderDepIsReusedAsLongAsTheDepIsTheSame(t *testing.T) {
	t.Parallel()
	repo, address := servedRepository(t, map[string]string{"tool.txt": "one"})
	folder := files(t, map[string]string{"tool.txt": "one"})
	image := toolImage(t, "one")
	for name, test := range map[string]struct {
		uri    string
		r      request
		change func()
	}{
		"an image": {uri: "docker://" + image, change: func() {
			must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local=context="+files(t, map[string]string{"tool.txt": "two"}),
				"--local=dockerfile="+files(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool.txt /\n"}), "--output=type=image,push=true,name="+image)
		}},
		"a branch": {uri: address + "#main", change: func() {
			write(t, repo, map[string]string{"tool.txt": "two"})
			gitIn(t, repo, "commit", "-qam", "y")
		}},
		"a folder": {uri: "context:tool", change: func() { write(t, folder, map[string]string{"tool.txt": "two"}) },
			r: request{opts: map[string]string{"context:tool": "local:tool"}, args: []string{"--local", "tool=" + folder}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := test.r
			r.dir = files(t, map[string]string{"packfile.toml": copies(test.uri)})
			_, first := r.pushTo(t, imageName(t))
			again, same := r.pushTo(t, imageName(t))
			again.wantRan(t, map[string]bool{"[a] run": false})
			equal(t, "the image of the second build", same.digest, first.digest)

			r.host, r.previous = secondDaemon(t), first.name
			reused, other := r.pushTo(t, imageName(t))
			contains(t, reused.log, "[a] reused")
			if reused.hasVertex("[a] run") {
				t.Errorf("it was built again\n%s", reused.log)
			}
			equal(t, "the image of another builder", other.digest, first.digest)

			test.change()
			changed, next := r.pushTo(t, imageName(t))
			changed.wantRan(t, map[string]bool{"[a] run": true})
			contains(t, changed.log, "dep tool: ")
			if next.digest == first.digest {
				t.Error("the image is the same")
			}
		})
	}
}

func TestADepThatIsNotPinnedIsSaidWithWhatWouldPinIt(t *testing.T) {
	t.Parallel()
	image := toolImage(t, "x")
	repo, address := servedRepository(t, map[string]string{"sub/tool.txt": "x"})
	pinnedImage := "docker://" + image + "@" + readImage(t, image).Digest.String()
	for uri, pin := range map[string]string{
		"docker://" + image:   pinnedImage,
		address + "#main:sub": address + "#" + commitOf(t, repo) + ":sub",
	} {
		dir := files(t, map[string]string{"packfile.toml": copies(uri)})
		b := request{dir: dir}.build(t)
		contains(t, b.log, "packfile.toml:", "dep tool@1 is ", `pinned by: uri = "`+pin+`"`)
		write(t, dir, map[string]string{"packfile.toml": copies(pin)})
		pinned := request{dir: dir}.build(t)
		if strings.Contains(pinned.log, "pinned by") {
			t.Errorf("it is not pinned\n%s", pinned.log)
		}
	}
}

func TestAFolderDepThatCannotBeHadIsAnErrorAtItsURI(t *testing.T) {
	t.Parallel()
	_, address := servedRepository(t, map[string]string{"tool.txt": "x"})
	none := registry(t) + "/test/none:latest"
	for name, test := range map[string]struct {
		packfile string
		opts     map[string]string
		want     []string
	}{
		"no such image":  {packfile: copies("docker://" + none), want: []string{"packfile.toml:18:7: dep tool@1: " + none + ": ", "not found", ">>> uri = "}},
		"no such host":   {packfile: copies("docker://nowhere.invalid/tool"), want: []string{"packfile.toml:18:7: dep tool@1: nowhere.invalid/tool: ", "nowhere.invalid"}},
		"no such branch": {packfile: copies(address + "#none"), want: []string{"packfile.toml:18:7: dep tool@1: " + address + "#none: ", "none"}},
		"nobody gave the context": {packfile: copies("context:tool"),
			want: []string{`packfile.toml:18:7: dep tool@1: there is no named context "tool" (give one with --build-context tool=…`}},
		"an empty context": {packfile: copies("context:tool"), opts: map[string]string{"context:tool": "docker-image://scratch"},
			want: []string{"packfile.toml:18:7: dep tool@1: ", "it is empty"}},
		"a context that is not to be had": {packfile: copies("context:tool"), opts: map[string]string{"context:tool": "docker-image://" + none},
			want: []string{"packfile.toml:18:7: dep tool@1: named context tool: " + none + ": "}},
		"an image of another platform": {packfile: copies("docker://"+toolImage(t, "x"), "platform", foreign()),
			want: []string{"packfile.toml:18:7: dep tool@1: ", foreign()}},
		"a template that makes another kind of it": {packfile: copies("{{.uri}}") + "\n[layers.metadata]\nuri = \"docker://registry.example.com/x\"\n",
			want: []string{`"docker://registry.example.com/x" is an image, and its template looks like that of a file`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := request{dir: files(t, map[string]string{"packfile.toml": test.packfile}), opts: test.opts}.fail(t)
			contains(t, text, test.want...)
			if strings.Contains(text, "cache key") {
				t.Errorf("it speaks of BuildKit's cache\n%s", text)
			}
		})
	}
}

func TestSBOMAndProvenanceNameDepsThatAreFolders(t *testing.T) {
	t.Parallel()
	image := toolImage(t, "x")
	digest := readImage(t, image).Digest
	repo, address := servedRepository(t, map[string]string{"tool.txt": "x", "sub/tool.txt": "y"})
	commit := commitOf(t, repo)
	r := request{opts: map[string]string{"attest:provenance": "mode=max", "attest:sbom": "true"}, dir: files(t, map[string]string{"packfile.toml": testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu"),
		testbed.Layer("a").Export().Version("1").Run(`cp "$(get-dep image)"/* "$(get-dep all)/tool.txt" "$(get-dep sub)/tool.txt" $LAYER`).
			Dep("image", "1", "docker://"+image).
			Dep("all", "1", address+"#main").
			Dep("sub", "1", address+"#"+commit+":sub"),
	)})}
	check := func(what string, a attested) {
		t.Helper()
		all := a.materials(t, "linux/amd64")
		hasMaterial(t, what, all, repositoryOf(image), digest.Encoded())
		found := map[string]bool{}
		for _, m := range all {
			found[m.Digest["sha1"]] = true
		}
		if !found[commit] {
			t.Errorf("%s: no commit %s in %+v", what, commit, all)
		}
		bill := a.bill(t, "linux/amd64")
		if p := bill.one(t, "image", ""); p.PackageChecksums[0].Value != digest.Encoded() {
			t.Errorf("%s: %+v", what, p)
		}
		bill.one(t, "all", asSPDX(address)+"@"+commit)
		bill.one(t, "sub", asSPDX(address)+"@"+commit+"#sub")
	}
	_, first := r.attest(t)
	check("first build", first)
	r.previous, r.image, r.host = first.name, "", otherDaemon(t)
	b, reused := r.attest(t)
	if b.hasVertex("[a] run") {
		t.Errorf("the layer was not reused:\n%s", b.log)
	}
	for _, pulled := range b.executed(`\[a\] dep .*`) {
		t.Errorf("%s was fetched for a layer that is reused\n%s", pulled, b.log)
	}
	check("layer of the previous image on another builder", reused)
}

// asSPDX is the address of a repository as SPDX has it.
func asSPDX(address string) string {
	if strings.HasPrefix(address, "git:") {
		return address
	}
	return "git+" + address
}

func TestAModuleHasTheNamedContextThatItsEntryLists(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": sh + uses("modules/tool") + "contexts = [\"tool\"]\n"})
	write(t, dir, under("modules/tool", map[string]string{"packfile.toml": module("acme/tool@1",
		"[[layers]]\nname = 'a'\n[layers.build]\nrun.inline = 'cp $(get-dep tool)/file $LAYER'\n[[layers.build.deps]]\nname = 'tool'\nuri = 'context:tool'\n")}))
	folder := t.TempDir()
	write(t, folder, map[string]string{"file": "given"})
	b := request{dir: dir, target: "a", opts: map[string]string{"context:tool": "local:tool"}, args: []string{"--local", "tool=" + folder}}.build(t)
	equal(t, "file of the context", b.read(t, "file"), "given")
}

func TestAModuleHasNoNamedContextUnaskedAndItsRepositoriesGetNoTokens(t *testing.T) {
	t.Parallel()
	const layer = "[[layers]]\nname = 'a'\n[layers.build]\nrun.inline = 'get-dep tool'\n[[layers.build.deps]]\nname = 'tool'\n"
	folder := t.TempDir()
	for uri, want := range map[string]string{
		"context:tool":                 `module acme/tool@1 needs named context "tool", which it is not given`,
		"ssh://git@127.0.0.1/tool.git": "which modules have not",
	} {
		dir := files(t, map[string]string{"packfile.toml": sh + uses("modules/tool")})
		write(t, dir, under("modules/tool", map[string]string{"packfile.toml": module("acme/tool@1", layer+"uri = '"+uri+"'\n")}))
		text := request{dir: dir, opts: map[string]string{"context:tool": "local:tool"}, args: []string{"--local", "tool=" + folder}}.fail(t)
		contains(t, text, want)
		if strings.HasPrefix(uri, "context:") {
			contains(t, text, `add contexts = ["tool"] to its entry`, ">>> [[buildpacks]]")
		}
	}
}

func TestEachPlatformHasItsOwnImageOfADepUnlessThePackfileNamesOne(t *testing.T) {
	t.Parallel()
	if len(natives()) < 2 {
		t.Skip("this machine runs one platform")
	}
	image := imageName(t)
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--opt=platform="+strings.Join(natives(), ","),
		"--local=context="+files(t, map[string]string{"amd64": "amd64", "386": "386", "arm64": "arm64", "arm": "arm"}),
		"--local=dockerfile="+files(t, map[string]string{"Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /tool.txt\n"}),
		"--output=type=image,push=true,name="+image)
	text := testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu"),
		testbed.Layer("a").Export().Version("1").Run(`cp "$(get-dep own)/tool.txt" $LAYER/own; cp "$(get-dep first)/tool.txt" $LAYER/first`).
			Dep("own", "1", "docker://"+image).
			Dep("first", "1", "docker://"+image, "platform", natives()[0]),
	)
	r := request{dir: files(t, map[string]string{"packfile.toml": text}), opts: map[string]string{"platform": strings.Join(natives(), ",")}}
	_, img := r.pushTo(t, imageName(t))
	for _, p := range natives() {
		layer := img.of(t, p).tree(t, "layer a")
		equal(t, "its own on "+p, strings.TrimSpace(layer["layers/packfile/a/own"].content), arch(p))
		equal(t, "that of the first on "+p, strings.TrimSpace(layer["layers/packfile/a/first"].content), arch(natives()[0]))
	}
}
