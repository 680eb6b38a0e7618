package convert

import (
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// outDir is the folder of a step's output tree that was mounted at step.OutDir.
const outDir = "/out"

// ResultPath is where the state of a Question has the step.Result.
const ResultPath = outDir + "/" + step.ResultFile

// process is one run of packfile-step.
type process struct {
	layer   *layer
	spec    step.Spec
	files   stepFiles
	app     llb.Mount
	mounts  []llb.Mount
	network string // of the script, "" for the packfile's own
	access  packfile.Access
	at      packfile.Range // the script, for errors
	name    string         // what the vertex is called
	output  bool           // LAYER is kept
}

// Ask is the state that answers a question; its result is at ResultPath.
func (b *Build) Ask(ctx context.Context, q Question, f Facts) (bk.State, error) {
	l := b.byName[q.Layer]
	p := process{layer: l, files: stepFiles{b: b}, name: string(q.Kind)}
	p.spec = step.Spec{Layer: l.Name, Metadata: f.metadata(l, q.Kind)}
	switch q.Kind {
	case Required:
		p.spec.Kind = step.Require
		p.spec.Script = p.files.script(l.Require.Script, l.Name+".require")
		p.network, p.access, p.at = l.Require.Script.Network, l.Require.Access, scriptRange(l.Require.Script)
		p.app = appMount(b.app, llb.ReadOnly)
	case Inputs:
		p.spec.Kind = step.Match
		p.at = l.Provide.At("inputs")
		p.app = appMount(b.visibleApp(l), llb.ReadOnly)
	case Tested:
		test := l.Provide.Test
		if test.Script == nil {
			p.spec.Kind = step.Match
			p.name, p.at = "match", test.At("match")
			p.app = appMount(b.matchingApp(l), llb.ReadOnly)
			break
		}
		p.spec.Kind = step.Test
		p.spec.Script = p.files.script(test.Script, l.Name+".test")
		p.network, p.access, p.at = test.Script.Network, test.Access, scriptRange(test.Script)
		p.app = appMount(b.visibleApp(l), llb.Discarded)
		if test.Refresh > 0 {
			p.spec.Refresh = b.in.Now.Truncate(test.Refresh).UTC().Format(time.RFC3339)
		}
		if err := b.link(ctx, &p, f, test.FullEnv); err != nil {
			return bk.State{}, err
		}
	}
	out, err := b.exec(p)
	b.asked[q] = out[step.OutDir]
	return b.asked[q], err
}

// output is what the run step of a settled layer leaves.
func (b *Build) output(ctx context.Context, l *layer, f Facts) (*output, error) {
	if o, ok := b.outputs[l.Name]; ok {
		return o, nil
	}
	o := &output{}
	p := process{layer: l, files: stepFiles{b: b}, access: l.Provide.Access, at: l.Range(), name: "run", output: true}
	p.spec = step.Spec{
		Kind:     step.Run,
		Layer:    l.Name,
		LayerDir: b.layerDir(l.Name),
		Metadata: f.metadata(l, ""),
		Restore:  l.Restore,
	}
	if run := l.Provide.Run; run != nil {
		p.spec.Script = p.files.script(run, l.Name+".run")
		p.network, p.at = run.Network, scriptRange(run)
	}
	for i := range l.Provide.Profile {
		p.spec.Profile = append(p.spec.Profile, p.files.add(&l.Provide.Profile[i], l.Name+".profile."+strconv.Itoa(i)))
	}
	p.spec.Setups = b.setups(l, &p.files)
	var err error
	if p.spec.Env, err = b.envFiles(l); err != nil {
		return nil, err
	}
	if p.spec.Deps, p.mounts, err = b.deps(l, p.spec.Metadata); err != nil {
		return nil, err
	}
	if err := b.link(ctx, &p, f, true); err != nil {
		return nil, err
	}
	if o.parts, err = b.keyParts(ctx, p, f); err != nil {
		return nil, err
	}
	if o.key, err = o.parts.Key(); err != nil {
		return nil, err
	}
	p.spec.Key = o.key
	if p.app, err = b.runApp(ctx, l, f, o.parts, o.key); err != nil {
		return nil, err
	}
	if len(p.spec.Setups) > 0 {
		setupApp := p.app
		setupApp.Dest, setupApp.Kind = step.SetupAppDir, llb.ReadOnly
		p.mounts = append(p.mounts, setupApp)
	}
	if l.Restore {
		p.mounts = append(p.mounts, b.cacheMount(step.RestoreDir, "restore", l.Name))
	}
	// The steps that answered questions are below the run step, so that a cache export takes them along. It is their
	// result that counts: where that is the same, the run step is the same.
	for _, kind := range l.questions() {
		p.mounts = append(p.mounts, llb.Mount{
			Dest: path.Join(step.FactsDir, string(kind)), Tree: b.asked[Question{l.Name, kind}], Source: ResultPath, Kind: llb.ReadOnly,
		})
	}
	out, err := b.exec(p)
	if err != nil {
		return nil, err
	}
	o.out, o.rawTree = out[step.OutDir], out[b.layerDir(l.Name)]
	if l.affected {
		o.out = llb.Normalize(o.out, DefaultTime, options(b.name(l.Name, "output"), l)...)
	}
	o.tree = llb.Normalize(o.rawTree, DefaultTime, options(b.name(l.Name, "layer"), l)...)
	if l.Provide.LockApp {
		b.apps[l.Name] = out[step.AppDir]
	}
	b.outputs[l.Name] = o
	return o, nil
}

// link makes linked layers and caches visible to a step; without content only versions and metadata of layers.
func (b *Build) link(ctx context.Context, p *process, f Facts, content bool) error {
	for _, k := range p.layer.links {
		s := step.Link{Name: k.Name, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		switch {
		case k.cache != nil:
			if !content || p.spec.Kind == step.Test {
				continue // a cache is for run
			}
			s.Cache, s.Dir = true, b.layerDir(k.Name)
			p.mounts = append(p.mounts, b.cacheMount(s.Dir, "cache", k.Name))
		case k.layer == nil || f.status(k.layer) == dropped:
			continue // not created this time: its variables are not set
		case content:
			o, err := b.output(ctx, k.layer, f)
			if err != nil {
				return err
			}
			s.Dir = b.layerDir(k.Name)
			p.mounts = append(p.mounts, llb.Mount{Dest: s.Dir, Tree: o.tree, Source: s.Dir, Kind: llb.ReadOnly})
			// What a step does not ask for does not rebuild it.
			if s.VersionAs != "" || s.MetadataAs != "" {
				p.mounts = append(p.mounts, llb.Mount{
					Dest: path.Join(step.LinksDir, k.Name), Tree: o.out, Source: path.Join(outDir, step.MetadataDir), Kind: llb.ReadOnly,
				})
			}
		default:
			s.Metadata = f.metadata(k.layer, "")
		}
		p.spec.Links = append(p.spec.Links, s)
	}
	return nil
}

func (b *Build) cacheMount(dest, kind, name string) llb.Mount {
	return llb.Mount{
		Dest: dest, Kind: llb.Cache, CacheID: b.cacheID(kind, name),
		Tree: llb.EmptyDir("/cache", b.in.Owner, bk.WithCustomName("[internal] new cache")), Source: "/cache",
	}
}

// exec is the build container of a step.
func (b *Build) exec(p process) (map[string]bk.State, error) {
	p.spec.Contract = step.Contract
	p.spec.Platform = b.in.Args
	var secrets []llb.Secret
	for _, s := range p.access.Secrets {
		secret := llb.Secret{ID: s.ID, Env: s.EnvAs, Optional: !s.Required}
		if s.PathAs != "" {
			secret.File = path.Join(step.SecretsDir, s.ID)
		}
		p.spec.Secrets = append(p.spec.Secrets, step.Secret{ID: s.ID, PathAs: s.PathAs, EnvAs: s.EnvAs})
		secrets = append(secrets, secret)
	}
	root := bk.Scratch()
	if p.spec.Kind != step.Match {
		root = b.in.Build.State
		if !slices.ContainsFunc(secrets, func(s llb.Secret) bool { return s.ID == step.CASecret }) {
			secrets = append(secrets, llb.Secret{ID: step.CASecret, File: path.Join(step.SecretsDir, step.CASecret), Optional: true})
		}
	}
	files, id, err := p.files.tree(p.spec, bk.WithCustomName(b.name(p.layer.Name, p.name+" definition")))
	if err != nil {
		return nil, err
	}
	opts := []bk.ConstraintsOpt{bk.Platform(b.in.Platform), bk.WithCustomName(b.name(p.layer.Name, p.name)), b.location(p.at)}
	if p.layer.noCache {
		opts = append(opts, bk.IgnoreCache)
	}
	mounts := []llb.Mount{
		{Dest: step.BinDir, Tree: b.in.Tools, Source: toolsStepDir, Kind: llb.ReadOnly},
		{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
		{Dest: step.OutDir, Tree: llb.EmptyDir(outDir, b.in.Owner, bk.WithCustomName("[internal] new output")), Source: outDir, Kind: llb.Output},
		{Dest: "/tmp", Tree: tmpDir(), Source: "/tmp", Kind: llb.Discarded},
		p.app,
	}
	if p.output {
		dir := p.spec.LayerDir
		base := llb.EmptyDir(dir, b.in.Owner, bk.WithCustomName(b.name(p.layer.Name, "new layer")))
		mounts = append(mounts, llb.Mount{Dest: dir, Tree: base, Source: dir, Kind: llb.Output})
	}
	return llb.Exec{
		Root: root,
		// The mounts tell steps apart already. With the argument, steps are different operations to BuildKit too, which looks
		// for cached results of an operation below each of its inputs. No gain in time was measured from it.
		Args:    []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:     step.AppDir,
		Owner:   b.in.Owner,
		Mounts:  append(mounts, p.mounts...),
		Secrets: secrets,
		SSH:     p.access.SSH,
		NetMode: b.netMode(p),
		Env:     targetEnv(b.in.Platform),
		Limits:  b.in.Limits,
		Options: opts,
	}.Run(), nil
}

// targetEnv tells steps which platform they build for, in the names that Dockerfiles use.
func targetEnv(p ocispecs.Platform) []string {
	p = platforms.Normalize(p)
	return []string{
		"TARGETPLATFORM=" + platforms.Format(p), "TARGETOS=" + p.OS, "TARGETARCH=" + p.Architecture, "TARGETVARIANT=" + p.Variant,
	}
}

// tmpDir is /tmp of every step, whether or not the build image has one that an ordinary user may write to.
func tmpDir() bk.State {
	return bk.Scratch().File(bk.Mkdir("/tmp", 0o1777), bk.WithCustomName("[internal] new /tmp"))
}

// netMode is the network of a step: none as soon as its script, the packfile or the user of the build wants none.
func (b *Build) netMode(p process) pb.NetMode {
	network := p.network
	if network == "" {
		network = b.in.Packfile.Config.Network
	}
	if network == "none" || p.spec.Kind == step.Match {
		return pb.NetMode_NONE
	}
	return b.in.NetMode
}

// location makes BuildKit's errors about an operation point at a place in the packfile.
func (b *Build) location(r packfile.Range) bk.ConstraintsOpt {
	return b.in.Source.Location([]*pb.Range{PBRange(r)})
}

// PBRange is a range in BuildKit's form.
func PBRange(r packfile.Range) *pb.Range {
	return &pb.Range{
		Start: &pb.Position{Line: int32(r.Start.Line), Character: int32(r.Start.Column)},
		End:   &pb.Position{Line: int32(max(r.End.Line, r.Start.Line)), Character: int32(r.End.Column)},
	}
}

// scriptRange is where a script's text or path stands.
func scriptRange(s *packfile.Script) packfile.Range {
	if s.Path != "" {
		return s.At("path")
	}
	return s.At("inline")
}

// keyParts is what the key of a layer is made of. p is complete but for its key and its view of the app.
func (b *Build) keyParts(ctx context.Context, p process, f Facts) (layerkey.Parts, error) {
	l := p.layer
	parts := layerkey.Parts{
		Contract:    step.Contract,
		Layer:       p.spec.LayerDir,
		Platform:    platformString(b.in.Platform),
		BuildImage:  b.in.Build.Digest.String(),
		User:        b.in.Owner.String(),
		Script:      b.scriptPart(l.Provide.Run),
		Version:     f.version(l),
		Metadata:    maps.Clone(p.spec.Metadata),
		LockApp:     l.Provide.LockApp,
		Restore:     l.Restore,
		Network:     b.netMode(p).String(),
		SSH:         p.access.SSH,
		PlatformEnv: layerkey.Env(b.in.Args),
		Env:         p.spec.Env,
	}
	delete(parts.Metadata, "version")
	if r, ok := f[Question{l.Name, Inputs}]; ok {
		parts.Inputs, _ = r.Metadata["version"].(string)
	}
	for _, s := range p.access.Secrets {
		parts.Secrets = append(parts.Secrets, s.ID+":"+s.PathAs+":"+s.EnvAs)
	}
	for _, d := range p.spec.Deps {
		parts.Deps = append(parts.Deps, layerkey.Dep{Name: d.Name, Version: d.Version, URI: layerkey.Redact(d.URI), SHA: d.SHA, Metadata: d.Metadata})
	}
	for i := range l.Provide.Profile {
		parts.Profile = append(parts.Profile, digestOf(b.text(&l.Provide.Profile[i])))
	}
	for _, k := range l.links {
		parts.Links = append(parts.Links, layerkey.Link{Name: k.Name, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs})
		if k.cache != nil && k.cache.Setup != nil {
			parts.Setups = append(parts.Setups, *b.scriptPart(k.cache.Setup))
		}
		if k.layer == nil || f.status(k.layer) == dropped {
			continue
		}
		if k.LinkVersion {
			parts.LinkVersions = put(parts.LinkVersions, k.Name, f.version(k.layer))
		}
		if k.LinkContent {
			o, err := b.output(ctx, k.layer, f)
			if err != nil {
				return parts, err
			}
			parts.LinkContents = put(parts.LinkContents, k.Name, o.key)
		}
	}
	return parts, nil
}

func (b *Build) scriptPart(s *packfile.Script) *layerkey.Script {
	if s == nil {
		return nil
	}
	return &layerkey.Script{Shell: packfile.ScriptShell(b.in.Packfile, s), Digest: digestOf(b.text(s)), InLayer: s.InLayer}
}

func put(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}
