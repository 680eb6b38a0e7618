package image

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/llbbuild"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/packfile"
)

// manyLayers returns a packfile of n versioned layers, each with a link to the one before.
func manyLayers(n int) string {
	var b strings.Builder
	b.WriteString("[config]\nshell = \"/bin/sh\"\n")
	for i := range n {
		fmt.Fprintf(&b, `
[[layers]]
name = "layer-%d"
export = true
version = "1.%d"
[layers.metadata]
purpose = "benchmark"
[layers.build.run]
inline = """
echo some work for layer %d
touch "$LAYER/file"
"""
[[layers.build.env.launch]]
name = "LAYER_%d"
value = "{{.Layer}}"
`, i, i, i, i)
		if i > 0 {
			fmt.Fprintf(&b, "[[layers.build.links]]\nname = \"layer-%d\"\npath-as = \"PREVIOUS\"\n", i-1)
		}
	}
	return b.String()
}

var sizes = []int{10, 100, 1000}

// BenchmarkPackfile measures the whole way from the packfile's bytes to marshalled LLB. Compare with BenchmarkByHand.
func BenchmarkPackfile(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := manyLayers(n)
			b.ReportAllocs()
			for b.Loop() {
				build := newBuild(b, text)
				if diags := packfile.CheckPlan(build.Root.Packfile); len(diags) > 0 {
					b.Fatal(diags)
				}
				marshal(b, build, answers(build))
			}
		})
	}
}

// BenchmarkByHand builds and marshals the same graph with nothing but client/llb: the same number of operations, with the same
// number of mounts, and their names.
func BenchmarkByHand(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				byHand(b, n)
			}
		})
	}
}

func byHand(b *testing.B, n int) {
	ctx := context.Background()
	root, tools := bk.Image("build"), bk.Image("frontend")
	t := container.DefaultTime
	named := func(format string, args ...any) bk.ConstraintsOpt {
		return bk.WithCustomName(fmt.Sprintf(format, args...))
	}
	owner := bk.WithUIDGID(1000, 1000)
	dir := func(path string, name bk.ConstraintsOpt) bk.State {
		return bk.Scratch().File(bk.Mkdir(path, 0o755, bk.WithParents(true), owner), name)
	}
	out, tmp := dir("/out", named("new output")), bk.Scratch().File(bk.Mkdir("/tmp", 0o1777), named("new /tmp"))
	var layers, mds []bk.State
	cache := dir("/cache", named("new cache"))
	beside := dir("/linked", named("linked"))
	var lastTree, lastOut bk.State
	var descriptions *bk.FileAction
	for i := range n {
		content := bk.Scratch().File(bk.Copy(bk.Local("context"), "/", "/workspace", &bk.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &t}, owner), named("[layer-%d] copy app", i))
		key := fmt.Sprint("key", i)
		def, err := content.Marshal(ctx, bk.LocalUniqueID(key))
		if err != nil {
			b.Fatal(err)
		}
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(def.ToPB())
		if err != nil {
			b.Fatal(err)
		}
		viewName := named("[layer-%d] app as of this version", i)
		view := bk.Scratch().File(bk.Mkfile("/buildkit.llb.definition", 0o644, data).Mkfile("/key", 0o644, []byte(key)), viewName).With(llbbuild.Build(llbbuild.WithConstraints(viewName)))
		path := fmt.Sprint("/layers/packfile/layer-", i)
		spec := []byte(fmt.Sprint(i, strings.Repeat("x", 700)))
		files := bk.Scratch().File(bk.Mkfile("/spec.json", 0o644, spec).Mkfile("/script", 0o755, spec[:60]).Mkfile("/record.json", 0o644, spec), named("[layer-%d] run definition", i))
		es := root.Run(bk.Args([]string{"/packfile/bin/packfile-step"}), bk.Dir("/workspace"), bk.User("0:0"), bk.Network(pb.NetMode_UNSET),
			bk.AddEnv("TARGETPLATFORM", "linux/amd64"), bk.AddEnv("TARGETOS", "linux"), bk.AddEnv("TARGETARCH", "amd64"), bk.AddEnv("TARGETVARIANT", ""),
			bk.AddSecret("/run/secrets/ca-certificates", bk.SecretID("ca-certificates"), bk.SecretFileOpt(1000, 1000, 0o400), bk.SecretOptional),
			named("[layer-%d] run", i))
		es.AddMount("/packfile/bin", tools, bk.SourcePath("/step"), bk.Readonly)
		es.AddMount("/packfile/step", files, bk.Readonly)
		md := es.AddMount("/packfile/out", out, bk.SourcePath("/out"))
		es.AddMount("/tmp", tmp, bk.SourcePath("/tmp"), bk.ForceNoOutput)
		es.AddMount("/workspace", view, bk.SourcePath("/workspace"), bk.ForceNoOutput, bk.ContentCache(bk.MountContentCacheOff))
		if i > 0 {
			link := fmt.Sprint("/layers/packfile/layer-", i-1)
			es.AddMount(link, lastTree, bk.SourcePath(link), bk.Readonly)
			es.AddMount("/packfile/links/x", lastOut, bk.SourcePath("/out/md"), bk.Readonly)
		}
		es.AddMount("/packfile/history", cache, bk.SourcePath("/cache"), bk.AsPersistentCacheDir(key, bk.CacheMountShared))
		es.AddMount(path, out, bk.SourcePath("/out"), bk.ForceNoOutput)
		tree := es.AddMount("/packfile/sealed", bk.Scratch())
		lastOut, lastTree = md, tree
		if i > 0 {
			lastOut = bk.Scratch().File(bk.Copy(md, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &t}), named("[layer-%d] output", i))
			lastTree = bk.Merge([]bk.State{tree, beside}, named("[layer-%d] linked", i))
		}
		layers, mds = append(layers, tree), append(mds, lastOut)
	}
	for first := 0; first < n; first += 50 {
		last := min(first+50, n)
		files := bk.Scratch().File(bk.Mkfile("/spec.json", 0o644, []byte(strings.Repeat("x", 90*(last-first)))), named("describe definition %d", first))
		es := bk.Scratch().Run(bk.Args([]string{"/packfile/bin/packfile-step"}), bk.Dir("/"), bk.User("0:0"), bk.Network(pb.NetMode_NONE),
			named("describe %d", first))
		es.AddMount("/packfile/bin", tools, bk.SourcePath("/step"), bk.Readonly)
		es.AddMount("/packfile/step", files, bk.Readonly)
		description := es.AddMount("/packfile/out", out, bk.SourcePath("/out"))
		for i := first; i < last; i++ {
			number := fmt.Sprint("/", i-first)
			es.AddMount("/packfile/tree"+number, layers[i], bk.Readonly, bk.ContentCache(bk.MountContentCacheOff))
			es.AddMount("/packfile/ran"+number, mds[i], bk.SourcePath("/out/result.json"), bk.Readonly)
			descriptions = descriptions.Copy(description, "/out"+number+".json", fmt.Sprint("/", i))
		}
	}
	none := &bk.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true}
	last := bk.Scratch().File(bk.Copy(bk.Scratch().File(descriptions), "/none*", "/", none))
	if _, err := bk.Merge(slices.Concat([]bk.State{bk.Image("run")}, layers, []bk.State{last})).Marshal(ctx); err != nil {
		b.Fatal(err)
	}
}

// TestMemoryOfAThousandLayers holds the live memory of a large build under its limit.
func TestMemoryOfAThousandLayers(t *testing.T) {
	const limit = 100 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	build := newBuild(t, manyLayers(1000))
	def := marshal(t, build, answers(build))
	runtime.GC()
	runtime.ReadMemStats(&after)
	live := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d operations, %.1f MB live", len(def), float64(live)/(1<<20))
	if live > limit {
		t.Errorf("%d bytes live, the limit is %d", live, limit)
	}
	runtime.KeepAlive(build)
	runtime.KeepAlive(def)
}
