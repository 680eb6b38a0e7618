package live

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"

	"github.com/packfile/frontend/source"
)

// A server that a module names may be anybody's.
func TestWhatAModuleNamesIsFetchedWithoutTheUsersTokens(t *testing.T) {
	tokens := func(own bool) (attrs []string) {
		st, err := Make(source.Git{Address: "https://example.com/a.git#v1", Foreign: !own})
		if err != nil {
			t.Fatal(err)
		}
		def, err := st.Marshal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range def.Def {
			var op pb.Op
			if err := op.Unmarshal(data); err != nil {
				t.Fatal(err)
			}
			for _, attr := range []string{pb.AttrAuthTokenSecret, pb.AttrAuthHeaderSecret} {
				if secret := op.GetSource().GetAttrs()[attr]; secret != "" {
					attrs = append(attrs, secret)
				}
			}
		}
		return attrs
	}
	if own, others := tokens(true), tokens(false); len(own) != 2 || len(others) != 0 {
		t.Errorf("own: %v, of a module: %v", own, others)
	}
	for _, address := range []string{"git@example.com:a/b.git", "ssh://git@example.com/a.git#v1:dir"} {
		if _, err := Make(source.Git{Address: address}); err != nil {
			t.Error(err)
		}
		if _, err := Make(source.Git{Address: address, Foreign: true}); err == nil || !strings.Contains(err.Error(), "SSH agent") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
