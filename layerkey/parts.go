// Package layerkey has the parts of a layer's key, the label in which an image records its layers, and the differences
// between two keys. The frontend uses it to decide by keys, and packfile-step to say why a step runs. It reads no file
// and makes no decision.
//
// The rules are those of "When a layer is rebuilt" in docs/caching.md.
package layerkey

import (
	_ "crypto/sha256" // go-digest calls it
	"encoding/json"
	"net/url"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// Parts is everything that a layer key is made of: what a run step can read, and nothing else. It is public: an image
// carries it in a label. It has no secrets, and only digests of values that may hold one by mistake.
type Parts struct {
	Contract     int               `json:"contract"`
	Layer        string            `json:"layer"` // LAYER
	Platform     string            `json:"platform"`
	BuildImage   string            `json:"buildImage"`         // digest
	Packages     *Packages         `json:"packages,omitempty"` // in the build image, if a script sees that
	User         string            `json:"user"`
	Script       *Script           `json:"script,omitempty"`
	Setups       []Script          `json:"setups,omitempty"`
	Version      string            `json:"version,omitempty"`
	Metadata     metadata.Table    `json:"metadata,omitempty"` // without version
	Requires     []metadata.Table  `json:"requires,omitempty"` // metadata that other modules give it, if run can read that
	Inputs       string            `json:"inputs,omitempty"`   // digest of the files that inputs names
	LockApp      bool              `json:"lockApp,omitempty"`
	Restore      bool              `json:"restore,omitempty"`
	Network      string            `json:"network,omitempty"`
	Secrets      []string          `json:"secrets,omitempty"` // ids and where they are put
	SSH          []string          `json:"ssh,omitempty"`
	PlatformEnv  map[string]string `json:"platformEnv,omitempty"` // digests of build args' values, by name
	Deps         []Dep             `json:"deps,omitempty"`
	Env          []step.EnvFile    `json:"env,omitempty"`
	Profile      []string          `json:"profile,omitempty"` // digests
	Links        []Link            `json:"links,omitempty"`
	LinkVersions map[string]string `json:"linkVersions,omitempty"` // of link-version layers
	LinkContents map[string]string `json:"linkContents,omitempty"` // keys of link-content layers
}

// Script is a script in a layer key.
type Script struct {
	Shell   []string `json:"shell"`
	Digest  string   `json:"digest"`
	InLayer bool     `json:"inLayer,omitempty"`
}

// Dep is a dep in a layer key. URI has no password.
type Dep struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URI     string `json:"uri"`
	SHA     string `json:"sha"`
	step.Content
	Metadata metadata.Table `json:"metadata,omitempty"`
}

// Link is a link in a layer key: Name and Exposed together tell the links of a layer apart.
type Link struct {
	Name       string `json:"name"`              // as in the packfile; MODULE/NAME of an exposed layer
	Exposed    bool   `json:"exposed,omitempty"` // the packfile does not name it: an earlier module exposes it
	Layer      string `json:"layer,omitempty"`   // LAYER of one that another module made
	PathAs     string `json:"pathAs,omitempty"`
	VersionAs  string `json:"versionAs,omitempty"`
	MetadataAs string `json:"metadataAs,omitempty"`
	// AppSymlinks are the symbolic links in the app that lead into the layer: paths in it, by their places in the app.
	AppSymlinks map[string]string `json:"appSymlinks,omitempty"`
}

// Key returns the layer key: the SHA-256 of the parts as JSON with sorted keys, in hex.
func (p Parts) Key() (string, error) { return DigestJSON(p) }

// DigestJSON returns the SHA-256 of values as JSON with sorted keys, in hex. It fails for values that JSON cannot hold.
func DigestJSON(values ...any) (string, error) {
	digester := digest.SHA256.Digester()
	enc := json.NewEncoder(digester.Hash())
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return "", err
		}
	}
	return digester.Digest().Encoded(), nil
}

// Digest returns the SHA-256 of data in hex.
func Digest(data []byte) string { return digest.FromBytes(data).Encoded() }

// Env returns the part PlatformEnv of a platform environment; nil for an empty one.
func Env(vars []step.Variable) map[string]string {
	if len(vars) == 0 {
		return nil
	}
	digests := make(map[string]string, len(vars))
	for _, v := range vars {
		digests[v.Name] = Digest([]byte(v.Value))
	}
	return digests
}

// Redact returns a URI without user and password.
func Redact(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.User == nil {
		return uri
	}
	u.User = nil
	return u.String()
}

// isDigest reports whether a value can be a SHA-256 in hex, as Digest and DigestTree make them.
func isDigest(value string) bool { return digest.SHA256.Validate(value) == nil }
