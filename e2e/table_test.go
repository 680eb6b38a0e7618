package e2e

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// The table of what comes back (docs/caching.md): for every combination of export, expose and store, whether the version
// matches, whether a layer that is built again links it, and what the builder has.

// cell is a layer in one build for all of them.
type cell struct {
	export, expose, store bool
	match                 bool // its version is still the same in the second build
	linked                bool // by a layer that is built again
}

func (c cell) String() string {
	name := ""
	for _, flag := range []struct {
		set  bool
		name string
	}{{c.export, "export"}, {c.expose, "expose"}, {c.store, "store"}, {c.match, "match"}, {!c.match, "mismatch"}, {c.linked, "linked"}} {
		if flag.set {
			name += flag.name + "-"
		}
	}
	return strings.TrimSuffix(name, "-")
}

func cells() (all []cell) {
	for i := range 32 {
		all = append(all, cell{match: i&1 == 0, linked: i&2 == 0, export: i&4 == 0, expose: i&8 == 0, store: i&16 == 0})
	}
	return all
}

// packfile has the cell's layer.
func (c cell) packfile() string {
	lock := "bumped.lock"
	if c.match {
		lock = "stable.lock"
	}
	return testbed.Tables(testbed.Layer(c.String()).With("export", c.export, "expose", c.expose, "store", c.store).
		Match(lock).Run("cat /proc/sys/kernel/random/uuid > $LAYER/id"))
}

// user is the layer that links it and is built again, "" for none.
func (c cell) user() string {
	if !c.linked {
		return ""
	}
	return fmt.Sprintf(testbed.Tables(
		testbed.Layer("user-of-%[1]s").Export().Match("bumped.lock").Run("cp $SUBJECT/id $LAYER/seen").
			Link("%[1]s", "path-as", "SUBJECT"),
	), c)
}

func TestWhatComesBack(t *testing.T) {
	t.Parallel()
	text := sh
	for _, c := range cells() {
		text += c.packfile()
	}
	for _, c := range cells() {
		text += c.user()
	}
	dir := files(t, map[string]string{"packfile.toml": text, "stable.lock": rand.Text(), "bumped.lock": rand.Text()})
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	write(t, dir, map[string]string{"bumped.lock": rand.Text()})

	p := newProxy(t)
	for _, builder := range []struct {
		name string
		request
		empty bool
	}{
		{"warm cache", request{dir: dir}, false},
		{"empty builder with previous image", request{dir: dir, host: secondDaemon(t), previous: p.Image(first.name)}, true},
		{"empty builder", request{dir: dir, host: secondDaemon(t)}, true},
	} {
		b, second := builder.pushTo(t, p.Image(imageName(t)))
		for _, c := range cells() {
			t.Run(builder.name+"/"+c.String(), func(t *testing.T) {
				vertex := "[" + c.String() + "] run"
				reused := c.match && c.export && builder.previous != ""
				// A layer that is not in the image cannot be had from it: it is built when something needs it.
				kept := c.match && !c.export && !c.linked && builder.previous != ""
				cached := c.match && !builder.empty
				ran := b.didRun(vertex)
				if want := !reused && !kept && !cached; ran != want {
					t.Errorf("its run step ran: %t, want %t", ran, want)
				}
				if ran && c.match && builder.previous != "" {
					contains(t, b.log, vertex+" (a layer that is built links it)")
				}
				if c.linked && !b.ran(t, "[user-of-"+c.String()+"] run") {
					t.Error("the layer that links it was not built again: this tests nothing")
				}
				origin := "layer " + c.String()
				if got := slices.Contains(second.origins(), origin); got != c.export {
					t.Errorf("it is in the image: %t, want %t", got, c.export)
				}
				if !c.export {
					return
				}
				was, is := first.blob(t, origin).Digest, second.blob(t, origin).Digest
				if same := was == is; same != (reused || cached) {
					t.Errorf("it was %s and is %s", was, is)
				}
				if builder.previous == "" {
					return
				}
				if pulled := pulled(p, was.String()) > 0; pulled != (c.match && c.linked) {
					t.Errorf("its blob was pulled: %t", pulled)
				}
			})
		}
	}
}
