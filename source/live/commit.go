package live

import (
	"cmp"
	"context"
	"errors"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/moby/buildkit/util/urlutil"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
)

// commit returns a repository at one commit: the one that the address names, or the one that its branch or tag leads to now. For
// a branch or tag it asks the server; a daemon that cannot ask alone checks the repository out.
func (d *Door) commit(ctx context.Context, s source.Git) (bk.State, source.Resolved, error) {
	var none bk.State
	st, err := git(s, shown(s)...)
	if err != nil {
		return none, source.Resolved{}, err
	}
	address, _, err := dfgitutil.ParseGitRef(s.Address)
	if err != nil {
		return none, source.Resolved{}, err
	}
	for _, named := range []string{address.Checksum, address.Ref} {
		if gitutil.IsCommitSHA(named) {
			return st, source.Resolved{Commit: named, Folder: address.SubDir, Exact: true}, nil
		}
	}
	commit, err := d.currentCommit(ctx, st, s)
	if err != nil {
		return none, source.Resolved{}, err
	}
	if commit != "" {
		// The ref is fetched, and not the commit: for a commit Git fetches all of its history.
		st, err = git(s, append(shown(s), bk.GitChecksum(commit))...)
		return st, source.Resolved{Commit: commit, Folder: address.SubDir, Exact: true}, err
	}
	if commit, err = d.checkedOut(ctx, address, s); err != nil {
		return none, source.Resolved{}, err
	}
	// This builder has the commit now.
	st = bk.Git(address.Remote, commit+":"+address.SubDir, append(access(s), shown(s)...)...)
	return st, source.Resolved{Commit: commit, Folder: address.SubDir, Exact: true}, nil
}

// currentCommit asks the daemon which commit the branch or tag of a repository leads to. It returns "" for a daemon that does not
// say (BuildKit before v0.26).
func (d *Door) currentCommit(ctx context.Context, st bk.State, s source.Git) (string, error) {
	ops, err := llb.OperationsOf(ctx, st)
	if err != nil {
		return "", err
	}
	found, err := d.client.ResolveSourceMetadata(ctx, ops[0].GetSource(), sourceresolver.Opt{
		LogName: "[internal] commit of " + urlutil.RedactCredentials(s.Address),
	})
	if err != nil || found.Git == nil {
		return "", err
	}
	return cmp.Or(found.Git.CommitChecksum, found.Git.Checksum), nil // the first is that of an annotated tag's commit
}

// maxHead is the size limit of .git/HEAD, in bytes.
const maxHead = 1 << 10

// checkedOut checks a repository out, and returns the commit that it is at.
func (d *Door) checkedOut(ctx context.Context, address *dfgitutil.GitRef, s source.Git) (string, error) {
	// Of a folder in it, BuildKit keeps no .git.
	st := bk.Git(address.Remote, address.Ref, append(access(s), append(shown(s), bk.KeepGitDir())...)...)
	folder, err := d.files(ctx, st)
	if err != nil {
		return "", err
	}
	head, err := folder.Read(ctx, ".git/HEAD", maxHead)
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(head))
	if !gitutil.IsCommitSHA(commit) {
		return "", errors.New("which commit it is at cannot be found out: write #COMMIT in its address")
	}
	return commit, nil
}

// shown returns how BuildKit shows the operation of a repository.
func shown(s source.Git) (opts []bk.GitOption) {
	for _, o := range s.Shown {
		opts = append(opts, o)
	}
	return opts
}
