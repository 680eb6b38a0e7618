package image_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// A builder in place of BuildKit and packfile-step, so that the property test sees files and not what our code thinks of them. It
// knows LLB and the step contract (package step), and nothing of package graph.

// entry is a file or a folder of a tree.
type entry struct {
	data   string
	folder bool
	time   int64 // in seconds, unknown is none that was given
}

const unknown = -1

// tree is files and folders by their absolute path. A mount of a file is a tree with that file as "/".
type tree map[string]entry

// sub returns a folder, or file, of a tree as a tree of its own.
func (t tree) sub(dir string) tree {
	dir = path.Join("/", dir)
	if dir == "/" {
		return t
	}
	found := tree{}
	for name, e := range t {
		switch rest, below := strings.CutPrefix(name, dir+"/"); {
		case name == dir:
			found["/"] = e
		case below:
			found["/"+rest] = e
		}
	}
	return found
}

// put adds a tree below a folder of another, and the folders above.
func (t tree) put(dir string, files tree, time int64) {
	dir = path.Join("/", dir)
	for name, e := range files {
		t[path.Join(dir, name)] = e
	}
	for ; dir != "/"; dir = path.Dir(dir) {
		if _, ok := t[dir]; !ok {
			t[dir] = entry{folder: true, time: time}
		}
	}
}

// digest returns the digest of a tree as a layer; without times, that of its files.
func (t tree) digest(times bool) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t)) {
		e := t[name]
		if name == "/" && e.folder {
			continue
		}
		if !times {
			e.time = 0
		}
		fmt.Fprintf(h, "%q %q %t %d\n", name, e.data, e.folder, e.time)
	}
	return digest.NewDigest(digest.SHA256, h).String()
}

func (t tree) timed(seconds int64) tree {
	timed := tree{}
	for name, e := range t {
		e.time = seconds
		timed[name] = e
	}
	return timed
}

// failure is a build that fails.
type failure struct{ why string }

func fail(format string, args ...any) { panic(failure{fmt.Sprintf(format, args...)}) }

// builder is an empty builder, for one build.
type builder struct {
	t       *testing.T
	app     tree
	images  map[string]tree        // by how their references begin
	layers  map[digest.Digest]tree // layers of the previous image, by the operation that refers to them
	weather string                 // what scripts get from the network
	done    map[digest.Digest][]tree
	ran     map[string]tree // what run steps left, by LAYER
}

// known makes a layer of the previous image available by reference.
func (b *builder) known(diffID string, layer tree) {
	def := marshalled(b.t, llb.Reference(digest.Digest(diffID)))
	b.layers[digest.FromBytes(def[len(def)-2])] = layer // the last operation names the result
}

func marshalled(t *testing.T, st bk.State) [][]byte {
	t.Helper()
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return def.Def
}

// solve returns the tree of a state.
func (b *builder) solve(st bk.State) tree { return b.inputs(st)[0] }

// merged returns the layers that a state merges.
func (b *builder) merged(st bk.State) []tree {
	ops := b.operations(st)
	last := ops[""].Inputs[0]
	merge := ops[digest.Digest(last.Digest)]
	if merge.GetMerge() == nil {
		b.t.Fatal("no merge")
	}
	return b.resolve(ops, merge.Inputs)
}

func (b *builder) inputs(st bk.State) []tree {
	ops := b.operations(st)
	if len(ops) == 0 {
		return []tree{{}}
	}
	return b.resolve(ops, ops[""].Inputs)
}

// operations returns the operations of a state, by digest. The last one, the result, has none.
func (b *builder) operations(st bk.State) map[digest.Digest]*pb.Op {
	ops := map[digest.Digest]*pb.Op{}
	def := marshalled(b.t, st)
	for i, data := range def {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			b.t.Fatal(err)
		}
		id := digest.FromBytes(data)
		if i == len(def)-1 {
			id = ""
		}
		ops[id] = &op
	}
	return ops
}

func (b *builder) resolve(ops map[digest.Digest]*pb.Op, inputs []*pb.Input) []tree {
	trees := make([]tree, len(inputs))
	for i, in := range inputs {
		trees[i] = b.run(ops, digest.Digest(in.Digest))[in.Index]
	}
	return trees
}

// run returns what an operation leaves.
func (b *builder) run(ops map[digest.Digest]*pb.Op, id digest.Digest) []tree {
	if out, ok := b.done[id]; ok {
		return out
	}
	if layer, ok := b.layers[id]; ok {
		return []tree{layer}
	}
	op := ops[id]
	in := b.resolve(ops, op.Inputs)
	var out []tree
	switch {
	case op.GetSource() != nil:
		out = []tree{b.source(op.GetSource().Identifier)}
	case op.GetFile() != nil:
		out = files(op.GetFile(), in)
	case op.GetMerge() != nil:
		all := tree{}
		for _, layer := range in {
			maps.Copy(all, layer)
		}
		out = []tree{all}
	case op.GetBuild() != nil: // a keyed view: what is in the app may not count
		view := tree{step.AppDir: {folder: true}, step.AppDir + "/any": {data: "any"}}
		maps.Copy(view, b.symlinks(in[0]["/"+pb.LLBDefaultDefinitionFile].data))
		out = []tree{view}
	case op.GetExec() != nil:
		out = b.exec(op.GetExec(), in)
	default:
		b.t.Fatalf("operation %v", op)
	}
	b.done[id] = out
	return out
}

// symlinks returns the symbolic links that a definition makes.
func (b *builder) symlinks(definition string) tree {
	var def pb.Definition
	if err := def.Unmarshal([]byte(definition)); err != nil {
		b.t.Fatal(err)
	}
	found := tree{}
	for _, data := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(data); err != nil {
			b.t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			if link := a.GetSymlink(); link != nil {
				found[path.Join("/", link.Newpath)] = entry{data: "link to " + link.Oldpath}
			}
		}
	}
	return found
}

func (b *builder) source(id string) tree {
	if strings.HasPrefix(id, "local://") {
		return b.app
	}
	for name, files := range b.images {
		if strings.HasPrefix(id, name) {
			return files
		}
	}
	b.t.Fatalf("source %s", id)
	return nil
}

// files runs the actions of a file operation.
func files(op *pb.FileOp, in []tree) []tree {
	states := map[int64]tree{}
	for i, t := range in {
		states[int64(i)] = t
	}
	outputs := map[int64]tree{}
	for i, a := range op.Actions {
		base := maps.Clone(states[a.Input])
		if base == nil {
			base = tree{}
		}
		switch {
		case a.GetMkfile() != nil:
			base[path.Join("/", a.GetMkfile().Path)] = entry{data: string(a.GetMkfile().Data), time: unknown}
		case a.GetMkdir() != nil:
			base.put(a.GetMkdir().Path, nil, unknown)
		case a.GetSymlink() != nil:
			base[path.Join("/", a.GetSymlink().Newpath)] = entry{data: "link to " + a.GetSymlink().Oldpath, time: unknown}
		case a.GetCopy() != nil:
			copied(base, states[a.SecondaryInput], a.GetCopy())
		default:
			fail("no such file: %v", a)
		}
		states[int64(len(in)+i)] = base
		if a.Output >= 0 {
			outputs[a.Output] = base
		}
	}
	out := make([]tree, len(outputs))
	for i := range out {
		out[i] = outputs[int64(i)]
	}
	return out
}

func copied(to, from tree, a *pb.FileActionCopy) {
	if a.AllowWildcard && strings.Contains(a.Src, "*") {
		return // the pattern that matches nothing
	}
	src := from.sub(a.Src)
	if e, ok := src["/"]; len(src) == 0 && path.Clean(a.Src) != "/" {
		fail("copy of %s, which is not there", a.Src)
	} else if ok && !e.folder {
		if a.Timestamp >= 0 {
			e.time = a.Timestamp / 1e9
		}
		to.put(path.Dir(path.Join("/", a.Dest)), nil, e.time)
		to[path.Join("/", a.Dest)] = e
		return
	}
	within := func(patterns []string, name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return name == "/"+p || strings.HasPrefix(name, "/"+p+"/") })
	}
	chosen := tree{}
	for name, e := range src {
		if len(a.IncludePatterns) > 0 && !within(a.IncludePatterns, name) || within(a.ExcludePatterns, name) || name == "/" {
			continue
		}
		if a.Timestamp >= 0 {
			e.time = a.Timestamp / 1e9
		}
		chosen[name] = e
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			chosen[dir] = entry{folder: true, time: e.time}
		}
	}
	time := int64(unknown)
	if a.Timestamp >= 0 {
		time = a.Timestamp / 1e9
	}
	to.put(a.Dest, chosen, time)
}

// box is the container of one step.
type box struct {
	spec   step.Run // what its script is told; of a require or test step too
	mounts map[string]tree
	cached map[string]bool // mounts whose content is not of this build
	out    map[string]tree // what it leaves, by mount
}

func (b *builder) exec(op *pb.ExecOp, in []tree) []tree {
	c := box{mounts: map[string]tree{}, cached: map[string]bool{}, out: map[string]tree{}}
	for _, m := range op.Mounts {
		if m.MountType == pb.MountType_CACHE {
			c.cached[m.Dest] = true
			continue
		}
		if m.MountType != pb.MountType_BIND {
			continue
		}
		files := tree{}
		if m.Input >= 0 {
			files = in[m.Input].sub(m.Selector)
			if len(files) == 0 && m.Selector != "" && m.Selector != "/" {
				fail("mount of %s, which is not there", m.Selector)
			}
		}
		if _, twice := c.mounts[m.Dest]; twice {
			b.t.Fatalf("two mounts at %s", m.Dest)
		}
		c.mounts[m.Dest] = files
	}
	var spec step.Spec
	if err := json.Unmarshal([]byte(c.mounts[step.SpecDir]["/"+step.SpecFile].data), &spec); err != nil {
		b.t.Fatal(err)
	}
	b.step(&c, spec.Task)
	count := int64(0)
	for _, m := range op.Mounts {
		count = max(count, m.Output+1)
	}
	out := make([]tree, count)
	for _, m := range op.Mounts {
		if m.Output < 0 {
			continue
		}
		all := tree{}
		if m.Input >= 0 {
			maps.Copy(all, in[m.Input])
		}
		all.put(m.Selector, c.out[m.Dest], unknown)
		out[m.Output] = all
	}
	return out
}

// result leaves the result of a step.
func (c *box) result(file string, r step.Result) {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	c.leave(step.OutDir, path.Join("/", file), string(data))
}

func (c *box) leave(mount, name, data string) {
	if c.out[mount] == nil {
		c.out[mount] = tree{}
	}
	c.out[mount].put(path.Dir(name), nil, unknown)
	c.out[mount][name] = entry{data: data, time: unknown}
}

func (b *builder) step(c *box, task step.Task) {
	switch task := task.(type) {
	case step.Require:
		c.spec = step.Run{Given: task.Given, Script: &task.Script}
		c.result(step.ResultFile, b.answer(c))
	case step.Test:
		c.spec = step.Run{Given: task.Given, Seen: task.Seen, Script: &task.Script}
		c.result(step.ResultFile, b.answer(c))
	case step.Run:
		c.spec = task
		b.make(c)
	case step.Match:
		for i := range task.Trees {
			files := c.mounts[step.MatchDir].sub(fmt.Sprint(i))
			version := strings.TrimPrefix(files.digest(false), "sha256:")
			c.result(fmt.Sprintf("%d.json", i), step.Result{Metadata: metadata.Table{"version": version}})
		}
	case step.Describe:
		for i := range task.Trees {
			var r step.Result
			r.DiffID = c.mounts[path.Join(step.TreeDir, fmt.Sprint(i))].digest(true)
			if ran, ok := c.mounts[path.Join(step.RunResult, fmt.Sprint(i))]; ok {
				var said step.Result
				if err := json.Unmarshal([]byte(ran["/"].data), &said); err != nil {
					b.t.Fatalf("result of a run step: %v", err)
				}
				r.Metadata = said.Metadata
			}
			c.result(fmt.Sprintf("%d.json", i), r)
		}
	case step.Seal:
		c.out[step.SealedDir] = c.mounts[step.TreeDir].timed(task.Time)
	default:
		b.t.Fatalf("step %s", task.Kind())
	}
}
