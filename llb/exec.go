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
	Root    bk.State // its image; changes to it are thrown away
	Args    []string
	Dir     string
	User    Owner
	Owner   Owner // of secrets and sockets
	Mounts  []Mount
	Secrets []Secret
	SSH     []string // ids of SSH agents
	Env     []string // NAME=value, on top of the root image's
	NetMode pb.NetMode
	Limits  []bk.RunOption // what the user asked of every process: hosts, ulimits, shared memory, cgroup
	Options []bk.ConstraintsOpt
}

// MountKind is what a process may do with a mount.
type MountKind int

const (
	ReadOnly    MountKind = iota
	Discarded             // writable; what is written is thrown away
	Output                // writable; Run returns what it has become
	Cache                 // persistent on the builder, one process at a time
	SharedCache           // persistent on the builder, for many processes at a time
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

// Secret is a secret of the client in the container of an Exec, as a file, a variable or both.
type Secret struct {
	ID       string
	File     string // path, "" for none
	Env      string // variable, "" for none
	Optional bool
}

// Run returns what the Output mounts have become, by Dest.
func (e Exec) Run() map[string]bk.State {
	opts := []bk.RunOption{
		bk.Args(e.Args),
		bk.Dir(e.Dir),
		bk.User(e.User.String()),
		bk.Network(e.NetMode),
	}
	opts = append(opts, e.Limits...)
	for _, kv := range e.Env {
		name, value, _ := strings.Cut(kv, "=")
		opts = append(opts, bk.AddEnv(name, value))
	}
	for _, s := range e.Secrets {
		opts = append(opts, s.options(e.Owner)...)
	}
	for _, id := range e.SSH {
		opts = append(opts, bk.AddSSHSocket(bk.SSHID(id), bk.SSHSocketOpt("", e.Owner.UID, e.Owner.GID, 0o600)))
	}
	for _, o := range e.Options {
		opts = append(opts, o)
	}
	es := e.Root.Run(opts...)
	outputs := map[string]bk.State{}
	for _, m := range distinct(e.Mounts) {
		out := es.AddMount(m.Dest, m.Tree, m.options()...)
		if m.Kind == Output {
			outputs[m.Dest] = out
		}
	}
	return outputs
}

// distinct are mounts of which no two have one tree: of those that a process only reads, each but the first has a copy. When a
// process fails, and two solves of a frontend wait for it, BuildKit v0.34.2 takes a tree that is mounted twice for one that
// was released twice, and says that instead of what went wrong (registerResultIDs in frontend/gateway/gateway.go).
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
	case Output:
	}
	if m.ByKey {
		opts = append(opts, bk.ContentCache(bk.MountContentCacheOff))
	}
	return opts
}

func (s Secret) options(owner Owner) []bk.RunOption {
	var opts []bk.RunOption
	add := func(dest *string, more ...bk.SecretOption) {
		all := append([]bk.SecretOption{bk.SecretID(s.ID)}, more...)
		if s.Optional {
			all = append(all, bk.SecretOptional)
		}
		opts = append(opts, bk.AddSecretWithDest(s.ID, dest, all...))
	}
	if s.File != "" {
		add(&s.File, bk.SecretFileOpt(owner.UID, owner.GID, 0o400))
	}
	if s.Env != "" {
		add(nil, bk.SecretAsEnvName(s.Env))
	}
	return opts
}
