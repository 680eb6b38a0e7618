package live

import (
	"errors"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/util/gitutil"

	"github.com/packfile/frontend/source"
)

// Make makes the sources that take no look-up. It is a source.Maker, and fails for other sources.
func Make(s source.Source) (bk.State, error) {
	switch s := s.(type) {
	case source.File:
		return file(s), nil
	case source.Blob:
		return bk.ImageBlob(s.Repository+"@"+s.Digest.String(), bk.Filename(s.File), dockerui.WithInternalName(s.Name)), nil
	case source.Git:
		return git(s)
	}
	return bk.State{}, unknownKind(s)
}

// file returns a state with a downloaded file.
func file(s source.File) bk.State {
	opts := []bk.HTTPOption{bk.Filename(s.File)}
	if s.Mode != 0 {
		opts = append(opts, bk.Chmod(s.Mode))
	}
	if s.Owner != nil {
		opts = append(opts, bk.Chown(s.Owner.UID, s.Owner.GID))
	}
	if s.Digest != "" {
		opts = append(opts, bk.Checksum(s.Digest))
	}
	if len(s.Accept) > 0 {
		opts = append(opts, bk.Header(bk.HTTPHeader{Accept: strings.Join(s.Accept, ", ")}))
	}
	for _, o := range s.Shown {
		opts = append(opts, o)
	}
	return bk.HTTP(s.URI, opts...)
}

// git returns a state with a folder of a repository, with further options. It fails for an address that Git would not take, and
// for SSH on behalf of a module.
func git(s source.Git, opts ...bk.GitOption) (bk.State, error) {
	if s.Foreign {
		if remote, err := gitutil.ParseURL(s.Address); err == nil && remote.Scheme == gitutil.SSHProtocol {
			return bk.State{}, errors.New("it is fetched with the user's SSH agent, which modules have not: " +
				"name it in the packfile that is built as well, or over https")
		}
	}
	st, _, err := dockerui.DetectGitContext(s.Address, nil, append(access(s), opts...)...)
	if err != nil || st == nil {
		return bk.State{}, errors.Join(err, errors.New("it is no address of a Git repository"))
	}
	return *st, nil
}

// access returns what keeps a repository that a module names from the user's tokens.
func access(s source.Git) []bk.GitOption {
	if !s.Foreign {
		return nil
	}
	return []bk.GitOption{bk.AuthTokenSecret(""), bk.AuthHeaderSecret("")}
}
