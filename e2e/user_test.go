package e2e

import (
	"os"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/packfile/frontend/internal/testbed"
)

// ranAs is a packfile whose layer says as whom its step ran.
func ranAs(user string) string {
	return testbed.Packfile(
		testbed.Config("shell", "/bin/sh -eu", "user", user),
		testbed.Layer("a").Run("echo $(id -u):$(id -g) > $LAYER/id"),
	)
}

func TestUsersAreFoundWhereverPasswdAndGroupAre(t *testing.T) {
	t.Parallel()
	passwd, group := []byte("root:x:0:0::/:\napp:x:1234:2345::/:\n"), []byte("root:x:0:\nstaff:x:3456:\n")
	const passwdPath, groupPath = "/etc/passwd", "/etc/group"
	base := bk.Image(env.busybox)
	none := base.File(bk.Rm(passwdPath, bk.WithAllowNotFound(true)).Rm(groupPath, bk.WithAllowNotFound(true)))
	elsewhere := none.File(bk.Mkdir("/usr/lib/users", 0o755, bk.WithParents(true)).
		Mkfile("/usr/lib/users/passwd", 0o644, passwd).Mkfile("/usr/lib/users/group", 0o644, group))
	links := func(tree bk.State, passwd, group string) bk.State {
		return tree.File(bk.Symlink(passwd, passwdPath).Symlink(group, groupPath))
	}
	chain := elsewhere.File(bk.Symlink("../usr/lib/users", "/etc/users").Symlink("/etc/users/passwd", "/etc/passwd.real").
		Symlink("users/group", "/etc/group.real"))
	fromRoot := elsewhere.File(bk.Mkdir("/outside", 0o755).Mkfile("/outside/users", 0o644, passwd))

	for name, c := range map[string]struct {
		tree bk.State
		user string
		id   string // "" for an error, which says
		says string
	}{
		"files":                       {none.File(bk.Mkfile(passwdPath, 0o644, passwd).Mkfile(groupPath, 0o644, group)), "app:staff", "1234:3456", ""},
		"absolute links":              {links(elsewhere, "/usr/lib/users/passwd", "/usr/lib/users/group"), "app:staff", "1234:3456", ""},
		"relative links":              {links(elsewhere, "../usr/lib/users/passwd", "../usr/lib/users/group"), "app:staff", "1234:3456", ""},
		"chains of links":             {links(chain, "passwd.real", "/etc/group.real"), "app:staff", "1234:3456", ""},
		"links above the root":        {links(fromRoot, "../../../../outside/users", "../../../usr/lib/users/group"), "app:staff", "1234:3456", ""},
		"a link to this machine":      {links(elsewhere, "../../../../../../proc/self/environ", "/usr/lib/users/group"), "app", "", `/etc/passwd of the build image cannot be read`},
		"a link to nothing":           {links(elsewhere, "/gone", "/gone"), "app", "", `/etc/passwd of the build image cannot be read`},
		"a link to itself":            {links(elsewhere, "passwd", "group"), "app", "", `/etc/passwd of the build image cannot be read`},
		"a folder":                    {none.File(bk.Mkdir(passwdPath, 0o755)), "app", "", `/etc/passwd of the build image is no regular file`},
		"no such name":                {links(elsewhere, "/usr/lib/users/passwd", "/usr/lib/users/group"), "other", "", `no such name in /etc/passwd of the build image`},
		"root without files":          {none, "root", "0:0", ""},
		"root of root without files":  {none, "root:root", "0:0", ""},
		"a number without files":      {none, "1234", "1234:1234", ""},
		"a name without files":        {none, "app", "", `/etc/passwd of the build image cannot be read`},
		"another group without files": {none, "root:staff", "", `/etc/group of the build image cannot be read`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image := pushState(t, os.Getenv("BUILDKIT_HOST"), c.tree)
			r := request{dir: files(t, map[string]string{"packfile.toml": ranAs(c.user)}), buildImg: image, target: "a"}
			if c.id == "" {
				contains(t, r.fail(t), c.says, `user "`+c.user+`"`, ">>> user = ")
				return
			}
			if got := strings.TrimSpace(r.build(t).read(t, "id")); got != c.id {
				t.Errorf("the step ran as %s, want %s", got, c.id)
			}
		})
	}
}
