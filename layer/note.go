package layer

import (
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// note is what the step that made a layer knows of it, so that describing it takes no second reading. It is an extended
// attribute of the folder that the layer is made of, which is in no layer itself: so it is lost when the layer comes from a
// registry or an imported cache, and lives as long as exactly this tree does. (Another output of the step could be of another
// run: of a step with two, BuildKit may take one from a cache and run the step again for the other.)
type note struct {
	Time   int64         `json:"time"` // of all files, in seconds since 1970
	DiffID digest.Digest `json:"diffID"`
}

const noteAttribute = "user.packfile.layer"

// noteDigest notes the digest of the layer in dir. A file system that cannot keep it costs the second reading, and nothing else.
func noteDigest(dir string, n note) {
	if data, err := json.Marshal(n); err == nil {
		unix.Setxattr(dir, noteAttribute, data, 0)
	}
}

// notedDigest returns the diff id of the layer in dir if the step that gave its files that time noted it, else "".
func notedDigest(dir string, t time.Time) digest.Digest {
	data := make([]byte, 256)
	n, err := unix.Getxattr(dir, noteAttribute, data)
	if err != nil {
		return ""
	}
	var noted note
	if json.Unmarshal(data[:n], &noted) != nil || noted.Time != t.Unix() || noted.DiffID.Validate() != nil {
		return ""
	}
	return noted.DiffID
}
