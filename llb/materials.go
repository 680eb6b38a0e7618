package llb

import (
	"encoding/json"
	"fmt"
	"strings"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Material is a file from an HTTP source that has a checksum, or a Git repository at a commit. A file has mode MaterialMode.
type Material struct {
	Source bk.State
	File   string // its name there
	Owner  Owner
	Digest digest.Digest
	Commit string // of a repository; "" for a file
	Folder string // of a repository, "" for all of it
}

// MaterialMode is the mode of a material's file.
const MaterialMode = 0o644

// Materials returns a state by which BuildKit's provenance names files and repositories without downloading them: provenance names the
// sources below every solved state. BuildKit finds the state, one operation on all of them, in an image's inline cache
// (AddMaterials). For that it needs their keys, which it makes of checksums and commits, so it asks no server for them. When the cache
// does not have the state, building it fails at once, before any download.
func Materials(files []Material, opts ...bk.ConstraintsOpt) bk.State {
	states := []bk.State{root().File(bk.Rm(materialsPath), bk.WithCustomName("[internal] materials"))}
	for _, f := range files {
		states = append(states, f.Source)
	}
	return bk.Merge(states, append(opts[:len(opts):len(opts)], bk.WithoutExportCache())...)
}

// materialsPath is the path that the first input of Materials removes. It does not exist, and no other operation has such
// an input.
const materialsPath = "/materials"

// AddMaterials adds records for Materials of some sets of files to an inline cache of References. Their result is a layer
// of the image, which nothing reads.
func AddMaterials(inlineCache []byte, sets [][]Material) ([]byte, error) {
	if inlineCache == nil || len(sets) == 0 {
		return inlineCache, nil
	}
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(inlineCache, &records); err != nil {
		return nil, err
	}
	add := func(key digest.Digest, err error, inputs ...int) (int, error) {
		r := cachetypes.CacheRecord{Digest: key}
		for _, in := range inputs {
			r.Inputs = append(r.Inputs, []cachetypes.CacheInput{{LinkIndex: in}})
		}
		records = append(records, r)
		return len(records) - 1, err
	}
	key, err := materialsKey()
	first, err := add(key, err, 0) // References has the record of its root first
	if err != nil {
		return nil, err
	}
	known := map[digest.Digest]int{}
	for _, files := range sets {
		inputs := []int{first}
		for _, f := range files {
			key, err := f.key()
			if err != nil {
				return nil, err
			}
			if _, ok := known[key]; !ok {
				known[key], _ = add(key, nil)
			}
			inputs = append(inputs, known[key])
		}
		key, err := mergeKey(len(inputs))
		at, err := add(key, err, inputs...)
		if err != nil {
			return nil, err
		}
		records[at].ChainedResults = []cachetypes.ChainedResult{{LayerIndexes: []int{0}}}
	}
	return json.Marshal(records)
}

// HasMaterials reports whether an inline cache has records of Materials.
func HasMaterials(inlineCache []byte) bool {
	records, err := parseRecords(inlineCache)
	if err != nil {
		return false
	}
	key, err := materialsKey()
	if err != nil {
		return false
	}
	for _, r := range records {
		if r.Digest == key {
			return true
		}
	}
	return false
}

// isMaterials reports whether a record is one of Materials, and gives no other operation a result. A record without a
// result gives none to any operation.
func isMaterials(records []cachetypes.CacheRecord, r cachetypes.CacheRecord) bool {
	if len(r.Results) == 0 && len(r.ChainedResults) == 0 {
		return true
	}
	key, err := mergeKey(len(r.Inputs))
	place, one := onlyLayer(r)
	if err != nil || r.Digest != key || !one || place != 0 || len(r.Inputs) == 0 {
		return false
	}
	first, err := materialsKey()
	for _, in := range r.Inputs[0] {
		if err != nil || in.LinkIndex < 0 || in.LinkIndex >= len(records) || records[in.LinkIndex].Digest != first || in.Selector != "" {
			return false
		}
	}
	return len(r.Inputs[0]) > 0
}

// materialsKey returns the key of the first input of Materials.
func materialsKey() (digest.Digest, error) {
	return fileKey(&pb.FileActionRm{Path: materialsPath}, nil)
}

// key returns BuildKit's cache key of an HTTP source with a checksum (formatCacheKey in source/http/source.go) or of a Git source at a
// commit (shaToCacheKey in source/git/source.go): CacheMap in solver/llbsolver/ops/source.go.
func (m Material) key() (digest.Digest, error) {
	if m.Commit != "" {
		return sourceKey(strings.TrimSuffix(m.Commit+":"+m.Folder, ":")), nil
	}
	data, err := json.Marshal(struct {
		Filename       string
		Perm, UID, GID int
		Checksum       digest.Digest
	}{Filename: m.File, Perm: MaterialMode, UID: m.Owner.UID, GID: m.Owner.GID, Checksum: m.Digest})
	return sourceKey(digest.FromBytes(data).String()), err
}

// sourceKey returns BuildKit's cache key of a source that has a key of its own.
func sourceKey(own string) digest.Digest {
	return digest.FromString(fmt.Sprintf("%s@0", digest.FromString("buildkit.source.v0:"+own)))
}

// mergeKey returns BuildKit's cache key of an operation that merges so many states: CacheMap in
// solver/llbsolver/ops/merge.go.
func mergeKey(inputs int) (digest.Digest, error) {
	op := &pb.MergeOp{}
	for i := range inputs {
		op.Inputs = append(op.Inputs, &pb.MergeInput{Input: int64(i)})
	}
	data, err := json.Marshal(struct {
		Type  string
		Merge *pb.MergeOp
	}{"buildkit.merge.v0", op})
	return digest.FromString(fmt.Sprintf("%s@0", digest.FromBytes(data))), err
}
