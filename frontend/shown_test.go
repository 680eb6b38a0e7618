package frontend

import (
	"context"
	"errors"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
)

const (
	obeyed = "\x1b[2J"   // that a terminal obeys
	plain  = `a\x1b[2Jb` // "a" + obeyed + "b" as it is shown
)

func TestNamesAndExcerptsOfADefinitionAreShownWithoutOrders(t *testing.T) {
	source := bk.NewSourceMap(nil, "a"+obeyed+"b", "TOML", []byte("a"+obeyed+"b\n"))
	state := bk.Scratch().File(bk.Mkdir("/a"+obeyed, 0o755), bk.WithCustomName("a"+obeyed+"b"), bk.ProgressGroup("id", "a"+obeyed+"b", false),
		source.Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}}))
	state = state.File(bk.Mkdir("/b", 0o755), bk.WithCustomName("as it is"))
	def, err := llb.Marshal(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	given := def.ToPB()
	before := given.CloneVT()
	var sent *pb.Definition
	g := &fakeGateway{solve: func(req gw.SolveRequest) (*gw.Result, error) {
		sent = req.Definition
		return gw.NewResult(), nil
	}}
	if _, err := (shownClient{g}).Solve(t.Context(), gw.SolveRequest{Definition: given}); err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, md := range sent.Metadata {
		names[md.Description[llb.CustomName]]++
		if group := md.ProgressGroup.GetName(); group != "" && group != plain {
			t.Errorf("a group is called %q", group)
		}
	}
	if names[plain] != 1 || names["as it is"] != 1 {
		t.Errorf("operations are called %v", names)
	}
	if info := sent.Source.Infos[0]; info.Filename != plain || string(info.Data) != plain+"\n" || info.Language != "TOML" {
		t.Errorf("the excerpt is %+v", info)
	}
	// The graph that is built stays as it was, and what others share is not changed.
	if len(sent.Def) != len(given.Def) || !given.EqualVT(before) {
		t.Error("the definition itself was changed")
	}
	for i := range sent.Def {
		if string(sent.Def[i]) != string(before.Def[i]) {
			t.Errorf("operation %d is another one", i)
		}
	}
	if len(sent.Source.Locations) != len(before.Source.Locations) {
		t.Error("places are lost")
	}
}

func TestWarningsAreShownOnOneLineWithoutOrders(t *testing.T) {
	g := &warnedGateway{}
	opts := gw.WarnOpts{Detail: [][]byte{[]byte("a" + obeyed + "b")}, SourceInfo: &pb.SourceInfo{Filename: "a" + obeyed + "b"}}
	if err := (shownClient{g}).Warn(t.Context(), "", "a\nb"+obeyed, opts); err != nil {
		t.Fatal(err)
	}
	if g.message != `a\nb\x1b[2J` || string(g.opts.Detail[0]) != plain || g.opts.SourceInfo.Filename != plain {
		t.Errorf("%q, %+v", g.message, g.opts)
	}
	if string(opts.Detail[0]) == plain {
		t.Error("the caller's detail was changed")
	}
}

// warnedGateway keeps the last warning.
type warnedGateway struct {
	gw.Client
	message string
	opts    gw.WarnOpts
}

func (g *warnedGateway) Warn(_ context.Context, _ digest.Digest, message string, opts gw.WarnOpts) error {
	g.message, g.opts = message, opts
	return nil
}

func TestWhatABuildReturnsIsShownWithoutOrders(t *testing.T) {
	boom := errors.New("a" + obeyed + "b")
	if _, err := visible(gw.NewResult(), boom); err.Error() != plain || !errors.Is(err, boom) {
		t.Errorf("the error is %q", err)
	}
	fine := errors.New("two\nlines")
	if _, err := visible(nil, fine); err != fine {
		t.Errorf("an error without orders becomes %q", err)
	}
	res := gw.NewResult()
	res.AddMeta("result.txt", []byte("a"+obeyed+"b\n"))
	res.AddMeta("containerimage.config", []byte("a"+obeyed+"b\n"))
	res, err := visible(res, nil)
	if err != nil || string(res.Metadata["result.txt"]) != plain+"\n" || string(res.Metadata["containerimage.config"]) == plain+"\n" {
		t.Errorf("%q, %v", res.Metadata, err)
	}
	if res, err := visible(nil, nil); res != nil || err != nil {
		t.Errorf("nothing becomes %v, %v", res, err)
	}
}
