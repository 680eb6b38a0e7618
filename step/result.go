package step

import "github.com/packfile/frontend/metadata"

// NotWanted is the exit code by which a require script says "not required" and a test script "do not create this layer".
const NotWanted = 100

// MaxFileDigests is the largest number of files for which Match gives a digest each: labels carry these, to say which
// file changed.
const MaxFileDigests = 100

// MaxLinks is the largest number of symlinks that Match reports.
const MaxLinks = 10_000

// MaxPlan is the largest build plan that bin/detect may leave, in bytes.
const MaxPlan = 1 << 20

// Result is the content of ResultFile: metadata, and what steps of one kind add.
type Result struct {
	Metadata metadata.Table `json:"metadata,omitempty"` // $MD
	Asked
	Matched
	Described
	Unpacked
	Detected
	Installed
	Tested
}

// Asked is the result of Require and Test.
type Asked struct {
	NotWanted bool     `json:"notWanted,omitempty"` // the script exited with NotWanted
	NotFound  []string `json:"notFound,omitempty"`  // programs that the script of a bare Test called and did not find
}

// Matched is the result of Match for a tree, whose digest is the version.
type Matched struct {
	Files int `json:"files,omitempty"` // number of files that the digest covers
	// FileDigests has a digest for each file, by path, when there are no more than MaxFileDigests.
	FileDigests map[string]string `json:"fileDigests,omitempty"`
	// Unmatched are the indexes of those patterns of the Selection that match no file.
	Unmatched []int `json:"unmatched,omitempty"`
	// Links are symlinks that Patterns or Targets match and that lead to files outside of the Selection, or nowhere, by
	// path. There are no more than MaxLinks.
	Links []Symlink `json:"links,omitempty"`
}

// Symlink is a symlink of the app.
type Symlink struct {
	Path string `json:"path"`
	Text string `json:"text"` // its text
}

// Described is the result of Describe for a layer.
type Described struct {
	DiffID  string   `json:"diffID,omitempty"`  // digest of its uncompressed tar
	Missing []string `json:"missing,omitempty"` // those of its Targets that it does not have
}

// Unpacked is the result of Unpack.
type Unpacked struct {
	Refused string `json:"refused,omitempty"` // why the archive is refused, "" when it was unpacked
}

// Detected is the result of Detect.
type Detected struct {
	ExitCode int    `json:"exitCode,omitempty"`
	Failed   string `json:"failed,omitempty"` // another failure, as in "bin/detect was killed"
	Plan     string `json:"plan,omitempty"`   // that bin/detect left, no more than MaxPlan bytes, if nothing failed
}
