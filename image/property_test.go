package image_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/plan"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/llb"
	mod "github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/previous"
	"github.com/packfile/frontend/source/live"
	"github.com/packfile/frontend/step"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "the only world of TestWhateverCameBeforeABuildGivesWhatABuildFromNothingGives")
	worldsFlag = flag.Int("worlds", 80, "how many worlds it tries")
)

// built is the result of a build.
type built struct {
	config  *dockerspec.DockerOCIImage
	cache   []byte
	files   tree
	layers  []tree          // of the image's own, in order
	ran     map[string]tree // what run steps left, by LAYER
	actions map[string]graph.Action
	appTime int64 // of the app's files, in seconds since 1970
	aged    bool  // its label may give layers the content that they have with olderTime
}

// order is the order in which questions of a build are asked.
type order func([]fact.Question) []fact.Question

func allAtOnce(qs []fact.Question) []fact.Question { return qs }

// oneByOne asks any one of the questions that can be asked.
func oneByOne(r *rand.Rand) order {
	return func(qs []fact.Question) []fact.Question {
		i := r.IntN(len(qs))
		return qs[i : i+1]
	}
}

// baseLayer is the only layer of the run image.
var baseLayer = tree{"/base": {data: "base", time: 1}}

// input of a build.
type input struct {
	container.Input
	modules []*mod.Module
	graph   graph.Input
	image   image.Input
}

// input of a build of the world.
func (w *world) input(t *testing.T, earlier *previous.Image) input {
	local := bk.Local("context", bk.SharedKeyHint("context"))
	run := &dockerspec.DockerOCIImage{}
	run.RootFS.DiffIDs = []digest.Digest{digest.Digest(baseLayer.digest(true))}
	in := input{
		Input: container.Input{
			Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
			Build:    container.Base{State: bk.Image(w.image), Digest: digest.FromString(w.image), Exact: true},
			Tools:    bk.Image("frontend"),
			Native:   container.Native{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Tools: bk.Image("frontend")},
			App:      container.App{Tree: bk.Local("context", bk.SessionID("session"), bk.SharedKeyHint("context")), Stable: &local},
			Owner:    llb.Owner{UID: 1000, GID: 1000},
			Sources:  live.Make,
			Project:  "project",
			Args:     []step.Variable{{Name: "ARG", Value: w.args}},
		},
		graph: graph.Input{Time: w.epoch.UTC(), Now: time.Unix(0, 0), Previous: earlier},
		image: image.Input{
			Run:     container.Base{State: bk.Image("run"), Digest: digest.FromString("run"), Exact: true, Config: run},
			User:    "1000:1000",
			AppTime: w.appTime,
		},
	}
	for i, m := range w.modules {
		filename := fmt.Sprintf("packfile%d.toml", i)
		pf, _, err := packfile.Parse(filename, []byte(m.text()))
		if err != nil {
			t.Fatalf("%v\n%s", err, m.text())
		}
		made := &mod.Module{Packfile: pf, Filename: filename, Files: bk.Scratch()}
		if in.modules = append(in.modules, made); i == w.root {
			in.Root = made
		}
	}
	return in
}

// tried is a build that has found its group.
type tried struct {
	*graph.Decisions
	*builder
	facts fact.Facts // facts under which they hold
}

// ask adds the answers to questions that can be asked now.
func (b *tried) ask(qs []fact.Question) error {
	inquiries, err := b.Ask(context.Background(), qs, nil)
	if err != nil {
		return err
	}
	if err := b.sameAgain(qs, inquiries); err != nil {
		return err
	}
	return b.know(b.answerAll(inquiries))
}

// know adds answers.
func (b *tried) know(more fact.Facts) (err error) {
	b.facts = b.facts.With(more)
	b.Decisions, err = b.With(more)
	return err
}

// answerAll returns the answers to inquiries.
func (b *builder) answerAll(inquiries []fact.Inquiry) fact.Facts {
	facts := fact.Facts{}
	for _, in := range inquiries {
		left := b.solve(in.State)
		for q, file := range in.Files {
			var r step.Result
			if err := json.Unmarshal([]byte(left[file].data), &r); err != nil {
				b.t.Fatalf("answer to %v in %s: %v", q, file, err)
			}
			facts[q] = in.Answer(q, r)
		}
	}
	return facts
}

// try begins a build of the world on an empty builder. It fails when the modules of the world do not go together.
func (w *world) try(t *testing.T, from *built, in input) (b tried, err error) {
	b.builder = &builder{
		t: t, app: tree{}, layers: map[digest.Digest]tree{}, weather: w.weather, done: map[digest.Digest][]tree{}, ran: map[string]tree{},
		images: map[string]tree{"docker-image://docker.io/library/run": baseLayer, "docker-image://docker.io/library/build": {},
			"docker-image://docker.io/library/frontend": {"/step": {folder: true}, "/step/packfile-step": {}, "/launcher": {data: "launcher"}}},
	}
	for name, data := range w.app {
		b.app.put(path.Dir("/"+name), nil, 5)
		b.app["/"+name] = entry{data: data, time: 5}
	}
	if from != nil {
		b.images["docker-image://docker.io/library/previous"] = from.files
		for _, layer := range from.layers {
			b.known(layer.digest(true), layer)
		}
	}
	build := &group.Detector{Builder: container.New(in.Input), Modules: in.modules}
	var members []group.Candidate
	for _, m := range in.modules {
		members = append(members, group.Candidate{Module: m})
	}
	inquiries, err := build.Ask(build.Questions(members, nil))
	if err != nil {
		return b, err
	}
	b.facts = b.answerAll(inquiries)
	chosen, err := build.Try(members, b.facts, &plan.Trials{Limit: 1000})
	if err != nil {
		return b, err
	}
	g, err := graph.New(build.Builder, in.graph, chosen, b.facts)
	if err != nil {
		return b, err
	}
	b.Decisions, err = g.Decide(b.facts)
	return b, err
}

// build builds the world as the frontend does.
func (w *world) build(t *testing.T, from *built, in input, next order) (img *built, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = errors.New(p.why)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	b, err := w.try(t, from, in)
	if err != nil {
		return nil, err
	}
	for rounds := 0; ; rounds++ {
		qs := b.Questions()
		if len(qs) == 0 {
			break
		}
		if rounds > 500 {
			return nil, fmt.Errorf("it never ends: %v", qs)
		}
		if err := b.ask(next(qs)); err != nil {
			return nil, err
		}
	}
	result, err := in.assemble(b.Decisions)
	if err != nil {
		return nil, err
	}
	if err := b.sameAtOnce(in, result); err != nil {
		return nil, err
	}
	for rounds := 0; in.graph.Target == ""; rounds++ {
		if err := b.know(b.answerAll(result.Left)); err != nil {
			return nil, err
		}
		again, err := result.Again(context.Background(), b.Decisions)
		if err != nil {
			return nil, err
		}
		same := result.Same(again)
		if result = again; same {
			break
		}
		if rounds > 5 {
			return nil, errors.New("the image is another one every time")
		}
	}
	img = &built{files: b.solve(result.State), actions: map[string]graph.Action{}, ran: b.ran, appTime: in.graph.Time.Unix()}
	if !in.image.AppTime.IsZero() {
		img.appTime = in.image.AppTime.Unix()
	}
	for _, e := range b.Explain() {
		img.actions[e.Layer] = e.Action
	}
	if img.config, err = result.Config(); err != nil || in.graph.Target != "" {
		return img, err
	}
	if err := b.sameConfigAtOnce(result, img.config); err != nil {
		return nil, err
	}
	if img.cache, err = result.InlineCache(); err != nil {
		return nil, err
	}
	img.layers = b.merged(result.State)[1:]
	img.config.RootFS.DiffIDs = slices.Clone(in.image.Run.Config.RootFS.DiffIDs)
	for _, layer := range img.layers {
		img.config.RootFS.DiffIDs = append(img.config.RootFS.DiffIDs, digest.Digest(layer.digest(true)))
	}
	return img, nil
}

// previous returns an image as the previous one of a build.
func (img *built) previous(t *testing.T, copied bool) *previous.Image {
	p := previous.Source{State: bk.Image("previous"), Config: img.config}
	if !copied {
		p.InlineCache = img.cache
	}
	earlier, warnings := previous.New(p)
	if len(warnings) > 0 {
		t.Fatal(warnings)
	}
	return earlier
}

// explained returns what becomes of layers, as far as that can be known without building any.
func (w *world) explained(t *testing.T, from *built, in input) map[string]graph.Action {
	in.graph.BuildNothing = true
	b, err := w.try(t, from, in)
	for err == nil {
		qs := b.Questions()
		if len(qs) == 0 {
			break
		}
		err = b.ask(qs)
	}
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]graph.Action{}
	for _, e := range b.Explain() {
		actions[e.Layer] = e.Action
	}
	return actions
}

// history is a world and the builds of it.
type history struct {
	t     *testing.T
	r     *rand.Rand
	world *world
	lines []string
	last  *built
	aged  bool // an image before was of a frontend with another default time
}

func (h *history) fatal(format string, args ...any) {
	h.t.Helper()
	h.t.Errorf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(h.lines, "\n"))
	for i, m := range h.world.modules {
		h.t.Logf("module %d, root: %t\n%s", i, i == h.world.root, m.text())
	}
	h.t.FailNow()
}

// next changes the world, and builds it.
func (h *history) next() (more bool) {
	h.t.Helper()
	w := h.world
	for range 1 + h.r.IntN(3) {
		h.lines = append(h.lines, "change: "+w.change(h.r))
	}
	fresh, err := w.build(h.t, nil, w.input(h.t, nil), allAtOnce)
	var failed *plan.Failure
	if errors.As(err, &failed) {
		return false
	}
	if err != nil {
		h.fatal("from nothing: %v", err)
	}
	from, copied := h.last, chance(h.r, 10)
	if chance(h.r, 15) {
		from = from.older(h.t, w)
		h.lines = append(h.lines, "the previous image is of an older frontend")
	}
	if chance(h.r, 15) {
		from, h.aged = from.withOlderTime(h.t), true
		h.lines = append(h.lines, "the previous image is of a frontend with another default time")
	}
	if copied && chance(h.r, 50) && len(from.layers) > 0 {
		from = from.mixed(h.r)
		h.lines = append(h.lines, "the run image of the previous image has a file in the folder of one of its layers")
	}
	in := w.input(h.t, from.previous(h.t, copied))
	got, err := w.build(h.t, from, in, allAtOnce)
	if err != nil {
		h.fatal("with the previous image: %v", err)
	}
	h.lines = append(h.lines, fmt.Sprintf("build: %v", got.actions))
	// What is copied to get the default time is described anew.
	got.aged = from.aged && (!w.epoch.Equal(container.DefaultTime) || from.label(h.t).Time == step.DefaultTime)
	if d := h.differences(fresh, got); d != nil && w.pinned {
		h.fatal("not as from nothing: %s", strings.Join(d, "\n"))
	}
	if lies := got.untrue(h.t); lies != nil {
		h.fatal("untrue: %s", strings.Join(lies, "\n"))
	}
	for name, action := range w.explained(h.t, from, in) {
		if action != graph.Unknown && action != got.actions[name] && !copied {
			h.fatal("%s is %s and was to be %s", name, got.actions[name], action)
		}
	}
	other, err := w.build(h.t, from, in, oneByOne(h.r))
	if err != nil {
		h.fatal("asked one by one: %v", err)
	}
	if d := differences(got, other); d != nil || !maps.Equal(got.actions, other.actions) {
		h.fatal("not the same when asked one by one: %s\n%v", strings.Join(d, "\n"), other.actions)
	}
	again, err := w.build(h.t, got, w.input(h.t, got.previous(h.t, false)), allAtOnce)
	if err != nil {
		h.fatal("again: %v", err)
	}
	if d := differences(got, again); d != nil {
		h.fatal("not the same again: %s", strings.Join(d, "\n"))
	}
	if names := got.rebuilt(h.t, w, again); names != nil {
		h.fatal("nothing changed, and these are built again: %v", names)
	}
	h.target(from, in)
	h.last = got
	return true
}

// target builds one layer of the world.
func (h *history) target(from *built, in input) {
	h.t.Helper()
	m := pick(h.r, h.world.modules...)
	if l := pick(h.r, m.layers...); l.section != "" {
		in.graph.Target = l.name
		if m.id != "" {
			in.graph.Target = m.id + "/" + l.name
		}
		with, err := h.world.build(h.t, from, in, allAtOnce)
		in.graph.Previous = nil
		without, failed := h.world.build(h.t, nil, in, allAtOnce)
		if err != nil && (failed == nil || err.Error() != failed.Error()) {
			h.fatal("target %s: %v", in.graph.Target, err)
		}
		if err == nil && h.world.pinned && differences(with, without) != nil {
			h.fatal("target %s: %v", in.graph.Target, differences(with, without))
		}
	}
}

func TestWhateverCameBeforeABuildGivesWhatABuildFromNothingGives(t *testing.T) {
	seeds := make([]uint64, *worldsFlag)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	built := 0
	for _, seed := range seeds {
		h := &history{t: t, r: rand.New(rand.NewPCG(seed, 0)), lines: []string{fmt.Sprintf("go test ./image -run Whatever -seed %d", seed)}}
		h.world = newWorld(h.r, rand.New(rand.NewPCG(seed, 1)))
		first, err := h.world.build(t, nil, h.world.input(t, nil), allAtOnce)
		var failed *plan.Failure
		if errors.As(err, &failed) {
			continue
		}
		if err != nil {
			h.fatal("first build: %v", err)
		}
		h.last = first
		for range 3 {
			if !h.next() {
				break
			}
			built++
		}
	}
	if *seedFlag == 0 && built < len(seeds) {
		t.Errorf("only %d builds with a previous image were tried", built)
	}
}
