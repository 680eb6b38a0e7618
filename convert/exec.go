package convert

import (
	"fmt"
	"path"
	"strings"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// process is one run of packfile-step.
type process struct {
	subject  string         // id of the layer or module that it is about, "" when it is about several layers
	module   *module.Module // whose script it is, nil for none
	spec     step.Spec
	files    stepFiles
	mounts   []llb.Mount
	network  string // of the script, "" for the packfile's own
	access   packfile.Access
	at       []module.Place // the script, or what else it is about, for errors
	name     string         // what the vertex is called
	notFound string         // what to do when the script does not find a program, "" when there is nothing to say
	noCache  bool           // it runs whatever is cached
}

// mount adds a mount to the process.
func (p *process) mount(m llb.Mount) { p.mounts = append(p.mounts, m) }

// runsScripts, or a program of a buildpack: otherwise the step is packfile-step's own work, in a container that has nothing
// else, on the platform of the builder.
func (p process) runsScripts() bool {
	switch task := p.spec.Task.(type) {
	case step.Require, step.Test, step.Detect:
		return true
	case step.Run:
		return task.RunsScripts()
	}
	return false
}

// shared says whether the step is one for all platforms of the build.
func (p process) shared() bool {
	kind := p.spec.Task.Kind()
	return !p.runsScripts() && kind != step.KindSeal && kind != step.KindDescribe
}

func (b *Build) cacheMount(m *module.Module, dest, kind, name string, shared bool) llb.Mount {
	id := b.cacheID(m, kind, name, shared)
	dir := "/cache " + id // its own: see llb.Exec
	return llb.Mount{Dest: dest, Kind: llb.Cache, CacheID: id, Tree: b.emptyDir(dir, b.in.Owner, "new cache"), Source: dir}
}

// exec is the build container of a step.
func (b *Build) exec(p process) (map[string]bk.State, error) {
	p.spec.Contract = step.Contract
	if err := p.module.CheckAccess(b.in.Root.Filename, p.access); err != nil {
		return nil, err
	}
	user, owner, root, dir := llb.Owner{}, llb.Owner{}, bk.Scratch(), "/"
	platform, tools := b.in.Native.Platform, b.in.Native.Tools
	var env []string
	if p.runsScripts() {
		user, owner, root, dir = b.in.Owner, b.in.Owner, b.in.Build.State, step.AppDir
		platform, tools, env = b.in.Platform, b.in.Tools, targetEnv(b.in.Platform)
	}
	run, fills := p.spec.Task.(step.Run)
	if fills {
		user, owner = llb.Owner{}, b.in.Owner
	}
	secrets, agents := p.given(user)
	if p.runsScripts() {
		secrets = append(secrets, llb.Secret{ID: step.CASecret, File: step.GivenCAFile, Owner: owner, Optional: true})
	}
	files, id, err := p.files.tree(p.spec, bk.WithCustomName(b.name(p.subject, string(p.spec.Task.Kind())+" definition")))
	if err != nil {
		return nil, err
	}
	for _, m := range p.mounts {
		if m.Kind == llb.Cache {
			// What a step finds in a cache is in none of its inputs: what was made from one project's is not another's.
			id = digestOf([]byte(id + "\x00" + m.CacheID))
		}
	}
	opts := []bk.ConstraintsOpt{bk.Platform(platform), bk.WithCustomName(b.stepName(p))}
	for _, at := range p.at {
		opts = append(opts, at.Location())
	}
	if p.noCache {
		opts = append(opts, bk.IgnoreCache)
	}
	if p.notFound != "" {
		opts = append(opts, bk.WithDescription(map[string]string{NotFoundHintKey: p.notFound}))
	}
	mounts := []llb.Mount{
		{Dest: step.BinDir, Tree: tools, Source: toolsStepDir, Kind: llb.ReadOnly},
		{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
		{Dest: step.OutDir, Tree: b.emptyDir(outDir, owner, "new output"), Source: outDir, Kind: llb.Output},
	}
	if p.runsScripts() || fills {
		mounts = append(mounts, llb.Mount{Dest: "/tmp", Tree: b.tmp, Source: "/tmp", Kind: llb.Discarded})
	}
	if p.runsScripts() {
		mounts = append(mounts, llb.Mount{Dest: step.TrustDir, Kind: llb.Memory})
	}
	if len(p.access.Secrets) > 0 {
		mounts = append(mounts, llb.Mount{Dest: step.SecretsDir, Kind: llb.Memory})
	}
	if fills {
		mounts = append(mounts,
			llb.Mount{Dest: run.LayerDir, Tree: b.emptyDir(newLayerDir, owner, "new layer"), Source: newLayerDir, Kind: llb.Discarded},
			llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	}
	return llb.Exec{
		Root: root,
		// The mounts tell steps apart, except for their caches, of which BuildKit's cache knows nothing: the argument does.
		Args:    []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:     dir,
		User:    user,
		Mounts:  append(mounts, p.mounts...),
		Secrets: secrets,
		SSH:     agents,
		NetMode: b.netMode(p),
		Env:     env,
		Limits:  b.in.Limits,
		Options: opts,
	}.Run(), nil
}

// given is what the client gives the step. It belongs to the user of the first process, which hands it to the script: of a run step,
// only when the setup scripts of caches have ended.
func (p *process) given(user llb.Owner) (secrets []llb.Secret, agents []llb.Agent) {
	for _, s := range p.access.Secrets {
		if p.module.HasSecret(s.ID) { // else the step finds as much of it as when the user gives none
			secrets = append(secrets, llb.Secret{ID: s.ID, File: path.Join(step.GivenDir, s.ID), Owner: user, Optional: !s.Required})
		}
	}
	for i, id := range p.access.SSH {
		agents = append(agents, llb.Agent{ID: id, Socket: agentSocket(i), Owner: user})
	}
	return secrets, agents
}

// agentSocket is the socket of a step's SSH agent with that number.
func agentSocket(i int) string { return path.Join(step.AgentsDir, fmt.Sprintf("ssh_agent.%d", i)) }

// imageHome is HOME of an image's environment, "" when it has none.
func imageHome(img *dockerspec.DockerOCIImage) string {
	if img == nil {
		return ""
	}
	for _, kv := range img.Config.Env {
		if home, ok := strings.CutPrefix(kv, "HOME="); ok {
			return home
		}
	}
	return ""
}

// stepName is what a step's vertex is called: with the platform, when it is not that of all platforms.
func (b *Build) stepName(p process) string {
	if p.shared() {
		return vertexName(p.subject, p.name)
	}
	return b.name(p.subject, p.name)
}

// target is a platform as the packfile knows it.
func target(p ocispecs.Platform) packfile.Target {
	p = platforms.Normalize(p)
	return packfile.Target{Platform: platforms.Format(p), OS: p.OS, Arch: p.Architecture, Variant: p.Variant}
}

// targetEnv tells steps which platform they build for.
func targetEnv(p ocispecs.Platform) (env []string) {
	for _, v := range target(p).Variables() {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// netMode is the network of a step: none as soon as its script, the packfile or the user of the build wants none. To a module
// the packfile that is built is such a user.
func (b *Build) netMode(p process) pb.NetMode {
	if !p.runsScripts() {
		return pb.NetMode_NONE
	}
	network := p.network
	if network == "" && p.module != nil {
		network = p.module.Packfile.Config.Network
	}
	if network == "none" || p.module != b.in.Root && b.in.Root.Packfile.Config.Network == "none" {
		return pb.NetMode_NONE
	}
	return b.in.NetMode
}

// scriptRange is where a script's text or path stands.
func scriptRange(s *packfile.Script) packfile.Range {
	if s.Path != "" {
		return s.At("path")
	}
	return s.At("inline")
}
