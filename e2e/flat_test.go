package e2e

import (
	"archive/tar"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
)

// Daemons that cannot merge layers without copying, such as that of a Docker Engine without the containerd image store.

// lesserFrontend is the frontend of a daemon that lacks capabilities, as an image: this test's own code on top of the image
// of the environment.
func lesserFrontend(t *testing.T, lacks ...apicaps.CapID) string {
	t.Helper()
	dir := t.TempDir()
	build := command(t, "go", "build", "-o", filepath.Join(dir, "lesser"), "./lesser/frontend")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := run(build); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dockerfile(t, dir, fmt.Sprintf("FROM %s\nCOPY lesser /\nENV LACKS=%q\nENTRYPOINT [\"/lesser\"]\n",
		env.frontend, strings.Trim(fmt.Sprint(lacks), "[]")))
}

// dockerfile pushes what a Dockerfile makes of a folder.
func dockerfile(t *testing.T, dir, text string) string {
	t.Helper()
	name := imageName(t)
	write(t, dir, map[string]string{"Dockerfile": text})
	must(t, "buildctl", "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir,
		"--output=type=image,push=true,name="+name)
	return name
}

// occupied is a run image that has some of the app image's files and folders already, of other owners and kinds.
func occupied(t *testing.T) string {
	t.Helper()
	return dockerfile(t, t.TempDir(), "FROM "+env.busybox+`
USER 0:0
RUN mkdir -p /layers/packfile/own/deep /workspace/static /workspace/folder /elsewhere \
 && chmod 700 /layers /layers/packfile/own && chown 7:7 /workspace \
 && for f in /layers/packfile/own/file /layers/packfile/own/deep/er /workspace/folder/file \
    /workspace/file /workspace/stays /elsewhere/file; do echo run image > $f; chown 8:8 $f; done \
 && ln -s elsewhere /cnb
USER 1000:1000
`)
}

// manyFiles has layers with every kind of file.
var manyFiles = testbed.Tables(
	testbed.Process("web", "true"),
	testbed.Slice("static"),
	testbed.Slice("nothing-*"),
	testbed.Slice("nothing-*"),
	testbed.Layer("own").Export().Version("1").Run(`
cd $LAYER
mkdir -p deep/er/est bin empty
for f in file deep/er/est/file deep/er/hard bin/setuid bin/secret; do echo $f > $f; done
ln deep/er/hard bin/hard
ln -s ../deep/er/hard bin/link
ln -s /nowhere bin/dangling
mkfifo bin/pipe
if [ $(id -u) = 0 ]; then chown -R 5:6 deep/er bin/setuid; chown -h 5:6 bin/link; fi
chmod 4755 bin/setuid
chmod 600 bin/secret
chmod 2750 deep/er
chmod 1777 empty
`).
		Env("launch", "A", "a"),
	testbed.Layer("linked").Export().Version("linked-1").Run(`
cp -a $OWN $LAYER/copy
find $OWN -exec stat -c '%N %f %u:%g %h %Y' {} + | sort > $LAYER/seen
`).
		Link("own", "path-as", "OWN"),
	testbed.Layer("hidden").Version("1").Run("echo hidden > $LAYER/file"),
)

func TestImageIsTheSameWhereLayersCannotBeMerged(t *testing.T) {
	t.Parallel()
	frontend, runImage := lesserFrontend(t, pb.CapMergeOp, pb.CapDiffOp), occupied(t)
	for name, test := range map[string]struct {
		user string
		opts map[string]string
	}{
		"as root":                        {"0:0", nil},
		"as another user":                {"1000:1000", nil},
		"with files of a time":           {"1000:1000", map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1000000000"}},
		"with the app's files of a time": {"1000:1000", map[string]string{"build-arg:PACKFILE_APP_TIME": "1000000000"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packfile := sh + fmt.Sprintf("user = %q\ndescription = %q\n", test.user, rand.Text()) +
				"image.volumes = ['/new/deep', '/workspace/new']\nenv.launch = [{ name = 'A', value = 'a' }]\n" + manyFiles
			dir := files(t, map[string]string{
				"packfile.toml": packfile, "main.txt": "main", "static/a/b.css": "b",
				"folder": "no folder here", "file/x": "a folder here",
			})
			merging := request{dir: dir, runImg: runImage, opts: test.opts}
			merged := merging.export(t)
			previous := merging.push(t)
			flat := merging
			flat.opts = map[string]string{"source": frontend}
			maps.Copy(flat.opts, test.opts)
			copied := flat.export(t)
			sameImage(t, copied, merged)

			flat.host, flat.previous = otherDaemon(t), previous
			reused := flat.export(t)
			reused.built.wantRuns(t, []string{"own", "linked", "hidden"})
			contains(t, reused.built.log, "[own] reused from the previous image", "[linked] reused from the previous image")
			sameImage(t, reused, merged)
			equal(t, "diff ids of copies that two daemons made", reused.RootFS, copied.RootFS)

			write(t, dir, map[string]string{"packfile.toml": strings.Replace(packfile, "linked-1", "linked-2", 1)})
			partly := flat.export(t)
			partly.built.wantRuns(t, []string{"own", "linked", "hidden"}, "linked")
			sameImage(t, partly, merging.export(t))
		})
	}
}

// sameImage fails unless an image that was put together by copying is the one that was merged.
func sameImage(t *testing.T, copied, merged image) {
	t.Helper()
	equal(t, "layers", origins(copied.layers), origins(merged.layers))
	equal(t, "history", copied.History, merged.History)

	// The label is the same, without digests that layers would have if they were merged.
	was, is := labelOf(t, merged), labelOf(t, copied)
	for i := range was.Layers {
		was.Layers[i].DiffID = ""
	}
	equal(t, "label", is, was)
	wantConfig, gotConfig := merged.Config, copied.Config
	wantConfig.Labels, gotConfig.Labels = nil, nil
	equal(t, "config", gotConfig, wantConfig)

	want, got := flattened(merged.layers), flattened(copied.layers)
	equal(t, "paths", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	for name, w := range want {
		if diff := cmp.Diff(w, got[name], cmp.AllowUnexported(file{})); diff != "" {
			t.Errorf("%s (-merged +copied):\n%s", name, diff)
		}
	}
}

func labelOf(t *testing.T, img image) layerkey.Label {
	t.Helper()
	label, err := layerkey.ParseLabel(img.Config.Labels[layerkey.LabelName])
	if err != nil {
		t.Fatal(err)
	}
	return label
}

// flattened is what layers make together, by path (OCI image-spec, "Applying Changesets").
func flattened(layers []imageLayer) map[string]file {
	all := map[string]file{}
	below := func(folder string) {
		maps.DeleteFunc(all, func(name string, _ file) bool { return strings.HasPrefix(name, folder+"/") })
	}
	for _, l := range layers {
		names := slices.Sorted(maps.Keys(l.files))
		for _, name := range names {
			folder, base := path.Split(name)
			if base == ".wh..wh..opq" {
				below(path.Clean(folder))
			} else if hidden, ok := strings.CutPrefix(base, ".wh."); ok {
				delete(all, folder+hidden)
				below(folder + hidden)
			}
		}
		for _, name := range names {
			if strings.HasPrefix(path.Base(name), ".wh.") {
				continue
			}
			if l.files[name].Typeflag != tar.TypeDir {
				below(name)
			}
			all[name] = l.files[name]
		}
	}
	return all
}
