package live

import (
	"context"
	"path"
	"slices"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/moby/buildkit/util/urlutil"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

// app finds the app for a platform: a local folder, a Git repository, an archive, an image, or an input of bake. It leaves out
// what .dockerignore names.
func (d *Door) app(ctx context.Context, s source.App) (none bk.State, resolved source.Resolved, err error) {
	st, err := d.appContext(ctx, s)
	if err != nil {
		return none, resolved, err
	}
	if st.Output() == nil {
		return none, resolved, llb.ErrEmptyView
	}
	ops, err := llb.OperationsOf(ctx, st)
	if err != nil {
		return none, resolved, err
	}
	local := localFolder(ops)
	ignore, err := d.ignored(ctx, st, local)
	if err != nil {
		return none, resolved, err
	}
	resolved.App.Ignore = ignore
	excludes := slices.Clone(ignore.Patterns)
	if !s.KeepGitDir && !keepsGitDir(ops) {
		excludes = append(excludes, gitDirs)
	}
	if local == nil {
		tree := without(st, excludes)
		resolved.App.Repository, resolved.App.Subfolder = repository(ops)
		if resolved.App.Pinned = pinnedSource(ops); resolved.App.Pinned == "" {
			resolved.Stable = &tree
		}
		return tree, resolved, nil
	}
	for _, name := range s.Hidden {
		if llb.Literal(name) == name { // otherwise it depends on the client's system what a pattern matches
			excludes = append(excludes, name+"/*")
		}
	}
	// Options that are equal but for the session make one transfer serve both.
	folder := func(opts ...bk.LocalOption) bk.State {
		return local.state(append(opts, bk.ExcludePatterns(excludes), bk.SharedKeyHint(local.sharedKey),
			dockerui.WithInternalName("load build context"))...)
	}
	stable := folder()
	resolved.Stable, resolved.App.Folder = &stable, local.name
	return folder(bk.SessionID(local.session)), resolved, nil
}

// appContext returns the context that is the app, with all of its files.
func (d *Door) appContext(ctx context.Context, s source.App) (st bk.State, err error) {
	nc, err := d.ui.NamedContext(source.AppContext, dockerui.ContextOpt{
		Platform:       &s.Platform,
		ResolveMode:    d.ui.ImageResolveMode.String(),
		NoDockerignore: true, // see ignored
	})
	if err != nil {
		return st, err
	}
	if nc == nil {
		main, err := d.ui.MainContext(ctx)
		if err != nil {
			return st, err
		}
		return *main, nil
	}
	fail := func(err error) error {
		return &source.ContextError{
			Name: source.AppContext, Given: source.Given(d.client.BuildOpts().Opts, source.AppContext, s.Platform), Err: err,
		}
	}
	named, _, err := nc.Load(ctx)
	if err != nil {
		return st, fail(noSuchPlatform(err, s.Platform))
	}
	if named.Output() == nil {
		return st, fail(llb.ErrEmptyView)
	}
	ops, err := llb.OperationsOf(ctx, *named)
	if err != nil {
		return st, err
	}
	if file := ops[0].GetSource().GetAttrs()[pb.AttrHTTPFilename]; len(ops) == 1 && file != "" {
		// dockerui unpacks an archive that is the main context, but not this one.
		return bk.Scratch().File(bk.Copy(*named, file, "/", &bk.CopyInfo{AttemptUnpack: true}),
			dockerui.WithInternalName("unpack build context")), nil
	}
	return *named, nil
}

// without returns a tree without the files that match some patterns.
func without(st bk.State, excludes []string) bk.State {
	if len(excludes) == 0 {
		return st
	}
	return bk.Scratch().File(bk.Copy(st, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, ExcludePatterns: excludes}),
		dockerui.WithInternalName("files of the app"))
}

// beside returns the folder of the packfile being built, with some of its paths.
func (d *Door) beside(ctx context.Context, s source.Beside) (bk.State, error) {
	dir := strings.TrimPrefix(path.Dir(path.Clean("/"+d.packfile.Filename)), "/")
	from := *d.packfile.State
	ops, err := llb.OperationsOf(ctx, from)
	if err != nil {
		return from, err
	}
	if local := localFolder(ops); local != nil {
		from = local.state(
			bk.IncludePatterns(similar(dir, s.Paths)),
			bk.SessionID(local.session),
			bk.SharedKeyHint(local.name+"-files"),
			bk.Differ(bk.DiffNone, false),
			dockerui.WithInternalName("load files of "+d.packfile.Filename))
	}
	return bk.Scratch().File(
		bk.Copy(from, "/"+dir, "/", &bk.CopyInfo{
			CopyDirContentsOnly: true, IncludePatterns: literal(s.Paths), Mode: &bk.ChmodOpt{ModeStr: s.Mode},
		}),
		dockerui.WithInternalName("files of "+d.packfile.Filename)), nil
}

// literal returns patterns that match exactly these paths.
func literal(paths []string) []string {
	patterns := make([]string, len(paths))
	for i, p := range paths {
		patterns[i] = llb.Literal(p)
	}
	return patterns
}

// similar returns patterns for paths below dir that work on whichever system the client has.
func similar(dir string, paths []string) []string {
	patterns := make([]string, len(paths))
	for i, p := range paths {
		patterns[i] = llb.Similar(path.Join(dir, p))
	}
	return patterns
}

// clientFolder is a folder that the client sends.
type clientFolder struct{ name, session, sharedKey string }

// localFolder returns the folder of the client that some operations read. It returns nil when they do anything else.
func localFolder(ops llb.Operations) *clientFolder {
	name, ok := strings.CutPrefix(ops[0].GetSource().GetIdentifier(), "local://")
	if !ok || len(ops) > 1 {
		return nil
	}
	attrs := ops[0].GetSource().Attrs
	return &clientFolder{name: name, session: attrs[pb.AttrLocalSessionID], sharedKey: attrs[pb.AttrSharedKeyHint]}
}

func (f *clientFolder) state(opts ...bk.LocalOption) bk.State { return bk.Local(f.name, opts...) }

// gitDirs matches what Git keeps in a working tree beside the files of a commit: a folder at the root, and a folder or file in
// each submodule. Git itself never has such a name in a commit.
const gitDirs = "**/.git"

// keepsGitDir reports whether the address of a Git context asks for .git (?keep-git-dir=1).
func keepsGitDir(ops llb.Operations) bool {
	return ops[0].GetSource().GetAttrs()[pb.AttrKeepGitDir] == "true"
}

// repository returns the Git repository and its folder that some operations check out. It returns "" when they do anything else.
func repository(ops llb.Operations) (url, folder string) {
	src := ops[0].GetSource()
	id, ok := strings.CutPrefix(src.GetIdentifier(), "git://")
	if !ok || len(ops) > 1 {
		return "", ""
	}
	if url = src.Attrs[pb.AttrFullRemoteURL]; url == "" {
		url, _, _ = strings.Cut(id, "#")
	}
	_, ref, _ := strings.Cut(id, "#")
	_, folder, _ = strings.Cut(ref, ":")
	return urlutil.RedactCredentials(url), folder
}

// pinnedSource describes a source among some operations whose definition changes with its content. It returns "" when there is
// none: then the definition is equal in every build, like that of a branch of a Git repository, whatever commit the branch leads
// to.
func pinnedSource(ops llb.Operations) string {
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
