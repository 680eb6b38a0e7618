package llb

import (
	"encoding/json"
	"fmt"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Reference is a layer that an image in a registry has, by reference: nothing of it is downloaded until something looks
// into it, and then it alone is. BuildKit finds it in the image's inline cache, which has to be imported, under a key that
// is made of its diff id (References). Where it is not found, building it fails.
//
// Why not Diff(Image(limit i), Image(limit i+1)), which needs no cache: BuildKit v0.33.1 gives what Diff leaves the identity
// of the whole chain of layers below it (cache/blobs.go, computeChainMetadata). From then on, that builder may take the one
// for the other: an image with those layers comes out without the ones below, and a Diff of it with whiteouts of the run
// image. Seen in every third build or so on a builder that is kept.
func Reference(diffID digest.Digest, opts ...bk.ConstraintsOpt) bk.State {
	// Not an operation without inputs: of those, what a builder remembers goes before what is imported, even when all that it
	// remembers is where the layer was once.
	return root().File(bk.Rm(referencePath(diffID)), append(opts[:len(opts):len(opts)], bk.WithoutExportCache())...)
}

// root is what every Reference is based on.
func root() bk.State {
	return bk.Scratch().File(bk.Mkfile(rootPath, 0o644, nil), bk.WithCustomName("[internal] layers by reference"))
}

const rootPath = "/reference"

// referencePath is what the operation removes. There is no such file, so that the operation fails when it is executed
// instead of being found in the cache.
func referencePath(diffID digest.Digest) string { return "/layer with diff id " + diffID.String() }

// referenceKey is the key of a Reference in a cache.
func referenceKey(diffID digest.Digest) (digest.Digest, error) {
	return fileKey(&pb.FileActionRm{Path: referencePath(diffID)}, nil)
}

// rootKey is the key of what every Reference is based on.
func rootKey() (digest.Digest, error) {
	return fileKey(&pb.FileActionMkFile{Path: rootPath, Mode: 0o644, Timestamp: -1}, [][]int{{-1, -1, 0}}) // from scratch
}

// fileKey is how BuildKit makes the key of a file operation with one action: CacheMap in solver/llbsolver/ops/file.go, and
// rootKey in solver/cachemanager.go. TestKeysOfReferencesAreThoseThatBuildKitMakes compares it with those of each supported
// BuildKit.
func fileKey(action any, indexes [][]int) (digest.Digest, error) {
	data, err := json.Marshal(action)
	if err != nil {
		return "", err
	}
	op, err := json.Marshal(struct {
		Type    string
		Actions [][]byte
		Indexes [][]int `json:"indexes,omitempty"`
	}{"buildkit.file.v0", [][]byte{data}, indexes})
	if err != nil {
		return "", err
	}
	return digest.FromString(fmt.Sprintf("%s@0", digest.FromBytes(op))), nil
}

// InlineCacheField is the field of an image's config that has its inline cache.
const InlineCacheField = "moby.buildkit.cache.v0"

// References is an inline cache by which the Reference of each layer of an image is found; the first of layers is at place
// in the image. It is nil when there are none.
func References(layers []digest.Digest, place int) ([]byte, error) {
	if len(layers) == 0 {
		return nil, nil
	}
	root, err := rootKey()
	if err != nil {
		return nil, err
	}
	records := []cachetypes.CacheRecord{{Digest: root}}
	known := map[digest.Digest]bool{}
	for i, diffID := range layers {
		if known[diffID] {
			continue // any of them is as good
		}
		known[diffID] = true
		key, err := referenceKey(diffID)
		if err != nil {
			return nil, err
		}
		records = append(records, cachetypes.CacheRecord{
			Digest:         key,
			Inputs:         [][]cachetypes.CacheInput{{{LinkIndex: 0}}},
			ChainedResults: []cachetypes.ChainedResult{{LayerIndexes: []int{place + i}}},
		})
	}
	return json.Marshal(records)
}

// Referenced is where an inline cache leads from the References of some layers. It is an error if the cache has anything
// else but Materials: whoever made it could give any operation of a build a result.
func Referenced(inlineCache []byte, diffIDs []digest.Digest) (map[digest.Digest]int, error) {
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(inlineCache, &records); err != nil {
		return nil, err
	}
	root, err := rootKey()
	if err != nil {
		return nil, err
	}
	layers := map[digest.Digest]digest.Digest{} // by key
	for _, id := range diffIDs {
		key, err := referenceKey(id)
		if err != nil {
			return nil, err
		}
		layers[key] = id
	}
	places := map[digest.Digest]int{}
	for i, r := range records {
		id, known := layers[r.Digest]
		_, twice := places[id]
		chains := r.ChainedResults
		switch {
		case r.Digest == root && len(r.Results) == 0 && len(chains) == 0:
		case known && !twice && len(r.Results) == 0 && len(chains) == 1 && len(chains[0].LayerIndexes) == 1:
			places[id] = chains[0].LayerIndexes[0]
		case !known && isMaterials(records, r):
		default:
			return nil, fmt.Errorf("record %d is not that of one layer", i)
		}
	}
	return places, nil
}
