package llb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/measure"
)

// Reference returns a layer of an image in a registry, by reference: BuildKit downloads it, and no other layer, only when
// an operation reads it. BuildKit finds it in the image's inline cache, which must be imported, by a key made of its diff
// id (References). When it is not found, building it fails.
//
// Why not Diff(Image(limit i), Image(limit i+1)), which needs no cache: BuildKit v0.33.1 gives the result of Diff the
// identity of the whole chain of layers below it (cache/blobs.go, computeChainMetadata). From then on, that builder may
// take the one for the other: an image with those layers comes out without the ones below, and a Diff of it with
// whiteouts of the run image. Seen in about every third build on a builder that keeps its state.
func Reference(diffID digest.Digest, opts ...bk.ConstraintsOpt) bk.State {
	// Why not an operation without inputs: for these, the builder's own record wins over an imported one, even when it only
	// says where the layer once was.
	return root().File(bk.Rm(referencePath(diffID)), append(opts[:len(opts):len(opts)], bk.WithoutExportCache())...)
}

// root returns the state on which every Reference is based.
func root() bk.State {
	return bk.Scratch().File(bk.Mkfile(rootPath, 0o644, nil), bk.WithCustomName("[internal] layers by reference"))
}

const rootPath = "/reference"

// referencePath returns the path that the operation of a Reference removes. There is no such file, so the operation fails
// when it runs, that is, when the cache does not have it.
func referencePath(diffID digest.Digest) string { return "/layer with diff id " + diffID.String() }

// referenceKey returns the key of a Reference in a cache.
func referenceKey(diffID digest.Digest) (digest.Digest, error) {
	return fileKey(&pb.FileActionRm{Path: referencePath(diffID)}, nil)
}

// rootKey returns the key of root in a cache.
func rootKey() (digest.Digest, error) {
	return fileKey(&pb.FileActionMkFile{Path: rootPath, Mode: 0o644, Timestamp: -1}, [][]int{{-1, -1, 0}}) // from scratch
}

// fileKey returns BuildKit's cache key of a file operation with one action: CacheMap in solver/llbsolver/ops/file.go, and
// rootKey in solver/cachemanager.go. TestKeysOfReferencesAreThoseThatBuildKitMakes compares it with the keys of each
// supported BuildKit.
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

// References returns an inline cache by which BuildKit finds the Reference of each layer of an image; the first of layers
// is at place in the image. It returns nil when there are no layers.
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
			continue // any of equal layers will do
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

// Moved returns an inline cache of References and Materials, changed for an image in which the layers are at other
// places.
func Moved(inlineCache []byte, places map[digest.Digest]int) ([]byte, error) {
	records, err := parseRecords(inlineCache)
	if err != nil {
		return nil, err
	}
	moved := map[digest.Digest]int{} // by key
	for id, place := range places {
		key, err := referenceKey(id)
		if err != nil {
			return nil, err
		}
		moved[key] = place
	}
	for i := range records {
		if place, ok := moved[records[i].Digest]; ok {
			records[i].ChainedResults = []cachetypes.ChainedResult{{LayerIndexes: []int{place}}}
		}
	}
	return json.Marshal(records)
}

// Renamed returns an inline cache of References and Materials, changed for an image that has another layer in the place of one.
func Renamed(inlineCache []byte, old, new digest.Digest) ([]byte, error) {
	records, err := parseRecords(inlineCache)
	if err != nil {
		return nil, err
	}
	from, err := referenceKey(old)
	if err != nil {
		return nil, err
	}
	to, err := referenceKey(new)
	if err != nil {
		return nil, err
	}
	for i := range records {
		if records[i].Digest == from {
			records[i].Digest = to
		}
	}
	return json.Marshal(records)
}

// maxRecords is the largest number of records of an inline cache. An image has a few for each layer and dep.
const maxRecords = 10_000

// Referenced returns the places of an image's layers to which an inline cache leads from their References. It also
// returns strays: those of the diff ids in more from which the cache leads to layers of the image with other diff ids. It
// fails if the cache has anything else except Materials: its maker could give any operation of any build on the daemon a
// result. It also fails if the cache names a time, since BuildKit takes the latest result of an operation, wherever it
// comes from.
func Referenced(inlineCache []byte, diffIDs, more []digest.Digest) (places map[digest.Digest]int, strays []digest.Digest, err error) {
	records, err := parseRecords(inlineCache)
	if err != nil {
		return nil, nil, err
	}
	root, err := rootKey()
	if err != nil {
		return nil, nil, err
	}
	layers := map[digest.Digest]digest.Digest{} // by key
	for _, ids := range [][]digest.Digest{more, diffIDs} {
		for _, id := range ids {
			key, err := referenceKey(id)
			if err != nil {
				return nil, nil, err
			}
			layers[key] = id
		}
	}
	own := map[digest.Digest]bool{}
	for _, id := range diffIDs {
		own[id] = true
	}
	seen := map[digest.Digest]bool{}
	places = map[digest.Digest]int{}
	for i, r := range records {
		id, known := layers[r.Digest]
		place, one := onlyLayer(r)
		one = one && place >= 0 && place < len(diffIDs) && !seen[id]
		switch {
		case r.Digest == root && len(r.Results) == 0 && len(r.ChainedResults) == 0:
		case known && one && diffIDs[place] == id:
			places[id] = place
		case known && one && !own[id]:
			strays = append(strays, id)
		case !known && isMaterials(records, r):
		default:
			return nil, nil, fmt.Errorf("record %d is not that of one layer", i)
		}
		seen[id] = known
	}
	return places, strays, nil
}

// parseRecords reads an inline cache. It fails for unknown fields, since BuildKit may know them.
func parseRecords(inlineCache []byte) (records []cachetypes.CacheRecord, err error) {
	if _, err := measure.JSON(inlineCache, measure.Record); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(inlineCache))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&records); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is something behind the records")
	}
	if len(records) > maxRecords {
		return nil, fmt.Errorf("there are %d records, more than %d", len(records), maxRecords)
	}
	return records, nil
}

// onlyLayer returns the place of the layer that is the only result of a record, with no time.
func onlyLayer(r cachetypes.CacheRecord) (place int, ok bool) {
	chains := r.ChainedResults
	if len(r.Results) > 0 || len(chains) != 1 || len(chains[0].LayerIndexes) != 1 || !chains[0].CreatedAt.IsZero() {
		return 0, false
	}
	return chains[0].LayerIndexes[0], true
}
