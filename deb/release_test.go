package deb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
			if got := ParseRelease([]byte(test.text)); got.ID != test.id || got.Version != test.version {
				t.Errorf("got %q in version %q, want %q in %q", got.ID, got.Version, test.id, test.version)
			}
		})
	}
}

func TestOSReleaseSaysWhetherAptInstalls(t *testing.T) {
	for text, want := range map[string]Release{
		"PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n":     {ID: "debian", Version: "12"},
		"ID=ubuntu\nID_LIKE=debian\nVERSION_ID='24.04'":              {ID: "ubuntu", Version: "24.04", Like: []string{"debian"}},
		"ID=linuxmint\r\nID_LIKE=\"ubuntu debian\"\r\n":              {ID: "linuxmint", Like: []string{"ubuntu", "debian"}},
		"# a comment\nID=\"\"\nnothing\n":                            {},
		"ID=alpine\nVERSION_ID=3.20\nHOME_URL=https://example.com\n": {ID: "alpine", Version: "3.20"},
	} {
		got := ParseRelease([]byte(text))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		if has := got.ID != "" && got.ID != "alpine"; got.HasApt() != has {
			t.Errorf("%q has apt: %v", text, got.HasApt())
		}
	}
}
