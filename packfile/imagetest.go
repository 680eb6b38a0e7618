package packfile

import (
	"time"

	"github.com/packfile/frontend/node"
)

// ImageTest is one [[tests]] entry: what is asked of the finished image. It is no part of what an image is made of: layer keys, the
// image and the app's identity are the same with other tests.
type ImageTest struct {
	node.Table
	Name    string
	Command []string // program first; nil when the test runs none
	Direct  bool     // exec'ed; otherwise Command[0] is a line for the shell
	Process string   // type of the process that it runs, "" for none
	Args    []string // of Process

	ExitCode int
	Stdout   *Content // nil when anything will do
	Stderr   *Content
	Files    []FileTest

	Timeout  time.Duration // DefaultTestTimeout when not given
	Network  string        // "" and "none" for none, or "default"
	ReadOnly bool          // the container's files cannot be changed
	Env      []TestVar     // on top of the image's, sorted by name
}

// DefaultTestTimeout is how long the command of a test may take when the packfile does not say it.
const DefaultTestTimeout = time.Minute

// Runs reports whether the test runs something. Otherwise it only looks at files.
func (t *ImageTest) Runs() bool { return t.Command != nil || t.Process != "" }

// TestVar is a variable that a test's command has.
type TestVar struct{ Name, Value string }

// Content is what a text has to be. All of it has to hold.
type Content struct {
	node.Table
	Equal    string   // the whole text, if the key was given
	Contains []string // parts
	Matches  []string // regular expressions, of which each matches some part (RE2)
}

// FileTest is one files entry of a test. Its path is absolute, or relative to the app's folder.
type FileTest struct {
	node.Table
	Path    string
	Exists  bool     // true when not given
	Type    string   // "file", "directory", "symlink", or "" for any; only a "symlink" is not followed
	Mode    string   // octal digits, "" when not given
	Owner   string   // user or user:group, by number or by name; "" when not given
	Content *Content // nil when anything will do
}

// FileTypes are the types that a test knows of files.
const (
	RegularFile = "file"
	Directory   = "directory"
	SymlinkFile = "symlink"
)
