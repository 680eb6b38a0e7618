package e2e

import (
	"encoding/json"
	"slices"
	"testing"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	"github.com/moby/buildkit/client"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

// Layers by reference are found by keys that BuildKit never told us: llb/reference.go makes them as it does. Here BuildKit
// itself makes them, for operations that are as those of a Reference, and writes them into the inline cache of an image.
//
// What is mirrored, in each supported version:
//   - the key of a file operation: CacheMap in solver/llbsolver/ops/file.go;
//   - the key of one that has no inputs: rootKey in solver/cachemanager.go (v0.20.2 and v0.34.2 alike);
//   - what becomes of a key on its way to a record, and which field of the config has them: Marshal in cache/remotecache/v1/chains.go,
//     ExportForLayers in cache/remotecache/inline/inline.go.
//
// That BuildKit finds a layer by them is in TestLayersAreReusedBetweenTheNewestAndTheOldestBuildKit.

// referenceOps are what a Reference is made of: what makes the file that it is based on, and the path that it removes.
func referenceOps(t *testing.T, diffID digest.Digest) (root *pb.FileActionMkFile, path string) {
	t.Helper()
	def, err := llb.Reference(diffID).Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			if a.GetMkfile() != nil {
				root = a.GetMkfile()
			}
			if a.GetRm() != nil {
				path = a.GetRm().Path
			}
		}
	}
	if root == nil || path == "" {
		t.Fatal("a reference is made of other operations")
	}
	return root, path
}

// pushState is the name of an image of a state, without a config of its own.
func pushState(t *testing.T, host string, st bk.State, caches ...client.CacheOptionsEntry) string {
	t.Helper()
	c := clientOf(t, host)
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := imageName(t)
	attrs := map[string]string{"name": name, "push": "true", "oci-mediatypes": "true"}
	if _, err := c.Solve(t.Context(), def, client.SolveOpt{
		Exports:      []client.ExportEntry{{Type: client.ExporterImage, Attrs: attrs}},
		CacheExports: caches,
	}, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

// inlineCacheOf is the inline cache that a daemon writes into the config of an image of two operations, the first one first.
func inlineCacheOf(t *testing.T, host string, st bk.State) []cachetypes.CacheRecord {
	t.Helper()
	var fields map[string]json.RawMessage
	p := pull(t, pushState(t, host, st, client.CacheOptionsEntry{Type: "inline"}))
	if err := json.Unmarshal(p.blobData(t, p.manifest.Config.Digest), &fields); err != nil {
		t.Fatal(err)
	}
	var data []byte
	if err := json.Unmarshal(fields[llb.InlineCacheField], &data); err != nil {
		t.Fatalf("%s: %v", llb.InlineCacheField, err)
	}
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	// What has inputs comes behind them.
	slices.SortFunc(records, func(a, b cachetypes.CacheRecord) int { return len(a.Inputs) - len(b.Inputs) })
	if len(records) != 2 || len(records[1].Inputs) == 0 || len(records[1].Inputs[0]) == 0 {
		t.Fatalf("the records of two operations are %s", data)
	}
	records[1].Inputs[0][0].LinkIndex = 0
	return records
}

func TestKeysOfReferencesAreThoseThatBuildKitMakes(t *testing.T) {
	t.Parallel()
	onEachBuildKit(t, func(t *testing.T, host string) {
		diffID := digest.FromString("a layer")
		data, err := llb.References([]digest.Digest{diffID}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var ours []cachetypes.CacheRecord
		if err := json.Unmarshal(data, &ours); err != nil {
			t.Fatal(err)
		}
		root, path := referenceOps(t, diffID)

		// What every reference is based on, with something on it: a cache has no results of operations without inputs.
		records := inlineCacheOf(t, host, bk.Scratch().File(bk.Mkfile(root.Path, 0o644, root.Data)).File(bk.Rm(root.Path)))
		equal(t, "key of what references are based on", records[0].Digest, ours[0].Digest)
		equal(t, "inputs of what references are based on", records[0].Inputs, ours[0].Inputs)

		// A reference itself fails, as there is nothing that it could remove. Based on a file of that name it does not, and what
		// it is based on is no part of its own key.
		records = inlineCacheOf(t, host, bk.Scratch().File(bk.Mkfile(path, 0o644, nil)).File(bk.Rm(path)))
		equal(t, "key of a reference", records[1].Digest, ours[1].Digest)
		equal(t, "inputs of a reference", records[1].Inputs, ours[1].Inputs)
	})
}
