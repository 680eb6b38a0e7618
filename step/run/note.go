package run

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// layerNote is what the step that made a layer knows of it, so that describing it takes no second reading. It is an extended
// attribute of the folder that the layer is made of, which is in no layer itself: so it is lost when the layer comes from a
// registry or an imported cache, and lives as long as exactly this tree does. (Another output of the step could be of another
// run: of a step with two, BuildKit may take one from a cache and run the step again for the other.)
type layerNote struct {
	Time   int64  `json:"time"` // of all files, in seconds since 1970
	DiffID string `json:"diffID"`
}

const layerAttribute = "user.packfile.layer"

// noteDigest notes the digest of a layer. A file system that cannot keep it costs the second reading, and nothing else.
func noteDigest(dir string, note layerNote) {
	if data, err := json.Marshal(note); err == nil {
		unix.Setxattr(dir, layerAttribute, data, 0)
	}
}

// notedDigest is the diff id of the layer in dir if the step that gave its files that time noted it, else "".
func notedDigest(dir string, time int64) string {
	data := make([]byte, 256)
	n, err := unix.Getxattr(dir, layerAttribute, data)
	if err != nil {
		return ""
	}
	var note layerNote
	if json.Unmarshal(data[:n], &note) != nil || note.Time != time || digest.Digest(note.DiffID).Validate() != nil {
		return ""
	}
	return note.DiffID
}
