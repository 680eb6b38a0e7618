package packfile

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/node"
)

var imageTestSchema = node.Define(node.Schema[ImageTest]{
	What:  "a test",
	Start: func(t *ImageTest) { t.Timeout = DefaultTestTimeout },
	Keys: []node.Key[ImageTest]{
		node.Required(node.String("name", func(t *ImageTest) *string { return &t.Name }, testName)),
		{Name: "command", Read: func(d *node.Decoder, t *ImageTest, e *node.Entry) { t.Command = readCommand(d, &t.Table, e) }},
		node.Boolean("direct", func(t *ImageTest) *bool { return &t.Direct }),
		node.String("process", func(t *ImageTest) *string { return &t.Process }, processType),
		node.Strings("args", func(t *ImageTest) *[]string { return &t.Args }),
		node.Integer("exit-code", func(t *ImageTest) *int { return &t.ExitCode }, 0, 255),
		node.Optional("stdout", contentSchema, func(t *ImageTest) **Content { return &t.Stdout }),
		node.Optional("stderr", contentSchema, func(t *ImageTest) **Content { return &t.Stderr }),
		node.Tables("files", fileTestSchema, func(t *ImageTest) *[]FileTest { return &t.Files }),
		duration("timeout", func(t *ImageTest) *time.Duration { return &t.Timeout }, `as in "30s" or "1m30s"`),
		node.String("network", func(t *ImageTest) *string { return &t.Network }, network),
		node.Boolean("read-only", func(t *ImageTest) *bool { return &t.ReadOnly }),
		{Name: "env", Read: readTestEnv},
	},
	Finish: finishImageTest,
})

// runKeys are the keys that say something about what a test runs.
var runKeys = []string{"direct", "args", "exit-code", "stdout", "stderr", "timeout", "network", "read-only", "env"}

func finishImageTest(d *node.Decoder, t *ImageTest) {
	runs := t.Has("command") || t.Has("process")
	switch {
	case t.Has("command") && t.Has("process"):
		d.Fail(t.At("process"), "", "a test has either %q or %q", "command", "process")
	case t.Has("process") && t.Has("direct"):
		d.Fail(t.At("direct"), "", "direct: the process says it itself")
	case t.Has("command") && t.Has("args"):
		d.Fail(t.At("args"), "write them in the command", "args: they are those of a process")
	case !runs && !t.Has("files"):
		d.Fail(t.Range(), "", "a test needs %q, %q or %q", "command", "process", "files")
		return
	}
	if !runs {
		for _, key := range runKeys {
			if t.Has(key) {
				d.Fail(t.At(key), "", "%s: the test runs nothing, it has neither %q nor %q", d.Key(key), "command", "process")
			}
		}
	}
	if t.Has("files") && t.Files != nil && len(t.Files) == 0 {
		d.Fail(t.At("files"), "", "files: an empty list asks nothing")
	}
	paths := map[string]node.Range{}
	for i := range t.Files {
		d.Unique(paths, "file", t.Files[i].Path, t.Files[i].At("path"))
	}
}

// checkTests settles how the commands of tests run, by the rules of processes, and checks that no two tests have one name.
func checkTests(d *node.Decoder, p *Packfile) {
	names := map[string]node.Range{}
	for i := range p.Tests {
		t := &p.Tests[i]
		d.Unique(names, "test", t.Name, t.At("name"))
		process := Process{Table: t.Table, Command: t.Command, Direct: t.Direct}
		if t.Command != nil {
			settleDirect(d, p, &process)
		}
		t.Direct = process.Direct
	}
}

// UnknownProcesses returns an error for each test that runs a process which the packfile does not have. It is for a packfile that
// is built alone: another module may have the process.
func UnknownProcesses(p *Packfile) (unknown []node.Diagnostic) {
	var types []string
	for _, process := range p.Processes {
		types = append(types, process.Type)
	}
	for i := range p.Tests {
		if d := p.Tests[i].UnknownProcess(types); d != nil {
			unknown = append(unknown, *d)
		}
	}
	return unknown
}

// UnknownProcess returns an error when the test runs a process that is not among the types of an image, else nil.
func (t *ImageTest) UnknownProcess(types []string) *node.Diagnostic {
	if t.Process == "" || slices.Contains(types, t.Process) {
		return nil
	}
	hint := "the image has no process"
	if len(types) > 0 {
		_, hint = node.OneOf(types...)(t.Process)
	}
	return &node.Diagnostic{
		Message: fmt.Sprintf("process: the image has no process %s", node.Quote(t.Process)), Hint: hint, Range: t.At("process"),
	}
}

// testName checks the name of a test: one line of a table.
func testName(s string) (problem, hint string) {
	if len(s) > maxName {
		return fmt.Sprintf("is %d bytes long", len(s)), fmt.Sprintf("a name has at most %d bytes", maxName)
	}
	return node.NonEmpty(s)
}

var contentSchema = node.Define(node.Schema[Content]{
	What: "a text",
	Keys: []node.Key[Content]{
		node.String("equal", func(c *Content) *string { return &c.Equal }),
		node.Strings("contains", func(c *Content) *[]string { return &c.Contains }, somePart),
		node.Strings("matches", func(c *Content) *[]string { return &c.Matches }, expression),
	},
	Finish: func(d *node.Decoder, c *Content) {
		for key, list := range map[string][]string{"contains": c.Contains, "matches": c.Matches} {
			if list != nil && len(list) == 0 {
				d.Fail(c.At(key), "", "%s: an empty list asks nothing", key)
			}
		}
		if !c.Has("equal") && !c.Has("contains") && !c.Has("matches") {
			d.Fail(c.Range(), "", "a text needs %q, %q or %q", "equal", "contains", "matches")
		}
	},
})

// somePart checks a part of a text: every text has the empty one.
func somePart(s string) (problem, hint string) {
	if s == "" {
		return "is empty, and in every text", ""
	}
	return "", ""
}

// expression checks a regular expression.
func expression(s string) (problem, hint string) {
	if _, err := regexp.Compile(s); err != nil {
		said := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return "is not a regular expression", said + "; the syntax is that of RE2, which has no look-around and no references"
	}
	return somePart(s)
}

var fileTestSchema = node.Define(node.Schema[FileTest]{
	What:  "a file of a test",
	Start: func(f *FileTest) { f.Exists = true },
	Keys: []node.Key[FileTest]{
		node.Required(node.String("path", func(f *FileTest) *string { return &f.Path }, testPath)),
		node.Boolean("exists", func(f *FileTest) *bool { return &f.Exists }),
		node.String("type", func(f *FileTest) *string { return &f.Type }, node.OneOf(RegularFile, Directory, SymlinkFile)),
		node.String("mode", func(f *FileTest) *string { return &f.Mode }, fileMode),
		node.String("owner", func(f *FileTest) *string { return &f.Owner }, fileOwner),
		node.Optional("content", contentSchema, func(f *FileTest) **Content { return &f.Content }),
	},
	Finish: finishFileTest,
})

func finishFileTest(d *node.Decoder, f *FileTest) {
	if !f.Exists {
		for _, key := range []string{"type", "mode", "owner", "content"} {
			if f.Has(key) {
				d.Fail(f.At(key), "", "%s: the file does not exist, by %q on line %d", key, "exists", f.At("exists").Start.Line)
			}
		}
		return
	}
	switch {
	case f.Type == Directory && f.Has("content"):
		d.Fail(f.At("content"), "", "content: a directory has none")
	case f.Type == SymlinkFile && f.Has("mode"):
		d.Fail(f.At("mode"), "", "mode: a symbolic link has none of its own")
	}
}

// notOfImage are the folders and files that a container has from somewhere else, whatever the image has there.
var notOfImage = []string{"/proc", "/sys", "/dev", "/packfile", "/etc/resolv.conf", "/etc/hosts"}

// testPath checks the path of a file in the image.
func testPath(s string) (problem, hint string) {
	if !strings.HasPrefix(s, "/") {
		problem, hint = node.InsidePath(s)
		if problem == node.LeavesFolder {
			hint = "a relative path begins in the app's folder: write an absolute path for a file outside of it"
		}
		return problem, hint
	}
	for _, dir := range notOfImage {
		if clean := path.Clean(s); clean == dir || strings.HasPrefix(clean, dir+"/") {
			return "is not the image's", "a container has it from its runtime: " + strings.Join(notOfImage, ", ")
		}
	}
	if rest := strings.TrimLeft(s, "/"); rest != "" {
		problem, hint = node.InsidePath(rest)
		if problem == node.LeavesFolder {
			return "goes up", "write " + node.Quote(path.Clean(s))
		}
	}
	return problem, hint
}

var modePattern = regexp.MustCompile(`^0?[0-7]{3,4}$`)

// fileMode checks the permissions of a file.
func fileMode(s string) (problem, hint string) {
	if !modePattern.MatchString(s) || len(s) > 4 && s[0] != '0' {
		return "is not a file mode", `octal digits, as in "0755"`
	}
	return "", ""
}

// fileOwner checks the owner of a file.
func fileOwner(s string) (problem, hint string) {
	problem, hint = user(s)
	if problem != "" {
		hint = "write uid, uid:gid, or names that the image knows"
	}
	return problem, hint
}

// readTestEnv reads a table of variables.
func readTestEnv(d *node.Decoder, t *ImageTest, e *node.Entry) {
	if e.Value.Kind != node.TableKind && e.Value.Kind != node.NullKind {
		hint := ""
		if e.Value.Kind == node.ArrayKind {
			hint = d.Example(e.Key, `{ NAME = "value" }`)
		}
		d.Wrong(e, e.Value, "a table", hint)
		return
	}
	for i := range e.Value.Entries {
		entry := &e.Value.Entries[i]
		if problem, hint := node.VariableName(entry.Key); problem != "" {
			d.Fail(entry.KeyAt, hint, "variable %s %s", node.Quote(entry.Key), problem)
			continue
		}
		v := TestVar{Name: entry.Key}
		node.String("", func(*ImageTest) *string { return &v.Value }).Read(d, t, entry)
		t.Env = append(t.Env, v)
	}
	slices.SortFunc(t.Env, func(x, y TestVar) int { return strings.Compare(x.Name, y.Name) })
}
