package live

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"

	own "github.com/packfile/frontend/llb"
)

func TestWhatHasNothingButItsContentToBeKnownByIsNamed(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	digest := "@sha256:" + strings.Repeat("0", 64)
	for want, st := range map[string]llb.State{
		"a Git commit, named by its hash":    llb.Git("https://git.example.com/app", hash),
		"an archive on standard input":       llb.HTTP("http://buildkit-session/x"),
		"an image, named by its digest":      llb.Image("registry.example.com/app" + digest),
		"an OCI layout, named by its digest": llb.OCILayout("registry.example.com/app" + digest),
		"the result of another target":       llb.Scratch().File(llb.Mkfile("/a", 0o644, nil)).Run(llb.Args([]string{"a"})).Root(),
		"":                                   llb.HTTP("https://example.com/app.tar"),
	} {
		ops, err := own.OperationsOf(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		if got := pinnedSource(ops); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
