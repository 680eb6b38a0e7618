package layer

import (
	"encoding/json"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// note is what the step that made a layer knows about it, so that describing the layer takes no second reading. It is an
// extended attribute of the layer's root folder, and images have no such attributes: so it is lost when the layer comes
// from a registry or an imported cache, and lives exactly as long as this tree. Why not another output of the step:
// BuildKit may take one output of a step from a cache and run the step again for the other, and then the two are of
// different runs.
type note struct {
	Time   int64         `json:"time"` // of all files, in seconds since 1970
	DiffID digest.Digest `json:"diffID"`
}

const noteAttribute = "user.packfile.layer"

// noteDigest notes the digest of the layer in dir. When the file system cannot keep it, describing the layer takes the
// second reading.
func noteDigest(dir string, n note) {
	if data, err := json.Marshal(n); err == nil {
		unix.Setxattr(dir, noteAttribute, data, 0)
	}
}

// notedDigest returns the diff id of the layer in dir if the step that gave its files the time t noted it, else "".
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
