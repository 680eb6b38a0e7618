package deb

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesThatAptTakesForSomethingElseAreNone(t *testing.T) {
	for text, want := range map[string][2]string{
		"curl": {"curl", ""}, "g++": {"g++", ""}, "libstdc++6": {"libstdc++6", ""}, "0ad": {"0ad", ""}, "python3.11": {"python3.11", ""},
		"gcc=4:12.2.0-3": {"gcc", "4:12.2.0-3"}, "libc6=2.36-9+deb12u4~bpo1": {"libc6", "2.36-9+deb12u4~bpo1"}, "tool=r5": {"tool", "r5"},
	} {
		name, version, err := SplitName(text)
		if err != nil || name != want[0] || version != want[1] {
			t.Errorf("%s is %q and %q, %v", text, name, version, err)
		}
	}
	for _, text := range []string{
		"", "a", "-y", "--yes", "curl-", "Curl", "curl*", "^lib", "curl/stable", "curl:arm64", "cur l", "curl\n", "c\x1burl", "curl=", "curl=*",
		"curl=1 2", "curl=-1", "curl=~1", "./curl.deb", "curl=1=2", "task^", ".curl",
	} {
		if name, _, err := SplitName(text); err == nil {
			t.Errorf("%q is the name %q", text, name)
		}
	}
}

func TestTheStatusFileSaysWhatIsInstalled(t *testing.T) {
	const status = `Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9
Description: a library
 Version: 9 goes on here
	Status: and here
Conffiles:
 /etc/ld.so.conf 0123

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: held
Status: hold ok installed
Architecture: all
Version: 1+b1
Source: keeper (1)

Package: waits
Status: install ok triggers-awaited
Architecture: i386
Version: 3

Package: half
Status: install reinstreq half-installed
Architecture: all
Version: 1
`
	want := map[string]Package{
		"libc6:amd64": {"libc6", "2.36-9", "amd64", "glibc", "2.36-9"},
		"held:all":    {"held", "1+b1", "all", "keeper", "1"},
		"waits:i386":  {"waits", "3", "i386", "waits", "3"},
	}
	got, err := ReadStatus(strings.NewReader(status))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadStatus(strings.NewReader("Package: " + strings.Repeat("x", maxField))); err == nil {
		t.Error("a line without an end was read")
	}
}

func TestLicensesAreReadFromCopyrightFilesForPrograms(t *testing.T) {
	const machine = `
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Source: https://example.com

Files: *
Copyright: somebody
License: GPL-2+ with OpenSSL exception or MIT
 It goes on
 License: nothing

Files: doc
License: Apache-2.0, and BSD-3-clause
License: MIT
`
	want := []string{"Apache-2.0", "BSD-3-clause", "GPL-2+ with OpenSSL exception", "MIT"}
	if diff := cmp.Diff(want, Licenses([]byte(machine))); diff != "" {
		t.Error(diff)
	}
	if got := Licenses([]byte("This package was debianized by hand.\nLicense: GPL\n")); got != nil {
		t.Errorf("a file for people has the licenses %v", got)
	}
}

func TestDpkgSaysWhatFailed(t *testing.T) {
	const output = `Setting up bad (1) ...
dpkg: error processing package bad:amd64 (--configure):
 installed bad package post-installation script subprocess returned error exit status 3
dpkg: error processing archive /packfile/apt/cache/archives/clash_2%3a1_all.deb (--unpack):
 trying to overwrite
Errors were encountered while processing:
 bad
`
	if diff := cmp.Diff([]string{"bad", "clash"}, Failed([]byte(output))); diff != "" {
		t.Error(diff)
	}
	const plan = "Inst library (1 test [all])\nInst libc6 [1] (2 Debian:12 [amd64]) []\nInst x:i386 (1)\nConf library (1 test)\nRemv old [1]\n"
	if diff := cmp.Diff([]string{"library", "libc6", "x"}, Planned([]byte(plan))); diff != "" {
		t.Error(diff)
	}
}

func FuzzReadStatus(f *testing.F) {
	f.Add("Package: a\nStatus: install ok installed\nSource: b (1)\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		packages, _ := ReadStatus(strings.NewReader(text))
		for id, p := range packages {
			if p.ID() != id {
				t.Errorf("%q is %q", id, p.ID())
			}
		}
		Licenses([]byte(format + text))
		ParseRelease([]byte(text))
	})
}
