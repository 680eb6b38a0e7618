package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	descriptor "github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// What the documentation shows is tried here. The words behind the language of a fenced block, which no reader sees, say
// how:
//
//	toml, yaml      a packfile, which is built, in the busybox image
//	  part          without the config that names a shell, which is added
//	  layer         the keys of one layer, whose header is added as well
//	  debian        built in the Debian image
//	  project       a project descriptor instead of a packfile
//	  warns=RULE    lint has this to say, and nothing else; without it, nothing at all
//	  wrong         not valid: the text block that follows is what is said about it
//	  file=NAME     not built but written, for the commands of its page
//	sh              commands, run in the order of the page; the text block that follows has lines of their output, in
//	                which … stands for anything
//	  fails         and they have to fail
//	  not-run       needs something that a test has not got

// block is a fenced block of a page.
type block struct {
	page     string
	line     int
	language string
	words    []string
	text     string
	next     *block // the one below, unless there is a heading between them
}

func (b *block) is(word string) bool { return slices.Contains(b.words, word) }

func (b *block) value(name string) string {
	for _, w := range b.words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// isPackfile says whether a block is a packfile to be built or refused.
func (b *block) isPackfile() bool {
	return (b.language == "toml" || b.language == "yaml") && b.value("file") == ""
}

// filename of a packfile or project descriptor.
func (b *block) filename() string {
	if b.is("project") {
		return "project.toml"
	}
	return "packfile." + b.language
}

// packfile is the block's text with what its words say is to be added.
func (b *block) packfile() string {
	text := b.text
	if b.is("layer") {
		text = "[[layers]]\nname = \"example\"\nexport = true\n" + text
	}
	switch {
	case !b.is("part") && !b.is("layer"):
		return text
	case b.language == "yaml":
		return "config: { shell: /bin/sh -eu }\n" + text
	}
	return sh + text
}

// pages are all pages of the documentation, from the root of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	list := []string{"README.md"}
	for _, f := range found {
		list = append(list, "docs/"+filepath.Base(f))
	}
	return list
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile("../" + page)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func blocks(t *testing.T, page string) []*block {
	t.Helper()
	var found []*block
	var open *block
	heading := true
	for i, line := range strings.Split(readPage(t, page), "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case open != nil && fence:
			found, open, heading = append(found, open), nil, false
		case open != nil:
			open.text += line + "\n"
		case fence:
			words := append(strings.Fields(info), "")
			open = &block{page: page, line: i + 1, language: words[0], words: words[1:]}
			if len(found) > 0 && !heading {
				found[len(found)-1].next = open
			}
		case strings.HasPrefix(line, "#"):
			heading = true
		}
	}
	if open != nil {
		t.Fatalf("%v: the block has no end", open)
	}
	return found
}

// standIns replaces the names that stand for the reader's own by those of the test environment.
func standIns(t *testing.T) *strings.Replacer {
	t.Helper()
	downloads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".tar") {
			_, _ = w.Write(docsArchive)
			return
		}
		fmt.Fprintln(w, path.Base(r.URL.Path))
	}))
	t.Cleanup(downloads.Close)
	platforms := strings.Split(os.Getenv("PACKFILE_NATIVE_PLATFORMS"), ",")
	_, rules := servedRepository(t, map[string]string{"lint/rules.txt": "rules\n"})
	return strings.NewReplacer(
		"registry.example.com/packfile/frontend:1", env.frontend,
		"registry.example.com/build:1", env.buildImage,
		"registry.example.com/run:1", env.runImage,
		"registry.example.com/go:1", env.goImage,
		"registry.example.com/busybox:1", env.busybox,
		"registry.example.com/empty:1", env.empty,
		"registry.example.com/debian:12", env.debian,
		"registry.example.com/lifecycle:1", lifecycleImage(t, ""),
		"registry.example.com", strings.TrimSuffix(imageName(t), ":latest"),
		"https://downloads.example.com", downloads.URL,
		"https://git.example.com/rules.git", rules,
		"linux/amd64,linux/arm64", strings.Join(platforms, ","),
	)
}

// docsProject is the app that packfiles of the documentation are about.
var docsProject = map[string]string{
	"package.json": "{}\n", "package-lock.json": "{}\n", "schema/user.json": "{}\n", "src/main.c": "int main() {}\n",
	"version.txt": "1.2.0\n", "public/index.html": "<h1>Hello</h1>\n", "public/assets/logo.svg": "<svg/>\n",
	"scripts/install.sh": "echo installed\n", "scripts/profile.sh": "export COLOR=red\n",
	"apt/vendor.list": "# no source yet\n", "apt/vendor.asc": "no key yet\n", "deps/offline@1.0": "offline\n", "token": "a secret", "app/[slug]/page.tsx": "export default 1\n",
	"modules/tools/packfile.toml": docsModule("tools") + "[layers.provide.run]\ninline = 'mkdir $LAYER/bin'\n",
	"modules/words/packfile.toml": docsWords,
}

// docsWords is a module that needs another, which makes its layer tool.
var docsWords = docsModule("words") + "[layers.require]\n[[layers]]\nname = 'words'\nexport = true\n" +
	"[layers.build]\ninputs = ['version.txt']\nrun.inline = 'cp version.txt $LAYER'\nlinks = [{ name = 'tool' }]\n"

func docsModule(name string) string {
	return "[config]\nid = 'example/" + name + "'\nversion = '1.0.0'\nshell = '/bin/sh -eu'\n[[layers]]\nname = 'tool'\n"
}

// docsArchive is what the server of downloads has under names that end in .tar. The documentation knows its checksum.
var docsArchive = func() []byte {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	h := &tar.Header{Name: "packfile.toml", Mode: 0o644, Size: int64(len(docsWords)), Format: tar.FormatUSTAR}
	if err := w.WriteHeader(h); err != nil {
		panic(err)
	}
	if _, err := w.Write([]byte(docsWords)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return data.Bytes()
}()

func writeKey(t *testing.T, file string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDocsPackfilesBuildAndWrongOnesAreRefusedAsShown(t *testing.T) {
	t.Parallel()
	names := standIns(t)
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if !b.isPackfile() {
				continue
			}
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				if b.is("wrong") {
					b.refused(t)
					return
				}
				b.linted(t)
				b.built(t, names)
			})
		}
	}
}

// parse is what the parser says about a block.
func (b *block) parse() (warnings []node.Diagnostic, err error) {
	if b.is("project") {
		_, warnings, err = descriptor.Parse(b.filename(), []byte(b.packfile()))
		return warnings, err
	}
	pf, warnings, err := packfile.Parse(b.filename(), []byte(b.packfile()))
	if err != nil || len(pf.Buildpacks)+len(pf.Order) > 0 {
		return warnings, err
	}
	if unbalanced := packfile.CheckPlan(pf); len(unbalanced) > 0 {
		return warnings, &node.Error{Filename: b.filename(), Diagnostics: unbalanced}
	}
	return warnings, nil
}

func (b *block) refused(t *testing.T) {
	if b.next == nil || b.next.language != "text" {
		t.Fatal("no text block follows")
	}
	_, err := b.parse()
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	if got := err.Error() + "\n"; got != b.next.text {
		t.Errorf("what is said is\n%s", got)
	}
}

func (b *block) linted(t *testing.T) {
	if b.value("warns") == packfile.UnusedGrant.Name {
		return // it takes the modules to know: see built
	}
	warnings, err := b.parse()
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, w := range warnings {
		rules[w.Rule] = true
		if w.Rule != b.value("warns") {
			t.Errorf("line %d: %s: %s", w.Range.Start.Line, w.Rule, w.Text())
		}
	}
	if want := b.value("warns"); want != "" && !rules[want] {
		t.Errorf("no warning %s", want)
	}
}

func (b *block) built(t *testing.T, names *strings.Replacer) {
	dir := files(t, docsProject)
	write(t, dir, map[string]string{b.filename(): names.Replace(b.packfile())})
	key := filepath.Join(t.TempDir(), "key")
	writeKey(t, key)
	r := request{dir: dir, opts: map[string]string{"filename": b.filename(), "build-arg:PACKFILE_APP": b.String()},
		args: []string{"--secret", "id=token,src=" + filepath.Join(dir, "token"), "--ssh", "default=" + key}}
	if strings.Contains(b.text, "context:fixtures") {
		r.opts["context:fixtures"] = "local:fixtures"
		r.args = append(r.args, "--local", "fixtures="+dir)
	}
	if b.is("debian") {
		r.buildImg, r.runImg = env.buildImage, env.runImage
		r.args = append(r.args, trustOurAuthority()...)
	}
	if strings.Contains(b.text, "build-image") {
		r.opts["context:build-image"], r.opts["context:run-image"] = "", ""
	}
	r.build(t)
	if rule := b.value("warns"); rule == packfile.UnusedGrant.Name {
		out, _ := buildx(t, dir, "--call=check")
		contains(t, out, "1 warning has been found", rule)
	}
}

// trustOurAuthority is what a build needs that uses the network from behind a private certificate authority.
func trustOurAuthority() []string {
	if ca := os.Getenv("PACKFILE_CA_CERTIFICATES"); ca != "" {
		return []string{"--secret", "id=ca-certificates,src=" + ca}
	}
	return nil
}

// dockerOfDocs stands for docker in the commands of the documentation: buildx on its own, and podman.
const dockerOfDocs = `#!/bin/sh
case "$1 $2" in
"buildx build")
	shift 2
	case "$*" in *id=ca-certificates*) AUTHORITY= ;; esac
	exec buildx build --progress=plain $AUTHORITY "$@" ;;
"buildx bake") shift 2; exec buildx bake --progress=plain "$@" ;;
"buildx "*) shift; exec buildx "$@" ;;
"run --rm") shift 2; exec "$RUN_IMAGE" "$@" ;;
esac
echo "the documentation's docker does not know: $*" >&2
exit 1
`

func TestDocsCommandsRunAndPrintWhatIsShown(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			commands(t, page)
		})
	}
}

func commands(t *testing.T, page string) {
	names := standIns(t)
	home := t.TempDir()
	dir := filepath.Join(home, "app")
	if page == "README.md" { // its packfile is for this app
		if err := os.CopyFS(dir, os.DirFS("../examples/node")); err != nil {
			t.Fatal(err)
		}
	}
	writeKey(t, filepath.Join(home, ".ssh/id_ed25519"))
	write(t, home, map[string]string{"bin/docker": dockerOfDocs, "app/token": "a secret"})
	if err := os.Chmod(filepath.Join(home, "bin/docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	runImage, err := filepath.Abs("../hack/run-image.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(t, page) {
		if file := b.value("file"); file != "" {
			write(t, dir, map[string]string{file: names.Replace(b.text)})
			continue
		}
		if b.language != "sh" || b.is("not-run") {
			continue
		}
		cmd := command(t, "bash", "-euo", "pipefail", "-c", names.Replace(b.text))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+home, "PATH="+filepath.Join(home, "bin")+":"+os.Getenv("PATH"),
			"RUN_IMAGE="+runImage, "AUTHORITY="+strings.Join(trustOurAuthority(), " "))
		out, err := run(cmd)
		fails := b.is("fails")
		if (err != nil) != fails {
			t.Fatalf("%v: %v\n%s", b, err, out)
		}
		if b.next != nil && b.next.language == "text" {
			b.next.occurs(t, out, names)
		}
	}
}

// occurs fails unless the lines of a block are lines of a command's output, in that order.
func (b *block) occurs(t *testing.T, out string, names *strings.Replacer) {
	lines := strings.Split(out, "\n")
	for want := range strings.Lines(names.Replace(b.text)) {
		if want = strings.TrimSpace(want); want == "" || want == "…" {
			continue
		}
		parts := strings.Split(want, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		i := slices.IndexFunc(lines, func(line string) bool { return pattern.MatchString(strings.TrimSpace(line)) })
		if i < 0 {
			t.Errorf("%v: %q is not (or not there) in the output\n%s", b, want, out)
			return
		}
		lines = lines[i:]
	}
}

func TestDocsWorkflowIsValid(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../.dev/bin/actionlint"); err != nil {
		t.Skip("actionlint comes with make lint")
	}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if file := b.value("file"); strings.HasPrefix(file, ".github/workflows/") {
				dir := files(t, map[string]string{path.Base(file): b.text})
				must(t, "../.dev/bin/actionlint", filepath.Join(dir, path.Base(file)))
			}
		}
	}
}
