package llb

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

func TestKeyedViewRefusesAnEmptyTree(t *testing.T) {
	if _, err := KeyedView(t.Context(), "key", bk.Scratch(), false); !errors.Is(err, ErrEmptyView) {
		t.Errorf("got %v: the daemon would crash", err)
	}
}

// nested is the definition inside a view.
func nested(t *testing.T, view bk.State) *pb.Definition {
	t.Helper()
	def, err := view.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range operations(t, def.Def) {
		if file := op.GetFile(); file != nil {
			var inner pb.Definition
			if err := inner.Unmarshal(file.Actions[0].GetMkfile().Data); err != nil {
				t.Fatal(err)
			}
			return &inner
		}
	}
	t.Fatal("no definition in the view")
	return nil
}

func TestKeyOfAViewTellsItsLocalSourcesApart(t *testing.T) {
	local := bk.Local("context")
	for _, key := range []string{"one", "two"} {
		view, err := KeyedView(t.Context(), key, CopyTree(local, Tree{To: "/app", Time: time.Unix(1, 0)}), false)
		if err != nil {
			t.Fatal(err)
		}
		inner := nested(t, view)
		if inner.Source != nil {
			t.Error("the definition has a source map: any edit of the packfile would change the view")
		}
		unique := ""
		for _, op := range operations(t, inner.Def) {
			if src := op.GetSource(); src != nil {
				unique = src.Attrs[pb.AttrLocalUniqueID]
			}
		}
		if unique != key {
			t.Errorf("the local source of view %q is known as %q", key, unique)
		}
	}
}

func TestInlineCacheThatHasMoreThanLayersIsRefused(t *testing.T) {
	base, one, two := digest.FromString("base"), digest.FromString("one"), digest.FromString("two")
	image := []digest.Digest{base, one, two, one}
	cache, err := References([]digest.Digest{one, two, one}, 1)
	if err != nil {
		t.Fatal(err)
	}
	places, _, err := Referenced(cache, image, nil)
	if err != nil || places[one] != 1 || places[two] != 2 || len(places) != 2 {
		t.Errorf("%v %v", places, err)
	}
	for name, change := range map[string]func(*[]cachetypes.CacheRecord){
		"an ordinary operation": func(r *[]cachetypes.CacheRecord) {
			*r = append(*r, cachetypes.CacheRecord{Digest: digest.FromString("run"), ChainedResults: (*r)[1].ChainedResults})
		},
		"a layer twice":             func(r *[]cachetypes.CacheRecord) { *r = append(*r, (*r)[1]) },
		"the root with a result":    func(r *[]cachetypes.CacheRecord) { (*r)[0].ChainedResults = (*r)[1].ChainedResults },
		"the root with a chain":     func(r *[]cachetypes.CacheRecord) { (*r)[0].Results = []cachetypes.CacheResult{{}} },
		"another layer":             func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults[0].LayerIndexes[0] = 2 },
		"a layer that is not there": func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults[0].LayerIndexes[0] = 4 },
		"a layer before the first":  func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults[0].LayerIndexes[0] = -1 },
		"two layers":                func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults[0].LayerIndexes = []int{1, 2} },
		"no layer":                  func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults = nil },
		"two results": func(r *[]cachetypes.CacheRecord) {
			(*r)[1].ChainedResults = append((*r)[1].ChainedResults, (*r)[2].ChainedResults...)
		},
		"a result with layers below":       func(r *[]cachetypes.CacheRecord) { (*r)[1].Results = []cachetypes.CacheResult{{LayerIndex: 1}} },
		"a time, with which it goes first": func(r *[]cachetypes.CacheRecord) { (*r)[1].ChainedResults[0].CreatedAt = time.Unix(1<<33, 0) },
		"more records than anyone needs":   func(r *[]cachetypes.CacheRecord) { *r = append(*r, make([]cachetypes.CacheRecord, maxRecords)...) },
	} {
		var records []cachetypes.CacheRecord
		if err := json.Unmarshal(cache, &records); err != nil {
			t.Fatal(err)
		}
		change(&records)
		data, err := json.Marshal(records)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Referenced(data, image, []digest.Digest{digest.FromString("stray")}); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
	if _, _, err := Referenced(cache, []digest.Digest{base, one}, nil); err == nil {
		t.Error("a layer that the image does not have is not refused")
	}
	if places, strays, err := Referenced(cache, []digest.Digest{base, one, base}, []digest.Digest{two}); err != nil || len(places) != 1 || len(strays) != 1 || strays[0] != two {
		t.Errorf("%v %v %v", places, strays, err)
	}
	for _, data := range []string{"{}", "", "[] []", `[{"digest":"sha256:1","unheard-of":1}]`} {
		if _, _, err := Referenced([]byte(data), nil, nil); err == nil {
			t.Errorf("%q is not refused", data)
		}
	}
}

func TestNoTwoMountsOfAProcessHaveOneTree(t *testing.T) {
	tree, other := bk.Image("tree"), bk.Image("other")
	out := Exec{Root: bk.Image("root"), Args: []string{"true"}, Dir: "/", Mounts: []Mount{
		{Dest: "/a", Tree: tree, Source: "/x", Kind: ReadOnly},
		{Dest: "/b", Tree: tree, Source: "/x", Kind: ReadOnly},
		{Dest: "/c", Tree: tree, Source: "/x", Kind: ReadOnly},
		{Dest: "/d", Tree: other, Kind: ReadOnly},
		{Dest: "/e", Tree: other, Kind: ReadOnly},
		{Dest: "/out", Tree: bk.Scratch(), Kind: Output},
		{Dest: "/sealed", Tree: bk.Scratch(), Kind: Output},
	}}.Run()
	def, err := out["/out"].Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mounts := 0
	for _, op := range operations(t, def.Def) {
		seen := map[int64]string{}
		for _, m := range op.GetExec().GetMounts() {
			if mounts++; m.Input < 0 {
				continue // nothing
			}
			if dest, twice := seen[m.Input]; twice {
				t.Errorf("%s and %s have one tree", dest, m.Dest)
			}
			seen[m.Input] = m.Dest
		}
	}
	if mounts != 8 {
		t.Errorf("%d mounts", mounts)
	}
}

func TestAMovedInlineCacheIsThatOfTheImageWithTheLayersThere(t *testing.T) {
	a, b := digest.FromString("a"), digest.FromString("b")
	cache := func(place int) []byte {
		records, err := References([]digest.Digest{a, b, a}, place)
		if err != nil {
			t.Fatal(err)
		}
		source := bk.HTTP("https://example.com/x", bk.Filename("x"))
		if records, err = AddMaterials(records, [][]Material{{{Source: source, File: "x", Digest: digest.FromString("x")}}}); err != nil {
			t.Fatal(err)
		}
		return records
	}
	moved, err := Moved(cache(1), map[digest.Digest]int{a: 4, b: 5})
	if err != nil || string(moved) != string(cache(4)) {
		t.Errorf("%v\n%s\n%s", err, moved, cache(4))
	}
	if _, err := Moved([]byte("no JSON"), nil); err == nil {
		t.Error("what is no cache was moved")
	}
}
