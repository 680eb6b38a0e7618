package e2e

import (
	"os"
	"slices"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
)

// differences returns the paths that are in one layer alone, or different in two.
func (l layer) differences(other layer) (paths []string) {
	for name, h := range l.files {
		o, ok := other.files[name]
		if !ok || h.Mode != o.Mode || h.Uid != o.Uid || h.Gid != o.Gid || h.Size != o.Size || h.Linkname != o.Linkname || l.texts[name] != other.texts[name] {
			paths = append(paths, name)
		}
	}
	for name := range other.files {
		if _, ok := l.files[name]; !ok {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return paths
}

// TestPackagesGiveTheSameLayerOnEveryBuilder installs what is hard to do twice: users, whose passwords have a date, and a service
// (dbus); modules of Python, whose compiled files have times; a library, for which the linker keeps a cache; file capabilities (ping).
func TestPackagesGiveTheSameLayerOnEveryBuilder(t *testing.T) {
	t.Parallel()
	i := installation{names: []string{"dbus", "python3-six", "libevent-2.1-7", "iputils-ping"}}
	first := i.layer(t)
	for _, name := range []string{
		"etc/shadow", "etc/ld.so.cache", "usr/bin/ping", "usr/lib/python3/dist-packages/__pycache__/six.cpython-311.pyc",
	} {
		if first.files[name] == nil {
			t.Errorf("the layer has no %s", name)
		}
	}
	if h := first.files["usr/bin/ping"]; h != nil && h.PAXRecords["SCHILY.xattr.security.capability"] == "" {
		t.Error("ping has no capabilities")
	}
	for _, kind := range []string{"native", "rootless-overlayfs"} {
		i.host = newDaemon(t, kind)
		if other := i.layer(t); other.diffID != first.diffID {
			t.Errorf("a daemon of kind %s gives another layer: %v", kind, first.differences(other))
		}
	}
}

func TestTheProxyOfBuildKitIsNotInTheLayer(t *testing.T) {
	t.Parallel()
	system, err := os.ReadFile(os.Getenv("PACKFILE_CA_CERTIFICATES"))
	if err != nil {
		t.Fatal(err)
	}
	proxied := newDaemon(t, "proxy-overlayfs")
	// BuildKit adds the certificate of its proxy to the certificates that an image has while a step runs.
	has := bk.Image(env.runImage)
	certain := from(t, "good", deb{name: "good", scripts: map[string]string{"postinst": "grep -c BEGIN /etc/ssl/certs/ca-certificates.crt > /usr/share/seen\n"}})
	certain.image = &has
	for _, i := range []installation{{names: []string{"ca-certificates"}}, certain} {
		want := i.layer(t)
		i.host, i.secret = proxied, system
		got := i.layer(t)
		if differences := want.differences(got); i.image == nil && got.diffID != want.diffID || i.image != nil && !slices.Equal(differences, []string{"usr/share/seen"}) {
			t.Errorf("%v: other files: %v", i.names, differences)
		}
	}
}
