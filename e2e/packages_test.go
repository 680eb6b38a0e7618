package e2e

import (
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/step"
)

func TestALayerOfPackagesHasWhatTheyChangedAndNothingElse(t *testing.T) {
	t.Parallel()
	i := from(t, "tool", deb{name: "tool", control: "Depends: library\n", files: map[string]string{"usr/bin/tool": "#!/bin/sh\n"}, make: `
chmod 4755 usr/bin/tool
ln usr/bin/tool usr/bin/tool-again
ln -s tool usr/bin/tool-link
`, scripts: map[string]string{"postinst": `
set -e
mkdir -p /var/log/tool /var/cache/tool /var/lib/tool /run/tool
chown 33:33 /var/log/tool
for dir in /var/log/tool /var/cache/tool /var/lib/tool /run/tool /tmp /var/tmp; do date > $dir/file; done
date > /etc/machine-id
date > /etc/passwd-
test "$(id -u):$(id -g)" = 0:0
test "$SOURCE_DATE_EPOCH" = 315619201
test ! -t 0
status=0
/usr/sbin/policy-rc.d start tool || status=$?
test $status = 101
echo epoch $SOURCE_DATE_EPOCH > /var/lib/tool/file
`}}, deb{name: "library", version: "2:1.0-1", control: "Source: lib (1.0)\n", files: map[string]string{
		"usr/lib/library.so":              "library",
		"usr/share/doc/library/copyright": "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+ or MIT\n",
	}})
	l := i.layer(t)
	want := `
usr
usr/bin
usr/bin/tool
usr/bin/tool-again
usr/bin/tool-link
usr/lib
usr/lib/library.so
usr/share
usr/share/doc
usr/share/doc/library
usr/share/doc/library/copyright
var
var/cache
var/cache/tool
var/lib
var/lib/dpkg
var/lib/dpkg/info
var/lib/dpkg/info/library.list
var/lib/dpkg/info/library.md5sums
var/lib/dpkg/info/tool.list
var/lib/dpkg/info/tool.md5sums
var/lib/dpkg/info/tool.postinst
var/lib/dpkg/status
var/lib/tool
var/lib/tool/file
var/log
var/log/tool
`
	equal(t, "files of the layer", "\n"+strings.Join(l.names(), "\n")+"\n", want)
	for name, h := range l.files {
		if h.ModTime.Unix() != step.DefaultTime {
			t.Errorf("%s has the time %v", name, h.ModTime)
		}
	}
	equal(t, "mode of a setuid program", l.files["usr/bin/tool"].Mode, int64(0o4755))
	equal(t, "hard link", l.files["usr/bin/tool-again"].Linkname, "usr/bin/tool")
	equal(t, "owner of a folder for logs", l.files["var/log/tool"].Uid, 33)
	equal(t, "packages", l.result.Installed.Packages, []step.Package{
		{Name: "library", Version: "2:1.0-1", Arch: "all", Source: "lib", SourceVersion: "1.0", Distro: "debian", DistroVersion: "12", Licenses: []string{"GPL-2+", "MIT"}},
		{Name: "tool", Version: "1", Arch: "all", Source: "tool", SourceVersion: "1", Distro: "debian", DistroVersion: "12"},
	})
	equal(t, "log", l.log, "library 2:1.0-1\ntool 1\n")

	// Another run, at another time, gives the same.
	i.refresh = "again"
	equal(t, "diff id of another run", i.layer(t).diffID, l.diffID)
	i.host = oldestDaemon(t)
	equal(t, "diff id on the oldest BuildKit", i.layer(t).diffID, l.diffID)
}

// TestWhatKeepsPackagesFromBeingInstalledIsSaid asks for the exit code, by which the frontend finds the line, and for the words.
func TestWhatKeepsPackagesFromBeingInstalledIsSaid(t *testing.T) {
	t.Parallel()
	good := deb{name: "good"}
	fails := func(script string) map[string]string { return map[string]string{"postinst": script} }
	for name, test := range map[string]struct {
		names string
		debs  []deb
		code  int
		words []string
	}{
		"a package that nobody has":                {"good missing", []deb{good}, step.FirstName + 1, []string{`no package source has a package "missing"`}},
		"a name that apt would take for a pattern": {"good goo.", []deb{good}, step.FirstName + 1, []string{`no package source has a package "goo."`}},
		"an option":                 {"good --yes", []deb{good}, step.FirstName + 1, []string{`"--yes" is not the name of a package`}},
		"an order to remove":        {"good- good", []deb{good}, step.FirstName, []string{`"good-" is not the name of a package`}},
		"a version that nobody has": {"other good=2", []deb{good, {name: "other"}}, step.FirstName + 1, []string{"Version '2' for 'good' was not found"}},
		"a package that needs what nobody has": {"good needy", []deb{good, {name: "needy", control: "Depends: missing\n"}}, step.FirstName + 1,
			[]string{"needy : Depends: missing but it is not installable"}},
		"two that do not go together": {"good one other foe", []deb{good, {name: "other"}, {name: "one"}, {name: "foe", control: "Conflicts: one\n"}}, step.FirstName + 3,
			[]string{"foe : Conflicts: one"}},
		"one that wants another one away": {"good hostile", []deb{good, {name: "hostile", control: "Conflicts: mawk\nProvides: awk\n"}}, step.FirstName + 1,
			[]string{"Packages need to be removed but remove is disabled"}},
		"a script that fails": {"good bad", []deb{good, {name: "bad", scripts: fails("echo this is why; exit 3")}}, step.FirstName + 1,
			[]string{"this is why", "installed bad package post-installation script subprocess returned error exit status 3"}},
		"a script that fails, of a package that another one needs": {"good needy",
			[]deb{good, {name: "needy", control: "Depends: bad\n"}, {name: "bad", scripts: fails("exit 3")}}, step.FirstName + 1, []string{"exit status 3"}},
		"a script that asks":           {"good curious", []deb{good, {name: "curious", scripts: fails("echo really?; read answer")}}, step.FirstName + 1, []string{"really?"}},
		"more than there is space for": {"good large", []deb{good, {name: "large", size: "9000000000000000"}}, 1, []string{"You don't have enough free space"}},
		"a package that is none":       {"good broken", []deb{good, {name: "broken", size: "12"}}, 1, []string{"apt-get install failed"}},
		"a device node":                {"good", []deb{{name: "good", scripts: fails("mknod /usr/share/null c 1 3")}}, 1, []string{"/usr/share/null is a device node"}},
		"a name that removes a file":   {"good", []deb{{name: "good", files: map[string]string{"usr/share/.wh.doc": ""}}}, 1, []string{"/usr/share/.wh.doc cannot be in an image"}},
		"a script that takes files of the image away": {"good", []deb{{name: "good", scripts: fails("rm -r /usr/share/common-licenses/GPL-2 /srv")}}, 1,
			[]string{"take away files of the image", "/srv", "/usr/share/common-licenses/GPL-2"}},
		"a folder of the image that becomes a symlink": {"good", []deb{{name: "good", scripts: fails("mv /usr/share/common-licenses /x; ln -s /x /usr/share/common-licenses")}}, 1,
			[]string{"take away files of the image", "/usr/share/common-licenses/BSD"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(daemonKind(), "rootless") && strings.HasPrefix(name, "a device node") {
				t.Skip("no script can make a device node without root")
			}
			code, log := from(t, test.names, test.debs...).fails(t)
			equal(t, "exit code", code, test.code)
			contains(t, log, test.words...)
		})
	}
}

func TestImagesInWhichNothingCanBeInstalledAreNamed(t *testing.T) {
	t.Parallel()
	without := func(paths ...string) bk.State {
		st := offline(t)
		for _, path := range paths {
			st = st.File(bk.Rm(path, bk.WithAllowNotFound(true)))
		}
		return st
	}
	says := func(release string) bk.State {
		return without("/etc/os-release").File(bk.Mkfile("/etc/os-release", 0o644, []byte(release)))
	}
	for name, test := range map[string]struct {
		image bk.State
		words string
	}{
		"no distribution":       {bk.Image(env.empty), "it has no /etc/os-release"},
		"another distribution":  {says("ID=alpine\n"), "the image is of the distribution alpine; packages are installed in images of Debian, of Ubuntu"},
		"one with an evil name": {says("ID=\"a\x1b[31m\"\n"), `the image is of the distribution "a\x1b[31m"`},
		"no apt":                {without("/usr/bin/apt-get"), "the image has no apt-get"},
		"no dpkg":               {without("/usr/bin/dpkg"), "the image has no dpkg"},
		"no shell":              {without("/usr/bin/sh", "/bin/sh"), "the image has no shell, /bin/sh"},
		"no list of packages":   {without("/var/lib/dpkg/status"), "the image has no list of its packages, /var/lib/dpkg/status"},
		"no sources":            {offline(t), `no package source has a package "good"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, log := installation{names: []string{"good"}, image: &test.image}.fails(t)
			contains(t, log, test.words)
		})
	}
}

func TestFilesWithStrangeNamesAreInTheLayer(t *testing.T) {
	t.Parallel()
	l := from(t, "strange", deb{name: "strange", make: `
mkdir -p usr/share/strange
cd usr/share/strange
: > "$(printf 'a\tb\033[31m\377')"
: > -rf
: > '*'
ln -s / root
ln -s .. above
`, scripts: map[string]string{"postinst": "rmdir /srv; ln -s /etc /srv; rm -rf /packfile/sealed/* ; echo x > /packfile/sealed/x; mkdir /packfile/changed; echo x > /packfile/changed/x"}}).layer(t)
	for _, name := range []string{"a\tb\x1b[31m\xff", "-rf", "*", "root", "above"} {
		if l.files["usr/share/strange/"+name] == nil {
			t.Errorf("the layer has no %q: %q", name, l.names())
		}
	}
	if h := l.files["srv"]; h == nil || h.Linkname != "/etc" {
		t.Errorf("/srv is %v", h)
	}
	if l.files["x"] != nil {
		t.Error("a script put a file into the layer")
	}
}

func TestAPrivateKeyThatAScriptMakesIsSaid(t *testing.T) {
	t.Parallel()
	l := from(t, "server", deb{name: "server", files: map[string]string{"etc/public.pem": "-----BEGIN CERTIFICATE-----\n"}, scripts: map[string]string{
		"postinst": "echo '-----BEGIN OPENSSH PRIVATE KEY-----' > /etc/host_key",
	}}).layer(t)
	equal(t, "log", l.log, "server 1\npackfile-step: /etc/host_key is a private key that a script of a package has made: everybody who has the image has it, "+
		"and another build makes another one; it should be made when the app starts\n")
}

func TestPackagesThatAreThereAlreadyGiveAnEmptyLayer(t *testing.T) {
	t.Parallel()
	l := from(t, "mawk", deb{name: "good"}).layer(t)
	equal(t, "files", len(l.names()), 0)
	equal(t, "packages", len(l.result.Installed.Packages), 0)
	equal(t, "log", l.log, "all packages are in the image already: mawk\n")
}
