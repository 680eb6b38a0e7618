package step

// NotWanted is the exit code by which a require script says "not required" and a test script "do not create this layer".
const NotWanted = 100

// MaxFileDigests is how many files a Match names one by one: labels carry them, to say which one changed.
const MaxFileDigests = 100

// MaxLinks is how many symlinks a Match may report.
const MaxLinks = 10_000

// MaxPlan is the size of the largest build plan that bin/detect may leave, in bytes.
const MaxPlan = 1 << 20

// Result is what comes back in ResultFile: metadata, and what steps of one kind say besides.
type Result struct {
	Metadata map[string]any `json:"metadata,omitempty"` // $MD: values are strings, or tables of the same shape
	Asked
	Matched
	Described
	Unpacked
	Detected
}

// Asked is what Require and Test say.
type Asked struct {
	NotWanted bool     `json:"notWanted,omitempty"` // the script exited with NotWanted
	NotFound  []string `json:"notFound,omitempty"`  // programs that the script of a bare Test called and did not find
}

// Matched is what Match says of a tree, whose digest is the version.
type Matched struct {
	Files int `json:"files,omitempty"` // how many the digest covers
	// FileDigests has a digest for each of them, by path, when there are no more than MaxFileDigests.
	FileDigests map[string]string `json:"fileDigests,omitempty"`
	// Unmatched are the indexes of those patterns of the Selection that match no file.
	Unmatched []int `json:"unmatched,omitempty"`
	// Links are those symlinks among what Patterns and Targets match that lead to what the Selection does not cover, or nowhere, by
	// path. There are no more than MaxLinks.
	Links []Symlink `json:"links,omitempty"`
}

// Symlink is a symlink of the app.
type Symlink struct {
	Path string `json:"path"`
	Text string `json:"text"` // where it leads, as it says
}

// Described is what Describe says of a layer.
type Described struct {
	DiffID string `json:"diffID,omitempty"` // digest of its uncompressed tar
}

// Unpacked is what Unpack says of an archive.
type Unpacked struct {
	Refused string `json:"refused,omitempty"` // what is wrong with it, "" when it was unpacked
}

// Detected is what came of bin/detect.
type Detected struct {
	ExitCode int    `json:"exitCode,omitempty"`
	Failed   string `json:"failed,omitempty"` // what else went wrong with it, as in "bin/detect was killed"
	Plan     string `json:"plan,omitempty"`   // that it left, no more than MaxPlan bytes, if nothing went wrong
}
