package image_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

// Checks of the images of builds.

// older returns an image as older frontends pushed it, with links told apart by their names.
func (img *built) older(t *testing.T, w *world) *built {
	label := img.label(t)
	for i := range label.Layers {
		r := &label.Layers[i]
		links := map[string]string{}
		for j := range r.Parts.Links {
			k := &r.Parts.Links[j]
			k.Exposed = false
			if content, ok := r.Links[target(*r, *k)]; ok {
				links[k.Name] = content
			}
		}
		r.Links = links
		var err error
		if r.Key, err = r.Parts.Key(); err != nil {
			t.Fatal(err)
		}
	}
	return img.labelled(t, label)
}

// olderTime is the default time of older frontends, and that of the lifecycle.
const olderTime = 315532801

// withOlderTime returns an image as frontends pushed it whose default time was olderTime: the contents in its label are those that
// layers have with that time.
func (img *built) withOlderTime(t *testing.T) *built {
	label := img.label(t)
	records := map[string]layerkey.Record{}
	for i := range label.Layers {
		r := &label.Layers[i]
		r.Content = digest.FromString("older " + r.Content).String() // of a layer that the image does not have
		if r.DiffID != "" {
			r.Content = img.alone(r.Parts.Layer).timed(olderTime).digest(true)
		}
		records[r.Parts.Layer] = *r
	}
	for _, r := range label.Layers {
		for at := range r.Links {
			r.Links[at] = shown(t, r, at, records[at])
		}
	}
	old := img.labelled(t, label)
	old.aged = true
	return old
}

// labelled returns an image with another label.
func (img *built) labelled(t *testing.T, label layerkey.Label) *built {
	data, err := json.Marshal(label)
	if err != nil {
		t.Fatal(err)
	}
	other, config := *img, *img.config
	config.Config.Labels = maps.Clone(config.Config.Labels)
	config.Config.Labels[layerkey.LabelName] = string(data)
	other.config = &config
	return &other
}

// withoutContents returns an image whose label does not say what layers hold.
func (img *built) withoutContents(t *testing.T) *built {
	label := img.label(t)
	for i := range label.Layers {
		label.Layers[i].Content, label.Layers[i].Links = "", nil
	}
	return img.labelled(t, label)
}

// alone returns the layer of an image at LAYER, with any time.
func (img *built) alone(dir string) tree {
	alone := tree{}
	alone.put(dir, img.files.sub(dir), 0)
	return alone
}

// shown returns what the label says that a layer saw of the one at LAYER at, which it links.
func shown(t *testing.T, r layerkey.Record, at string, linked layerkey.Record) string {
	for _, k := range r.Parts.Links {
		if target(r, k) == at && (k.VersionAs != "" || k.MetadataAs != "") {
			both, err := layerkey.DigestJSON(linked.Content, linked.Metadata)
			if err != nil {
				t.Fatal(err)
			}
			return both
		}
	}
	return linked.Content
}

// mixed returns the image with another's file in the folder of one of its layers.
func (img *built) mixed(r *rand.Rand) *built {
	mixed := *img
	mixed.files = maps.Clone(img.files)
	name := pick(r, slices.Sorted(maps.Keys(img.files))...)
	mixed.files[path.Join(path.Dir(name), "other")] = entry{data: "another's"}
	return &mixed
}

func (img *built) label(t *testing.T) layerkey.Label {
	label, err := layerkey.ParseLabel(img.config.Config.Labels[layerkey.LabelName])
	if err != nil {
		t.Fatal(err)
	}
	return label
}

// target returns LAYER of a layer's link.
func target(r layerkey.Record, k layerkey.Link) string {
	if k.Layer != "" {
		return k.Layer
	}
	return path.Join(path.Dir(r.Parts.Layer), k.Name)
}

// untrue returns what is not so of what the label of an image says of its layers, or of what their files say of each other.
func (img *built) untrue(t *testing.T) (lies []string) {
	say := func(format string, args ...any) { lies = append(lies, fmt.Sprintf(format, args...)) }
	label := img.label(t)
	records := map[string]layerkey.Record{}
	for _, r := range label.Layers {
		records[r.Parts.Layer] = r
	}
	ids := map[string]bool{}
	for _, layer := range img.layers {
		ids[layer.digest(true)] = true
		for name, e := range layer {
			want := label.Time
			if name == step.AppDir || strings.HasPrefix(name, step.AppDir+"/") {
				want = img.appTime
			}
			if e.time != want {
				say("%s has time %d", name, e.time)
			}
		}
	}
	seen := map[string]string{} // what the layers of the image saw of each other layer
	for dir, r := range records {
		if ran, ok := img.ran[dir]; ok && r.Content != ran.digest(true) {
			say("%s was run in this build, and left something else", dir)
		}
		made := img.files.sub(dir)
		for name, saw := range made.sub("/saw") {
			if other, ok := seen[name]; ok && other != saw.data {
				say("the layers of the image saw two contents of %s", name)
			}
			seen[name] = saw.data
		}
		if r.DiffID != "" && !ids[r.DiffID] {
			say("the image has no layer %s of %s", r.DiffID, dir)
		}
		if (r.DiffID != "") != (len(made) > 0) {
			say("%s is in the image: %t", dir, len(made) > 0)
		}
		if told, ok := r.Metadata["told"]; ok && r.DiffID != "" && told != made["/made"].data {
			say("%s tells of another run", dir)
		}
		if r.DiffID != "" {
			alone := img.alone(dir)
			older := img.aged && alone.timed(olderTime).digest(true) == r.Content
			if !older && alone.timed(step.DefaultTime).digest(true) != r.Content {
				say("content of %s", dir)
			}
		}
		for at, content := range r.Links {
			linked, ok := records[at]
			if !ok {
				say("%s saw %s, which was not made", dir, at)
				continue
			}
			if content != shown(t, r, at, linked) {
				say("%s did not see %s as it is", dir, at)
			}
			saw, looked := made["/saw/"+strings.ReplaceAll(at, "/", "_")]
			if r.DiffID != "" && linked.DiffID != "" && looked && saw.data != img.files.sub(at).digest(false) {
				say("%s was made with another %s than the image has", dir, at)
			}
		}
	}
	return lies
}

// differences returns the differences between two images, none when they are the same. Contents that the label of an older frontend
// gives layers do not count.
func (h *history) differences(a, b *built) []string {
	if h.aged && h.world.pinned {
		a, b = a.withoutContents(h.t), b.withoutContents(h.t)
	}
	return differences(a, b)
}

// differences returns the differences between two images, none when they are the same.
func differences(a, b *built) (all []string) {
	names := map[string]bool{}
	for _, files := range []tree{a.files, b.files} {
		for name := range files {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a.files[name] != b.files[name] {
			all = append(all, "file "+name)
		}
	}
	x, _ := json.MarshalIndent(a.config, "", " ")
	y, _ := json.MarshalIndent(b.config, "", " ")
	if len(all) == 0 && string(x) != string(y) {
		all = append(all, "config")
		for i, line := range strings.Split(string(x), "\n") {
			if other := strings.Split(string(y), "\n"); i >= len(other) || line != other[i] {
				all = append(all, "  "+line)
			}
		}
	}
	return all
}

// called returns the LAYER of layers, by their names in messages.
func (w *world) called() map[string]string {
	dirs := map[string]string{}
	for _, m := range w.modules {
		for _, l := range m.layers {
			id, shown := m.id, l.name
			if len(w.modules) > 1 && id != "" {
				shown = id + "/" + l.name
			}
			if id == "" {
				id = "packfile"
			}
			dirs[shown] = path.Join(step.LayersDir, strings.ReplaceAll(id, "/", "_"), l.name)
		}
	}
	return dirs
}

// rebuilt returns the layers of an image that have a version, and that a build with the image as the previous one built again.
func (img *built) rebuilt(t *testing.T, w *world, again *built) (names []string) {
	records := map[string]layerkey.Record{}
	for _, r := range img.label(t).Layers {
		records[r.Parts.Layer] = r
	}
	dirs := w.called()
	for name, action := range again.actions {
		r := records[dirs[name]]
		if action == graph.Made && r.Parts.Version != "" && !r.Parts.LockApp {
			names = append(names, name)
		}
	}
	return names
}
