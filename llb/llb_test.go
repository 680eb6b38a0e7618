package llb

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

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
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
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
		for _, dt := range inner.Def {
			var op pb.Op
			if err := op.Unmarshal(dt); err != nil {
				t.Fatal(err)
			}
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
	one, two := digest.FromString("one"), digest.FromString("two")
	cache, err := References([]digest.Digest{one, two, one}, 3)
	if err != nil {
		t.Fatal(err)
	}
	places, err := Referenced(cache, []digest.Digest{one, two})
	if err != nil || places[one] != 3 || places[two] != 4 || len(places) != 2 {
		t.Errorf("%v %v", places, err)
	}
	if _, err := Referenced(cache, []digest.Digest{one}); err == nil {
		t.Error("a record of something else is not refused")
	}
	var records []json.RawMessage
	if err := json.Unmarshal(cache, &records); err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(append(records, records[1]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Referenced(twice, []digest.Digest{one, two}); err == nil {
		t.Error("two records of one layer are not refused")
	}
	if _, err := Referenced([]byte("{}"), nil); err == nil {
		t.Error("what is no list is not refused")
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
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			t.Fatal(err)
		}
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
