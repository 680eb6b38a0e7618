package run

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// see makes the script print variables, one NAME=value a line; one that is not set is printed as "NAME unset".
func see(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(`if [ -n "${` + name + `+x}" ]; then echo "` + name + `=$` + name + `"; else echo "` + name + ` unset"; fi` + "\n")
	}
	return b.String()
}

// expect runs the step, whose script must print want; ROOT stands for the container's root folder.
func (b *box) expect(want ...string) {
	b.t.Helper()
	lines := strings.ReplaceAll(strings.Join(want, "\n"), "ROOT", b.root)
	got := strings.TrimSuffix(b.succeed().stdout, "\n")
	if diff := cmp.Diff(strings.Split(lines, "\n"), strings.Split(got, "\n")); diff != "" {
		b.t.Error(diff)
	}
}

// layer makes a layer whose env files set every variable below to its name, and returns a link to it.
func (b *box) layer(name string) step.Link {
	b.t.Helper()
	dir := "/layers/app/" + name
	for _, file := range []string{"bin/x", "lib/x", "include/x", "pkgconfig/x"} {
		b.write(dir+"/"+file, "")
	}
	b.write(dir+"/env/LINK.override", name)
	b.write(dir+"/env/BARE", name)
	b.write(dir+"/env/PLACE.override", name+" env")
	b.write(dir+"/env.build/PLACE.override", name+" env.build")
	b.write(dir+"/env.launch/PLACE.override", name+" env.launch")
	b.write(dir+"/env/LIST.append", name)
	b.write(dir+"/env/LIST.delim", ",")
	b.write(step.LinksDir+"/"+name+"/version", name+" version\n")
	return step.Link{Name: name, Dir: b.path(dir)}
}

func TestOrderOfTheEnvironment(t *testing.T) {
	t.Run("platform, then links in file order, then the layer's own", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see("USER_VAR", "LINK", "BARE", "PLACE", "LIST", "OWN", "LAUNCH", "APP", "LAYER", "MD"))
		b.env = append(b.env, "USER_VAR=image", "LIST=image", "LINK=image", "APP=image")
		b.spec.Platform = []step.Variable{{Name: "LAYER", Value: "platform"}, {Name: "LINK", Value: "platform"}, {Name: "USER_VAR", Value: "platform"}}
		b.spec.Links = []step.Link{b.layer("one"), b.layer("two")}
		b.spec.Env = []step.EnvFile{
			{Dir: "env.build", Name: "OWN", Op: "append", Value: "build", Delim: "-"},
			{Dir: "env", Name: "OWN", Op: "override", Value: "both"},
			{Dir: "env", Name: "LIST", Op: "append", Value: "own", Delim: ";"},
			{Dir: "env", Name: "MD", Op: "override", Value: "own"},
			{Dir: "env.launch", Name: "LAUNCH", Op: "override", Value: "x"},
		}
		b.expect("USER_VAR=platform", "LINK=two", "BARE=two", "PLACE=two env.build", "LIST=image,one,two;own", "OWN=both-build",
			"LAUNCH unset", "APP=ROOT/workspace", "LAYER=ROOT/layers/app/modules", "MD=ROOT/packfile/out/md")
	})
	t.Run("folders of links go before the platform's paths, and our programs before all", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see("PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "PKG_CONFIG_PATH"))
		b.env = append(b.env, "CPATH=/image")
		b.spec.Platform = []step.Variable{{Name: "CPATH", Value: "/platform"}, {Name: "PATH", Value: "/platform"}}
		b.spec.Links = []step.Link{b.layer("one"), b.layer("two")}
		b.must(os.RemoveAll(b.path("/layers/app/two/lib")))
		b.must(os.RemoveAll(b.path("/layers/app/two/pkgconfig")))
		b.expect("PATH=ROOT/packfile/bin:ROOT/layers/app/two/bin:ROOT/layers/app/one/bin:/platform:/usr/local/bin:/usr/bin:/bin",
			"LD_LIBRARY_PATH=ROOT/layers/app/one/lib", "LIBRARY_PATH=ROOT/layers/app/one/lib",
			"CPATH=ROOT/layers/app/two/include:ROOT/layers/app/one/include:/platform:/image",
			"PKG_CONFIG_PATH=ROOT/layers/app/one/pkgconfig")
	})
	t.Run("the layer's own environment is not there before the layer is", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see("OWN", "LAYER"))
		b.spec.Env = []step.EnvFile{{Dir: "env", Name: "OWN", Op: "override", Value: "x"}}
		b.expect("OWN unset", "LAYER unset")
	})
	t.Run("caches are no layers", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see("PATH", "LINK", "DIR", "VERSION", "META"))
		link := b.layer("npm")
		link.Cache, link.PathAs, link.VersionAs, link.MetadataAs = true, "DIR", "VERSION", "META"
		b.spec.Links = []step.Link{link}
		b.expect("PATH=ROOT/packfile/bin:/usr/local/bin:/usr/bin:/bin", "LINK unset", "DIR=ROOT/layers/app/npm", "VERSION unset", "META unset")
	})
	t.Run("an image without PATH gets the usual one", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see("PATH"))
		b.env = append(b.env, "PATH=")
		b.expect("PATH=ROOT/packfile/bin:" + defaultPath)
	})
}

func TestVariablesOfLinks(t *testing.T) {
	names := []string{"DIR", "VERSION", "META"}
	as := func(link step.Link) step.Link {
		link.PathAs, link.VersionAs, link.MetadataAs = names[0], names[1], names[2]
		return link
	}
	t.Run("with content: folder, version and metadata that its run left", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see(names...))
		link := as(b.layer("one"))
		link.Metadata = metadata.Table{"version": "of the test"}
		b.spec.Links = []step.Link{link}
		b.expect("DIR=ROOT/layers/app/one", "VERSION=one version", "META=ROOT/packfile/links/one")
	})
	t.Run("without content: version and metadata that its test left", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see(names...) + `cd "$META" && find . -type f | sort && cat a/b`)
		b.env = append(b.env, "DIR=image")
		b.spec.Links = []step.Link{as(step.Link{Name: "one", Metadata: metadata.Table{"version": "1", "a": metadata.Table{"b": "c"}}})}
		b.expect("DIR unset", "VERSION=1", "META=ROOT/packfile/out/links/one", "./a/b", "./version", "c")
	})
	t.Run("without a version the variable is unset", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see(names...))
		b.env = append(b.env, "VERSION=image")
		b.spec.Links = []step.Link{as(step.Link{Name: "one"})}
		b.expect("DIR unset", "VERSION unset", "META=ROOT/packfile/out/links/one")
	})
	t.Run("with content and without a version too", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(see(names...))
		b.spec.Links = []step.Link{as(b.layer("one"))}
		b.must(os.Remove(b.path(step.LinksDir + "/one/version")))
		b.expect("DIR=ROOT/layers/app/one", "VERSION unset", "META=ROOT/packfile/links/one")
	})
	t.Run("a link without variables sets none", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see(names...))
		b.spec.Links = []step.Link{{Name: "one", Metadata: metadata.Table{"version": "1"}}}
		b.expect("DIR unset", "VERSION unset", "META unset")
	})
	t.Run("an env file that is no variable names the layer", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("")
		b.spec.Links = []step.Link{b.layer("one")}
		b.write("/layers/app/one/env/A", "\x00")
		b.fail(1, `environment of linked layer "one": `)
	})
}

func TestHome(t *testing.T) {
	for _, test := range []struct {
		name string
		home []string
		want string
	}{
		{"stays when it can be written to", nil, "ROOT/home"},
		{"is made when it is not set", []string{"HOME="}, "ROOT/tmp/home"},
		{"is made when it is the root folder", []string{"HOME=/"}, "ROOT/tmp/home"},
		{"is made when it does not exist", []string{"HOME=ROOT/none"}, "ROOT/tmp/home"},
		{"is made when it is not a path", []string{"HOME=home"}, "ROOT/tmp/home"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindTest).script(see("HOME") + `test -w "$HOME" && ls -ld "$HOME" | cut -c1-3`)
			for _, home := range test.home {
				b.env = append(b.env, strings.ReplaceAll(home, "ROOT", b.root))
			}
			b.expect("HOME="+test.want, "drw")
		})
	}
	t.Run("is made anew when something else has its place", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see("HOME"))
		b.env = append(b.env, "HOME=")
		b.symlink("/", "/tmp/home")
		if got := b.succeed().stdout; !strings.HasPrefix(got, "HOME="+b.path("/tmp/home")) || got == "HOME="+b.path("/tmp/home")+"\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("stays where nothing can be made", func(t *testing.T) {
		b := newBox(t, step.KindTest).script(see("HOME"))
		b.env = append(b.env, "HOME="+b.path("/none"))
		b.must(os.Remove(b.path("/tmp")))
		b.expect("HOME=ROOT/none")
	})
}

func TestScriptsDoNotSeeWhatBuildKitSetsForTracing(t *testing.T) {
	b := newBox(t, step.KindRun).script(see("TRACEPARENT", "TRACESTATE", "OTEL_TRACE_PARENT", "OTEL_TRACE_STATE", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"))
	b.env = append(b.env, "TRACEPARENT=00-b18a1f79915dd94f15357685027795f4-574d994f4f36c397-01", "TRACESTATE=a=b",
		"OTEL_TRACE_PARENT=00-b18a1f79915dd94f15357685027795f4-574d994f4f36c397-01", "OTEL_TRACE_STATE=a=b",
		"OTEL_TRACES_EXPORTER=none", // what the image says stays
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=unix:///dev/otel-grpc.sock", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc")
	b.expect("TRACEPARENT unset", "TRACESTATE unset", "OTEL_TRACE_PARENT unset", "OTEL_TRACE_STATE unset", "OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT unset", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL unset")
}
