package frontend

import (
	"testing"

	"github.com/packfile/frontend/group"
)

func TestTheDistributionIsReadAsAShellReadsIt(t *testing.T) {
	for _, test := range []struct{ name, text, id, version string }{
		{"Debian", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\nID_LIKE=x\n", "debian", "12"},
		{"Alpine", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\n", "alpine", "3.22.1"},
		{"Red Hat", "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"", "rhel", "9.4"},
		{"single quotes", "ID='a b'\nVERSION_ID='1\\'\n", "a b", `1\`},
		{"backslashes", `ID="a\"b\$\c"` + "\nVERSION_ID=\\1\\ 2\n", `a"b$\c`, "1 2"},
		{"carriage returns and comments", "#ID=no\r\n ID=yes # said\r\nVERSION_ID=1\r\n", "yes", "1"},
		{"no version, as of one that rolls", "ID=arch\nBUILD_ID=rolling\n", "arch", ""},
		{"an equals sign in a value", "ID=a=b\n", "a=b", ""},
		{"the last counts", "ID=a\nID=b\n", "b", ""},
		{"nothing", "\x00\xff\n=\nID\n", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, want := parseOSRelease(test.text), (group.Distro{Name: test.id, Version: test.version}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
