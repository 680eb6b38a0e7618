package container

import (
	"fmt"
	"path"
	"strconv"

	"github.com/containerd/platforms"
	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// toolsStepDir is where packfile-step and get-dep stand in the frontend's own image.
const toolsStepDir = "/step"

// OutDir is the folder that is mounted at step.OutDir, in a step's output tree.
const OutDir = "/out"

// newLayerDir is the folder of the empty tree that is mounted where a script fills a layer.
const newLayerDir = "/layer"

// ResultPath is the path of the step.Result in the state that answers a Question.
const ResultPath = OutDir + "/" + step.ResultFile

// TreeResult returns the path of what a step says of tree i of its spec.
func TreeResult(i int) string { return path.Join(OutDir, strconv.Itoa(i)+".json") }

// Keys in the description of an operation that hold what to do when it fails.
const (
	HintKey         = "packfile.hint"
	NotFoundHintKey = "packfile.hint.127" // for exit code 127, with which a shell says that there is no such command
	aptHintKey      = "packfile.hint.100" // for exit code 100, that of apt (apt-get(8), "Diagnostics")
)

// Process is one run of packfile-step.
type Process struct {
	Subject  string         // id of the layer or module that it is about, "" for several layers
	Module   *module.Module // whose script it is, nil for none
	Spec     step.Spec
	Files    Files
	Mounts   []llb.Mount
	Network  string // of the script, "" for the packfile's own
	Access   packfile.Access
	At       []module.Place // the script, or what else it is about, for errors
	Name     string         // name of the vertex
	NotFound string         // what to do when the script does not find a program, "" for nothing
	NoCache  bool           // it runs whatever is cached
}

// Mount adds a mount to the process.
func (p *Process) Mount(m llb.Mount) { p.Mounts = append(p.Mounts, m) }

// runsScripts reports whether the step runs scripts, or a program of a buildpack. Otherwise it is packfile-step's own work, in a
// container with nothing else, on the builder's platform.
func (p Process) runsScripts() bool {
	switch task := p.Spec.Task.(type) {
	case step.Require, step.Test, step.Detect:
		return true
	case step.Run:
		return task.RunsScripts()
	}
	return false
}

// shared reports whether all platforms of the build share the step.
func (p Process) shared() bool {
	kind := p.Spec.Task.Kind()
	return !p.runsScripts() && kind != step.KindSeal && kind != step.KindDescribe
}

// CacheMount returns the mount of a module's cache, by its kind and name there. All projects share a shared cache.
func (b *Builder) CacheMount(m *module.Module, dest, kind, name string, shared bool) llb.Mount {
	id := b.cacheID(m, kind, name, shared)
	dir := "/cache " + id // a folder of its own: see llb.Exec
	return llb.Mount{Dest: dest, Kind: llb.Cache, CacheID: id, Tree: b.EmptyDir(dir, b.Owner, "new cache"), Source: dir}
}

// Exec returns the output trees of a step in its container, by the paths where they are mounted. It fails when the step's module
// is not given a secret or agent that the step needs.
func (b *Builder) Exec(p Process) (map[string]bk.State, error) {
	p.Spec.Contract = step.Contract
	if err := p.Module.CheckAccess(b.Root.Filename, p.Access); err != nil {
		return nil, err
	}
	user, owner, root, dir := llb.Owner{}, llb.Owner{}, bk.Scratch(), "/"
	platform, tools := b.Native.Platform, b.Native.Tools
	var env []string
	if p.runsScripts() {
		var err error
		if root, err = b.scriptRoot(); err != nil {
			return nil, err
		}
		user, owner, dir = b.Owner, b.Owner, step.AppDir
		platform, tools, env = b.Platform, b.Tools, targetEnv(b.Platform)
	}
	run, fills := p.Spec.Task.(step.Run)
	if fills {
		user, owner = llb.Owner{}, b.Owner
	}
	secrets, agents := p.given(user)
	if p.runsScripts() {
		secrets = append(secrets, llb.Secret{ID: step.CASecret, File: step.GivenCAFile, Owner: owner, Optional: true})
	}
	files, id, err := p.Files.tree(p.Spec, bk.WithCustomName(b.Name(p.Subject, string(p.Spec.Task.Kind())+" definition")))
	if err != nil {
		return nil, err
	}
	for _, m := range p.Mounts {
		if m.Kind == llb.Cache {
			// The content of a cache is no input of the step. A step that uses one project's cache must not answer for another's.
			id = layerkey.Digest([]byte(id + "\x00" + m.CacheID))
		}
	}
	opts := []bk.ConstraintsOpt{bk.Platform(platform), bk.WithCustomName(b.stepName(p))}
	for _, at := range p.At {
		opts = append(opts, at.Location())
	}
	if p.NoCache {
		opts = append(opts, bk.IgnoreCache)
	}
	hints := map[string]string{}
	if p.NotFound != "" {
		hints[NotFoundHintKey] = p.NotFound
	}
	if p.runsScripts() && owner.UID != 0 && p.Files.callApt() {
		hints[aptHintKey] = "apt takes root, and the user of steps is not: " + packfile.AptHint
	}
	if len(hints) > 0 {
		opts = append(opts, bk.WithDescription(hints))
	}
	mounts := []llb.Mount{
		{Dest: step.BinDir, Tree: tools, Source: toolsStepDir, Kind: llb.ReadOnly},
		{Dest: step.SpecDir, Tree: files, Kind: llb.ReadOnly},
		{Dest: step.OutDir, Tree: b.EmptyDir(OutDir, owner, "new output"), Source: OutDir, Kind: llb.Output},
	}
	if p.runsScripts() || fills {
		mounts = append(mounts, llb.Mount{Dest: "/tmp", Tree: b.tmp, Source: "/tmp", Kind: llb.Discarded})
	}
	if p.runsScripts() {
		mounts = append(mounts, llb.Mount{Dest: step.TrustDir, Kind: llb.Memory})
	}
	if len(p.Access.Secrets) > 0 {
		mounts = append(mounts, llb.Mount{Dest: step.SecretsDir, Kind: llb.Memory})
	}
	if fills {
		mounts = append(mounts,
			llb.Mount{Dest: run.LayerDir, Tree: b.EmptyDir(newLayerDir, owner, "new layer"), Source: newLayerDir, Kind: llb.Discarded},
			llb.Mount{Dest: step.SealedDir, Tree: bk.Scratch(), Kind: llb.Output})
	}
	return llb.Exec{
		Root: root,
		// The mounts tell steps apart, except for caches, which BuildKit's cache does not know: the argument does.
		Args:    []string{path.Join(step.BinDir, step.StepBinary), id},
		Dir:     dir,
		User:    user,
		Mounts:  append(mounts, p.Mounts...),
		Secrets: secrets,
		SSH:     agents,
		NetMode: b.Network(p),
		Env:     env,
		Limits:  b.Limits,
		Options: opts,
	}.Run(), nil
}

// given returns the client's secrets and agents for the step. They belong to the user of the first process, which hands them to
// the script. A run step does so only when the setup scripts of caches have ended.
func (p *Process) given(user llb.Owner) (secrets []llb.Secret, agents []llb.Agent) {
	for _, s := range p.Access.Secrets {
		if p.Module.HasSecret(s.ID) { // otherwise the step finds no more of it than when the user gives none
			secrets = append(secrets, llb.Secret{ID: s.ID, File: path.Join(step.GivenDir, s.ID), Owner: user, Optional: !s.Required})
		}
	}
	for i, id := range p.Access.SSH {
		agents = append(agents, llb.Agent{ID: id, Socket: AgentSocket(i), Owner: user})
	}
	return secrets, agents
}

// AgentSocket returns the path of the socket of a step's SSH agent with a number.
func AgentSocket(i int) string { return path.Join(step.AgentsDir, fmt.Sprintf("ssh_agent.%d", i)) }

// stepName returns the name of a step's vertex: with the platform, unless all platforms share the step.
func (b *Builder) stepName(p Process) string {
	if p.shared() {
		return vertexName(p.Subject, p.Name)
	}
	return b.Name(p.Subject, p.Name)
}

// Target returns a platform as the packfile knows it.
func Target(p ocispecs.Platform) packfile.Target {
	p = platforms.Normalize(p)
	return packfile.Target{Platform: platforms.Format(p), OS: p.OS, Arch: p.Architecture, Variant: p.Variant}
}

// targetEnv returns the variables that tell steps which platform they build for.
func targetEnv(p ocispecs.Platform) (env []string) {
	for _, v := range Target(p).Variables() {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// Network returns the network mode of a step. The step has no network when its script, the packfile or the user of the build
// wants none. To a module, the packfile being built is such a user.
func (b *Builder) Network(p Process) pb.NetMode {
	if !p.runsScripts() {
		return pb.NetMode_NONE
	}
	network := p.Network
	if network == "" && p.Module != nil {
		network = p.Module.Packfile.Config.Network
	}
	if network == "none" || p.Module != b.Root && b.Root.Packfile.Config.Network == "none" {
		return pb.NetMode_NONE
	}
	return b.NetMode
}

// ScriptRange returns where a script's text or path stands.
func ScriptRange(s *packfile.Script) node.Range {
	if s.Path != "" {
		return s.At("path")
	}
	return s.At("inline")
}
