package frontend

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/llb"
)

func TestUsersAndGroupsAreFoundByName(t *testing.T) {
	const passwd = "# a comment\n\nroot:x:0:0::/:\napp:x:1234:2345::/:\napp:x:9:9::/:\nshort:x\nword:x:one:1::/:\nmany:x:4294967296:1::/:\nminus:x:-1:1::/:\ntoor:x:0:0::/:\n" +
		"inroot:x:5:0::/:\nfar:x:5:4294967296::/:"
	const group = "root:x:0:\nstaff:x:3456:app,other\nword:x:one:\nmany:x:4294967296:"
	for name, test := range map[string]struct {
		owner llb.Owner
		fails string
	}{
		"app":    {llb.Owner{UID: 1234, GID: 2345}, ""}, // the first entry counts
		"inroot": {llb.Owner{UID: 5}, ""},
		"none":   {llb.Owner{}, "no such name in /etc/passwd of the build image"},
		"":       {llb.Owner{}, "no such name"},
		"short":  {llb.Owner{}, `the entry of "short" has no number`},
		"word":   {llb.Owner{}, `the entry of "word" has no number`},
		"toor":   {llb.Owner{}, `has no number, or that of root: say "root" if that is meant`},
		"many":   {llb.Owner{}, `the entry of "many" has a number that no user can have`},
		"minus":  {llb.Owner{}, "has a number that no user can have"},
		"far":    {llb.Owner{}, "has a number that no user can have"},
	} {
		owner, err := userIn([]byte(passwd), name)
		switch {
		case test.fails == "" && (err != nil || owner != test.owner):
			t.Errorf("%q is %v: %v", name, owner, err)
		case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
			t.Errorf("%q: %v, want %s", name, err, test.fails)
		}
	}
	for name, test := range map[string]struct {
		id    int
		fails string
	}{
		"staff": {3456, ""},
		"none":  {0, "no such name in /etc/group of the build image"},
		"word":  {0, `/etc/group of the build image: the entry of "word" has no number`},
		"many":  {0, "has a number that no user can have"},
	} {
		id, err := groupIn([]byte(group), name)
		switch {
		case test.fails == "" && (err != nil || id != test.id):
			t.Errorf("%q is %d: %v", name, id, err)
		case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
			t.Errorf("%q: %v, want %s", name, err, test.fails)
		}
	}
}
