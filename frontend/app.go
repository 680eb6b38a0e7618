package frontend

import (
	"context"
	"fmt"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/moby/buildkit/util/urlutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/llb"
)

// contextName is the named context that is the app in place of the main context.
const contextName = "context"

// app is what is built: the main context, or the named context "context".
type app struct {
	tree bk.State
	// stable is the same in a form that two builds have equal definitions of, for keyed views. Nil when there is none: then the
	// app is known by its content.
	stable *bk.State
	pinned string        // what it is, if that has no such form
	local  *clientFolder // nil when it is none
	ignore ignoreFile    // what says which files of the context are no part of it
	// repository is the identity of a Git context; "" for others.
	repository string
}

// startApp finds the app, unless that is done, and has it sent: everything needs it, so it may be on its way while images and
// modules are looked up. Whether it arrives, before ctx of the whole build ends, is told to whoever asks next.
func (b *build) startApp(ctx, whole context.Context) error {
	if b.apps != nil {
		return nil
	}
	apps := make([]*app, len(b.platforms()))
	var main *app
	for i, p := range b.platforms() {
		named := b.givenName(contextName, p) != ""
		if !named && main != nil {
			apps[i] = main // it is the same for all platforms
			continue
		}
		found, err := b.findApp(ctx, p)
		if err != nil {
			return err
		}
		if apps[i] = found; !named {
			main = found
		}
		guard.Start(whole, func() error {
			_, err := b.solve(whole, found.tree)
			return err
		}, func(error) {})
	}
	b.apps = apps
	return nil
}

// findApp finds the app for a platform: a local folder, a Git repository, an archive, an image, or an input of bake. What
// .dockerignore names is no part of it, whichever it is, and neither is .git.
func (b *build) findApp(ctx context.Context, p ocispecs.Platform) (*app, error) {
	st, err := b.appContext(ctx, p)
	if err != nil {
		return nil, err
	}
	if st.Output() == nil {
		return nil, llb.ErrEmptyView
	}
	ops, err := operations(ctx, *st)
	if err != nil {
		return nil, err
	}
	local := localFolder(ops)
	ignore, err := b.ignored(ctx, *st, local)
	if err != nil {
		return nil, err
	}
	excludes := ignore.patterns
	if !b.opts.keepGitDir && !keepsGitDir(ops) {
		excludes = append(excludes, gitDirs)
	}
	if local == nil {
		tree := b.selected(without(*st, excludes))
		found := &app{tree: tree, ignore: ignore, repository: repository(ops)}
		if found.pinned = pinnedSource(ops); found.pinned == "" {
			found.stable = &tree
		}
		return found, nil
	}
	// Equal options but for the session make one transfer serve both.
	folder := func(opts ...bk.LocalOption) bk.State {
		return b.selected(local.state(append(opts, bk.ExcludePatterns(excludes), bk.SharedKeyHint(local.sharedKey),
			dockerui.WithInternalName("load build context"))...))
	}
	stable := folder()
	return &app{tree: folder(bk.SessionID(local.session)), stable: &stable, local: local, ignore: ignore}, nil
}

// appContext is the context that is the app, as it comes.
func (b *build) appContext(ctx context.Context, p ocispecs.Platform) (*bk.State, error) {
	nc, err := b.ui.NamedContext(contextName, dockerui.ContextOpt{
		Platform:       &p,
		ResolveMode:    b.ui.ImageResolveMode.String(),
		NoDockerignore: true, // see ignored
	})
	if err != nil {
		return nil, err
	}
	if nc == nil {
		return b.ui.MainContext(ctx)
	}
	fail := func(err error) error {
		return fmt.Errorf("named context %s: %s: %v", contextName, b.givenName(contextName, p), err)
	}
	st, _, err := nc.Load(ctx)
	if err != nil {
		return nil, fail(noSuchPlatform(err, p))
	}
	if st.Output() == nil {
		return nil, fail(llb.ErrEmptyView)
	}
	ops, err := operations(ctx, *st)
	if err != nil {
		return nil, err
	}
	if file := ops[0].GetSource().GetAttrs()[pb.AttrHTTPFilename]; len(ops) == 1 && file != "" {
		// dockerui unpacks the archive that the main context is, and not this one.
		unpacked := bk.Scratch().File(bk.Copy(*st, file, "/", &bk.CopyInfo{AttemptUnpack: true}),
			dockerui.WithInternalName("unpack build context"))
		st = &unpacked
	}
	return st, nil
}

// without is a tree without what some patterns match.
func without(st bk.State, excludes []string) bk.State {
	if len(excludes) == 0 {
		return st
	}
	return bk.Scratch().File(bk.Copy(st, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, ExcludePatterns: excludes}),
		dockerui.WithInternalName("files of the app"))
}

// selected is what a project descriptor leaves of the app's files.
func (b *build) selected(st bk.State) bk.State {
	if b.project == nil || len(b.project.Include)+len(b.project.Exclude) == 0 {
		return st
	}
	return bk.Scratch().File(bk.Copy(st, "/", "/", &bk.CopyInfo{
		CopyDirContentsOnly: true, IncludePatterns: b.project.Include, ExcludePatterns: b.project.Exclude,
	}), dockerui.WithInternalName("files of the app that "+b.source.Filename+" selects"))
}

// operations are those of a state, in order. It is an error when there are none.
func operations(ctx context.Context, st bk.State) ([]*pb.Op, error) {
	def, err := llb.Marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	parsed, err := llb.ParseOperations(def.Def)
	if err != nil {
		return nil, err
	}
	ops := make([]*pb.Op, 0, len(parsed))
	for _, op := range parsed {
		ops = append(ops, op.Op)
	}
	if len(ops) < 2 {
		return nil, llb.ErrEmptyView
	}
	return ops[:len(ops)-1], nil // the last one only says what the result is
}

// clientFolder is a folder that the client sends.
type clientFolder struct{ name, session, sharedKey string }

// localFolder is the folder of the client that some operations read, and do nothing else; nil when they do.
func localFolder(ops []*pb.Op) *clientFolder {
	name, ok := strings.CutPrefix(ops[0].GetSource().GetIdentifier(), "local://")
	if !ok || len(ops) > 1 {
		return nil
	}
	attrs := ops[0].GetSource().Attrs
	return &clientFolder{name: name, session: attrs[pb.AttrLocalSessionID], sharedKey: attrs[pb.AttrSharedKeyHint]}
}

func (f *clientFolder) state(opts ...bk.LocalOption) bk.State { return bk.Local(f.name, opts...) }

// gitDirs is the pattern of what Git keeps in a working tree beside the files of a commit: a folder at the root and, as
// folder or file, in submodules. Git itself never has such a name in a commit.
const gitDirs = "**/.git"

// keepsGitDir says whether the address of a Git context asks for .git (?keep-git-dir=1).
func keepsGitDir(ops []*pb.Op) bool {
	return ops[0].GetSource().GetAttrs()[pb.AttrKeepGitDir] == "true"
}

// repository is the repositoryIdentity of what some operations check out, "" when they do something else. buildx names the
// repository of a folder in the same way (util/gitutil, RemoteURL).
func repository(ops []*pb.Op) string {
	src := ops[0].GetSource()
	id, ok := strings.CutPrefix(src.GetIdentifier(), "git://")
	if !ok || len(ops) > 1 {
		return ""
	}
	url := src.Attrs[pb.AttrFullRemoteURL]
	if url == "" {
		url, _, _ = strings.Cut(id, "#")
	}
	_, ref, _ := strings.Cut(id, "#")
	_, folder, _ := strings.Cut(ref, ":")
	return repositoryIdentity(urlutil.RedactCredentials(url), folder)
}

// pinnedSource names what some operations read that has another definition for other content, "" when there is none: then the
// definition is equal in every build, as that of a branch of a Git repository is, whatever commit that leads to.
func pinnedSource(ops []*pb.Op) string {
	for _, op := range ops {
		if op.GetFile() != nil {
			continue
		}
		scheme, rest, _ := strings.Cut(op.GetSource().GetIdentifier(), "://")
		attrs := op.GetSource().GetAttrs()
		switch scheme {
		case "git":
			_, ref, _ := strings.Cut(rest, "#")
			ref, _, _ = strings.Cut(ref, ":")
			if attrs[pb.AttrGitChecksum] != "" || gitutil.IsCommitSHA(ref) {
				return "a Git commit, named by its hash"
			}
		case "http", "https":
			if strings.HasPrefix(rest, "buildkit-session/") {
				return "an archive on standard input"
			}
		case "docker-image":
			if strings.Contains(rest, "@") {
				return "an image, named by its digest"
			}
		case "oci-layout":
			return "an OCI layout, named by its digest"
		default:
			return "the result of another target"
		}
	}
	return ""
}

// warnAboutContent tells the user which layers are made again with every change of the app, although they have a version, and
// why: the app comes in a form that has nothing but its content to be known by.
func (b *build) warnAboutContent(ctx context.Context, app *app, layers []string) {
	if len(layers) == 0 {
		return
	}
	message := fmt.Sprintf("layers with a version are made again when the app changes, since the context is %s: %s", app.pinned, strings.Join(layers, ", "))
	if b.contentSays.add(message) {
		b.warn(ctx, message, "Give them inputs, name a branch, or build a folder. Layers of a previous image are taken over in any case.")
	}
}
