package step

// TestImage asks one test of a finished image, which is the root of the container: it runs a command as the image's user, and then
// looks at files as root. It fails when the image fails the test, so that BuildKit remembers no failure. The Result says then what
// failed.
type TestImage struct {
	Name     string     `json:"name"`              // for messages
	Words    []string   `json:"words,omitempty"`   // absolute path of the program, and its arguments; none to look at files only
	Dir      string     `json:"dir,omitempty"`     // working directory
	User     string     `json:"user,omitempty"`    // as the image's config has it
	Env      []Variable `json:"env,omitempty"`     // all that the program has, but for HOME
	Timeout  int64      `json:"timeout,omitempty"` // of the program, in milliseconds
	ExitCode int        `json:"exitCode,omitempty"`
	Stdout   *Text      `json:"stdout,omitempty"`
	Stderr   *Text      `json:"stderr,omitempty"`
	Files    []FileTest `json:"files,omitempty"`
}

// Text is what a text has to be; all of it.
type Text struct {
	Equal    *string  `json:"equal,omitempty"`
	Contains []string `json:"contains,omitempty"`
	Matches  []string `json:"matches,omitempty"` // regular expressions
}

// FileTest is what a file of the image has to be.
type FileTest struct {
	Path    string `json:"path"` // absolute
	Absent  bool   `json:"absent,omitempty"`
	Type    string `json:"type,omitempty"` // TypeFile, TypeDirectory, TypeSymlink, or "" for any
	Mode    string `json:"mode,omitempty"` // octal digits
	Owner   string `json:"owner,omitempty"`
	Content *Text  `json:"content,omitempty"`
}

// Types of files. All but TypeSymlink are those of what symbolic links lead to.
const (
	TypeFile      = "file"
	TypeDirectory = "directory"
	TypeSymlink   = "symlink"
)

// MaxCompared is how much of a text a test compares, in bytes. A longer one fails the test.
const MaxCompared = 4 << 20

// MaxFailures is the largest number of failures that a test reports.
const MaxFailures = 20

// MaxReport is the size of the largest report that ShowReport prints, in bytes.
const MaxReport = 1 << 20

// Tested is the result of a TestImage that fails.
type Tested struct {
	Failures []Failure `json:"failures,omitempty"`
}

// Failure is one condition of a test that does not hold.
type Failure struct {
	// Key is where the packfile has the condition, from the test on: keys and indexes joined by dots, as in files.0.content.matches.1
	Key string `json:"key"`
	// Says is what was wanted and what came, of bounded length.
	Says string `json:"says"`
}
