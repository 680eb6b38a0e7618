package convert

import (
	"encoding/json"
	"strings"

	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/step"
)

// KeyParts is everything that a layer key is made of: what a run step can read, and nothing else. Secrets are not in it.
type KeyParts struct {
	Contract     int               `json:"contract"`
	Layer        string            `json:"layer"` // LAYER
	Platform     string            `json:"platform"`
	BuildImage   string            `json:"buildImage"`
	User         string            `json:"user"`
	Script       *ScriptPart       `json:"script,omitempty"`
	Setups       []ScriptPart      `json:"setups,omitempty"`
	Version      string            `json:"version,omitempty"`
	Metadata     map[string]any    `json:"metadata,omitempty"` // without version
	Inputs       string            `json:"inputs,omitempty"`   // digest of the files that inputs names
	LockApp      bool              `json:"lockApp,omitempty"`
	Restore      bool              `json:"restore,omitempty"`
	Network      string            `json:"network,omitempty"`
	Secrets      []string          `json:"secrets,omitempty"` // ids and where they are put
	SSH          []string          `json:"ssh,omitempty"`
	PlatformEnv  []step.Variable   `json:"platformEnv,omitempty"`
	Deps         []DepPart         `json:"deps,omitempty"`
	Env          []step.EnvFile    `json:"env,omitempty"`
	Profile      []string          `json:"profile,omitempty"` // digests
	Links        []LinkPart        `json:"links,omitempty"`
	LinkVersions map[string]string `json:"linkVersions,omitempty"` // of link-version layers
	LinkContents map[string]string `json:"linkContents,omitempty"` // keys of link-content layers
}

// ScriptPart is a script in a layer key.
type ScriptPart struct {
	Shell   []string `json:"shell"`
	Digest  string   `json:"digest"`
	InLayer bool     `json:"inLayer,omitempty"`
}

// DepPart is a dep in a layer key.
type DepPart struct {
	Name     string         `json:"name"`
	Version  string         `json:"version"`
	URI      string         `json:"uri"`
	SHA      string         `json:"sha"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// LinkPart is a link in a layer key.
type LinkPart struct {
	Name       string `json:"name"`
	PathAs     string `json:"pathAs,omitempty"`
	VersionAs  string `json:"versionAs,omitempty"`
	MetadataAs string `json:"metadataAs,omitempty"`
}

// Key is the layer key: the SHA-256 of the parts as JSON with sorted keys, in hex.
func (p KeyParts) Key() (string, error) { return hashJSON(p) }

// viewKey is the key under which a layer's run step sees the app. With the app's identity in it two projects with equal
// layer keys never see each other's files.
func viewKey(layerKey, project string) string {
	return digestOf([]byte("view\x00" + layerKey + "\x00" + project))
}

// cacheID of a cache mount. A cache belongs to one project, and to one user of it.
func (b *Build) cacheID(kind, name string) string {
	id := digestOf([]byte(strings.Join([]string{
		kind, b.in.Project, ModuleID(b.in.Packfile), name, platformString(b.in.Platform), b.in.Owner.String(),
	}, "\x00")))
	if b.in.CacheNS != "" {
		return b.in.CacheNS + "/" + id
	}
	return id
}

func hashJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return digestOf(data), err
}

func digestOf(text []byte) string { return digest.FromBytes(text).Encoded() }

func platformString(p ocispecs.Platform) string { return platforms.Format(platforms.Normalize(p)) }
