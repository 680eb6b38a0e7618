package live

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/moby/buildkit/util/urlutil"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/text"
)

// resolveDefined fills in what identifies a state that has no digest of its own: its operations, and its config, which no operation
// holds. Equal operations are equal contents when none of their sources floats. That a step gives the same each time is not asked:
// BuildKit's cache does not ask it either.
func resolveDefined(ctx context.Context, st bk.State, resolved *source.Resolved) (err error) {
	if resolved.Digest, err = llb.DefinitionDigest(ctx, st); err != nil {
		return err
	}
	if resolved.Config != nil {
		config, err := json.Marshal(resolved.Config.Config)
		if err != nil {
			return err
		}
		resolved.Digest = digest.FromString(resolved.Digest.String() + "\n" + string(config))
	}
	ops, err := llb.OperationsOf(ctx, st)
	if err != nil {
		return err
	}
	resolved.Defined, resolved.Floating = true, floatingSource(ops)
	resolved.Exact, resolved.Repository = resolved.Floating == "", ""
	return nil
}

// floatingSource describes a source among some operations whose content may change while the operations stay as they are. It returns
// "" when there is none.
func floatingSource(ops llb.Operations) string {
	for _, op := range ops {
		if op.GetBuild() != nil {
			return "a build in a build"
		}
		src := op.GetSource()
		if src == nil {
			continue
		}
		scheme, rest, _ := strings.Cut(src.Identifier, "://")
		switch scheme {
		case "docker-image", "docker-image+blob", "oci-layout", "oci-layout+blob":
			if !strings.Contains(rest, "@") {
				return "image " + text.Short(rest) + " without a digest"
			}
		case "local":
			return "the client's folder " + strconv.Quote(rest)
		case "git":
			_, ref, _ := strings.Cut(rest, "#")
			ref, _, _ = strings.Cut(ref, ":")
			if src.Attrs[pb.AttrGitChecksum] == "" && !gitutil.IsCommitSHA(ref) {
				return "Git repository " + text.Word(urlutil.RedactCredentials(rest)) + " without the hash of a commit"
			}
		case "http", "https":
			if src.Attrs[pb.AttrHTTPChecksum] == "" {
				return "file " + text.Word(urlutil.RedactCredentials(src.Identifier)) + " without a checksum"
			}
		default:
			return "source " + text.Word(src.Identifier)
		}
	}
	return ""
}
