package llb

import (
	"encoding/json"
	"testing"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
)

func material(name string) Material {
	return Material{Source: bk.HTTP("https://example.com/" + name), File: name, Digest: digest.FromString(name)}
}

func TestInlineCacheMayHaveMaterialsThatGiveNothingElseAResult(t *testing.T) {
	layer := digest.FromString("layer")
	cache, err := References([]digest.Digest{layer}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if HasMaterials(cache) {
		t.Error("there are no materials")
	}
	if cache, err = AddMaterials(cache, [][]Material{{material("a"), material("b")}, {material("b")}}); err != nil {
		t.Fatal(err)
	}
	if places, _, err := Referenced(cache, []digest.Digest{layer}, nil); err != nil || len(places) != 1 || !HasMaterials(cache) {
		t.Errorf("%v %v", places, err)
	}
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(cache, &records); err != nil {
		t.Fatal(err)
	}
	merge, first := -1, -1
	results := 0
	key, err := materialsKey()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if r.Digest == key {
			first = i
		}
		if len(r.ChainedResults) > 0 {
			results++
			merge = i
		}
	}
	if results != 3 || len(records) != 7 { // root, layer, first, a, b, and two sets
		t.Errorf("%d results in %d records", results, len(records))
	}
	for name, change := range map[string]func([]cachetypes.CacheRecord){
		"a merge of something else": func(r []cachetypes.CacheRecord) { r[merge].Inputs[0][0].LinkIndex = first + 1 },
		"a merge of something else as well": func(r []cachetypes.CacheRecord) {
			r[merge].Inputs[0] = append(r[merge].Inputs[0], cachetypes.CacheInput{LinkIndex: 0})
		},
		"a merge of a part":           func(r []cachetypes.CacheRecord) { r[merge].Inputs[0][0].Selector = "x" },
		"a merge of nothing":          func(r []cachetypes.CacheRecord) { r[merge].Inputs[0][0].LinkIndex = 99 },
		"a merge without inputs":      func(r []cachetypes.CacheRecord) { r[merge].Inputs = nil },
		"a result of a source":        func(r []cachetypes.CacheRecord) { r[first+1].ChainedResults = r[merge].ChainedResults },
		"a result of another kind":    func(r []cachetypes.CacheRecord) { r[merge].Results = []cachetypes.CacheResult{{}} },
		"a result of the first input": func(r []cachetypes.CacheRecord) { r[first].ChainedResults = r[merge].ChainedResults },
		"two inputs where one was":    func(r []cachetypes.CacheRecord) { r[merge].Inputs = append(r[merge].Inputs, r[merge].Inputs[1]) },
	} {
		var changed []cachetypes.CacheRecord
		if err := json.Unmarshal(cache, &changed); err != nil {
			t.Fatal(err)
		}
		change(changed)
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Referenced(data, []digest.Digest{layer}, nil); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}
