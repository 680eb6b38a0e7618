package llb

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
)

// Exec is one process in a build container.
type Exec struct {
	Root    bk.State // its image
	Fixed   bool     // nothing in Root can be changed, but for what is mounted there
	Args    []string
	Dir     string
	User    Owner
	Mounts  []Mount
	Secrets []Secret
	SSH     []Agent
	Env     []string // NAME=value, on top of the root image's
	NetMode pb.NetMode
	Limits  []bk.RunOption // options of the user for every process: hosts, ulimits, shared memory, cgroup
	Options []bk.ConstraintsOpt
}

// MountKind is what a process may do with a mount.
type MountKind int

const (
	ReadOnly    MountKind = iota
	Discarded             // writable; changes are thrown away
	Output                // writable; Run returns its new content
	Cache                 // persistent on the builder, one process at a time
	SharedCache           // persistent on the builder, for many processes at a time
	Memory                // writable, in memory only, and empty at first; it has no Tree
)

// Mount is a folder of a tree in the container of an Exec.
type Mount struct {
	Dest    string
	Tree    bk.State
	Source  string // folder in Tree, "/" when empty
	Kind    MountKind
	CacheID string // Cache and SharedCache only
	// ByKey: the process is cached by the cache key of Tree and not by its content.
	ByKey bool
}

// Secret is a secret of the client as a file in the container of an Exec. It cannot be a variable: container runtimes print
// variables that they refuse, such as one with a NUL byte.
type Secret struct {
	ID       string
	File     string // path
	Owner    Owner  // who alone may read it
	Optional bool
}

// Agent is the socket of an SSH agent of the client in the container of an Exec. SSH_AUTH_SOCK leads to the first.
type Agent struct {
	ID     string
	Socket string // path
	Owner  Owner
}

// Run returns the states of the Output mounts after the process, by Dest, and that of Root by "/". What is not used is thrown away.
func (e Exec) Run() map[string]bk.State {
	opts := []bk.RunOption{
		bk.Args(e.Args),
		bk.Dir(e.Dir),
		bk.User(e.User.String()),
		bk.Network(e.NetMode),
	}
	if e.Fixed {
		opts = append(opts, bk.ReadonlyRootFS())
	}
	opts = append(opts, e.Limits...)
	for _, kv := range e.Env {
		name, value, _ := strings.Cut(kv, "=")
		opts = append(opts, bk.AddEnv(name, value))
	}
	for _, s := range e.Secrets {
		opts = append(opts, s.option())
	}
	for _, a := range e.SSH {
		opts = append(opts, bk.AddSSHSocket(bk.SSHID(a.ID), bk.SSHSocketOpt(a.Socket, a.Owner.UID, a.Owner.GID, 0o600)))
	}
	for _, o := range e.Options {
		opts = append(opts, o)
	}
	es := e.Root.Run(opts...)
	outputs := map[string]bk.State{"/": es.Root()}
	for _, m := range distinct(e.Mounts) {
		tree := m.Tree
		if m.Kind == Memory {
			tree = bk.Scratch()
		}
		out := es.AddMount(m.Dest, tree, m.options()...)
		if m.Kind == Output {
			outputs[m.Dest] = out
		}
	}
	return outputs
}

// distinct returns the mounts, changed so that no two have the same tree: when a process only reads a tree several times,
// every mount but the first gets a copy. Otherwise, when a process fails and two solves of a frontend wait for it,
// BuildKit v0.34.2 takes a tree that is mounted twice for one that was released twice, and reports that instead of the
// failure (registerResultIDs in frontend/gateway/gateway.go).
func distinct(mounts []Mount) []Mount {
	mounts = slices.Clone(mounts)
	known := map[bk.Output]bool{}
	for i := range mounts {
		m := &mounts[i]
		out := m.Tree.Output()
		if m.Kind == ReadOnly && out != nil && known[out] {
			at := "/" + strconv.Itoa(i) // where no other copy has it
			info := &bk.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
			m.Tree = bk.Scratch().File(bk.Copy(m.Tree, cmp.Or(m.Source, "/"), at, info), bk.WithCustomName("[internal] for a second mount"))
			m.Source = at
		}
		known[out] = true
	}
	return mounts
}

func (m Mount) options() []bk.MountOption {
	var opts []bk.MountOption
	if m.Source != "" && m.Source != "/" {
		opts = append(opts, bk.SourcePath(m.Source))
	}
	switch m.Kind {
	case ReadOnly:
		opts = append(opts, bk.Readonly)
	case Discarded:
		opts = append(opts, bk.ForceNoOutput)
	case Cache:
		opts = append(opts, bk.AsPersistentCacheDir(m.CacheID, bk.CacheMountLocked))
	case SharedCache:
		opts = append(opts, bk.AsPersistentCacheDir(m.CacheID, bk.CacheMountShared))
	case Memory:
		opts = append(opts, bk.Tmpfs())
	case Output:
	}
	if m.ByKey {
		opts = append(opts, bk.ContentCache(bk.MountContentCacheOff))
	}
	return opts
}

func (s Secret) option() bk.RunOption {
	opts := []bk.SecretOption{bk.SecretID(s.ID), bk.SecretFileOpt(s.Owner.UID, s.Owner.GID, 0o400)}
	if s.Optional {
		opts = append(opts, bk.SecretOptional)
	}
	return bk.AddSecret(s.File, opts...)
}
