package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/packfile/frontend/internal/testbed"
)

// The matrix: an image is a function of its inputs. Every example, and a packfile with something of everything, is built
// under each condition that must not show in an image, and the digests of layers, config and manifest are compared with
// those of the first build.

// project is a column: what is built.
type project struct {
	name       string
	source     string // folder that checkouts are copies of
	build, run string // images
}

// condition is a row: how it is built.
type condition struct {
	name     string
	host     string // daemon
	checkout checkout
	output   string                      // type of an archive; "" for an image that is pushed
	change   func(p project, r *request) // what else is different
	like     string                      // the row that it has to be equal with; "" for the first
	unlike   string                      // a row that it must not be equal with
	// proof says why the log of a build does not prove that it was made under the condition. What was cached proves nothing.
	proof func(p project, b built) error
}

// matrix is the conditions that were tried.
type matrix struct {
	projects []project
	frontend string // by digest: others may push another one meanwhile
	rows     []string

	mu     sync.Mutex
	images map[string]map[string]identity // by row and column
	cells  map[string]map[string]string
	ran    map[string][]string // run steps that the first build of a project executed
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{
		frontend: pinned(t, env.frontend),
		images:   map[string]map[string]identity{},
		cells:    map[string]map[string]string{},
		ran:      map[string][]string{},
	}
	debian := offlineImage(t)
	m.projects = append(m.projects, project{"synthetic", syntheticProject(t), env.busybox, env.busybox},
		project{"packages", greetingApp(t, debian, greeters()...), debian, debian})
	for _, name := range slices.Sorted(maps.Keys(examples())) {
		e := examples()[name]
		m.projects = append(m.projects, project{name, filepath.Join("../examples", name), e.build, e.run})
	}
	return m
}

// try builds all projects under a condition.
func (m *matrix) try(t *testing.T, c condition) {
	m.rows = append(m.rows, c.name)
	m.images[c.name], m.cells[c.name] = map[string]identity{}, map[string]string{}
	t.Run(c.name, func(t *testing.T) {
		for _, p := range m.projects {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				m.set(c.name, p.name, identity{}, "NOT BUILT")
				img := m.build(t, c, p)
				cell := m.judge(c, p, img)
				m.set(c.name, p.name, img, cell)
				if cell != equalCell && c.like != c.name {
					t.Errorf("%s", cell)
				}
			})
		}
	})
}

func (m *matrix) set(row, column string, img identity, cell string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images[row][column], m.cells[row][column] = img, cell
}

// build is what a project becomes under a condition.
func (m *matrix) build(t *testing.T, c condition, p project) identity {
	t.Helper()
	r := request{
		dir: checkOut(t, p.source, c.checkout), host: c.host, buildImg: p.build, runImg: p.run,
		opts: map[string]string{"source": m.frontend},
	}
	if ca := os.Getenv("PACKFILE_CA_CERTIFICATES"); ca != "" {
		r.args = append(r.args, "--secret", "id=ca-certificates,src="+ca)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if c.output == "" {
		r.image = m.image(c.name, p)
	} else {
		r.output = "type=" + c.output + ",dest=" + archive
	}
	if c.change != nil {
		c.change(p, &r)
	}
	b := r.build(t)
	if c.proof != nil {
		if err := c.proof(p, b); err != nil {
			t.Fatalf("%v\n%s", err, b.log)
		}
	}
	if c.output == "" {
		return pushedIdentity(t, r.image)
	}
	return archivedIdentity(t, archive)
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// image is what a project is pushed as.
func (m *matrix) image(row string, p project) string {
	registry, _, _ := strings.Cut(env.frontend, "/")
	return fmt.Sprintf("%s/matrix/%d/%s:%s", registry, os.Getpid(), p.name, strings.Trim(notInName.ReplaceAllString(strings.ToLower(row), "-"), "-"))
}

const equalCell = "equal"

// judge compares an image with those that it must and must not be equal with.
func (m *matrix) judge(c condition, p project, img identity) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.unlike != "" && len(m.images[c.unlike][p.name].differences(img)) == 0 {
		return "UNCHANGED: the condition did nothing"
	}
	if c.like == c.name {
		return strings.TrimPrefix(img.manifest.String(), "sha256:")[:12]
	}
	if different := m.images[or(c.like, m.rows[0])][p.name].differences(img); len(different) > 0 {
		return "DIFFERENT: " + strings.Join(different, ", ")
	}
	return equalCell
}

// table is the matrix as people read it.
func (m *matrix) table() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, p := range m.projects {
		fmt.Fprintf(w, "\t%s", p.name)
	}
	for _, row := range m.rows {
		fmt.Fprintf(w, "\n%s", row)
		for _, p := range m.projects {
			fmt.Fprintf(w, "\t%s", or(m.cells[row][p.name], "NOT BUILT"))
		}
	}
	fmt.Fprintln(w)
	w.Flush()
	return text.String()
}

// Conditions on how a build ran, from its log.

// ranAll: what the first build executed was executed again.
func (m *matrix) ranAll(p project, b built) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if got, want := b.runSteps(), m.ran[p.name]; !slices.Equal(got, want) {
		return fmt.Errorf("executed %q, want %q", got, want)
	}
	return nil
}

// ranFirst notes what a build executed, for others to be compared with.
func (m *matrix) ranFirst(p project, b built) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ran[p.name] = b.runSteps(); len(m.ran[p.name]) == 0 {
		return fmt.Errorf("nothing was executed")
	}
	return nil
}

// ranNone: all run steps were found in the cache.
func (m *matrix) ranNone(_ project, b built) error {
	if got := b.runSteps(); len(got) > 0 {
		return fmt.Errorf("executed %q", got)
	}
	return nil
}

var reusedVertex = regexp.MustCompile(`^(\[[^\]]+\]) reused from the previous image`)

// reusedLayers: layers were taken over, and none of them was built.
func (m *matrix) reusedLayers(_ project, b built) error {
	reused := 0
	for _, v := range b.progress.Vertices() {
		layer := reusedVertex.FindStringSubmatch(v.Name)
		if layer == nil {
			continue
		}
		reused++
		if slices.Contains(b.runSteps(), layer[1]+" run") {
			return fmt.Errorf("%s was reused and built", layer[1])
		}
	}
	if reused == 0 {
		return fmt.Errorf("nothing was reused")
	}
	return nil
}

// ranViews: the layers that see a checkout through a keyed view were built with this one.
func (m *matrix) ranViews(p project, b built) error {
	for _, step := range map[string][]string{
		"synthetic": {"[test.example/everything/files] run", "[test.example/everything/seen] run"},
		"static":    {"[example/static/server] run"},
	}[p.name] {
		if !slices.Contains(b.runSteps(), step) {
			return fmt.Errorf("%s was not executed", step)
		}
	}
	return nil
}

var runStep = regexp.MustCompile(`^(\[[^\]]+\] run)( \(.*\))?$`)

// runSteps are those that a build executed.
func (b built) runSteps() []string {
	var steps []string
	for _, v := range b.progress.Vertices() {
		if m := runStep.FindStringSubmatch(v.Name); m != nil && v.Ran() {
			steps = append(steps, m[1])
		}
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

// elsewhere starts a program with another host name, time zone and umask. It takes root to have another host name.
func elsewhere() []string {
	by := []string{"env", "TZ=Pacific/Chatham", "LC_ALL=tr_TR.UTF-8", "sh", "-c", `umask 077; exec "$@"`, "sh"}
	if os.Getuid() == 0 {
		by = append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere.example; exec "$@"`, "sh"}, by...)
	}
	return by
}

// pinned is an image by its digest.
func pinned(t *testing.T, image string) string {
	t.Helper()
	return image[:strings.LastIndex(image, ":")] + "@" + readImage(t, image).Digest.String()
}

// on runs a part of the matrix with a daemon of its own, which has never built anything.
func (m *matrix) on(t *testing.T, kind string, by []string, try func(host string)) {
	d, err := testbed.StartDaemon(t.Context(), kind, by...)
	if err != nil {
		t.Error(err) // the rows are missing in the table
		return
	}
	defer d.Stop()
	try(d.Address)
}

func TestImageIsAFunctionOfItsInputs(t *testing.T) {
	if daemonKind() != "overlayfs" {
		t.Skip("it starts daemons of all kinds itself, and is part of make test")
	}
	t.Parallel()
	m := newMatrix(t)
	defer func() {
		t.Logf("\n%s", m.table())
		if file := os.Getenv("PACKFILE_MATRIX"); file != "" {
			if err := os.WriteFile(file, []byte(m.table()), 0o644); err != nil {
				t.Error(err)
			}
		}
	}()
	const reference, withEpoch, withAppTime = "reference", "SOURCE_DATE_EPOCH", "PACKFILE_APP_TIME"
	cache := func(p project) string { return m.image("cache", p) }
	option := func(name, value string) func(project, *request) {
		return func(_ project, r *request) { r.opts[name] = value }
	}
	epoch := option("build-arg:SOURCE_DATE_EPOCH", "1700000000")
	appTime := option("build-arg:PACKFILE_APP_TIME", "1600000000")
	previous := func(p project, r *request) { r.previous = m.image(reference, p) }

	m.on(t, "overlayfs", nil, func(host string) {
		m.try(t, condition{
			name: reference, host: host, like: reference, proof: m.ranFirst,
			change: func(p project, r *request) {
				r.args = append(r.args, "--export-cache", "type=registry,mode=max,ref="+cache(p))
			},
		})
		m.try(t, condition{name: "--no-cache", host: host, change: option("no-cache", ""), proof: m.ranAll})
		// As another project this has no view of the first checkout, which another build left.
		m.try(t, condition{
			name: "umask 077, old files, other owner", host: host, checkout: checkout{umask: 0o077, age: 1000 * time.Hour, owner: 1234},
			change: option("build-arg:PACKFILE_APP", "umask 077"), proof: m.ranViews,
		})
		m.try(t, condition{name: "type=oci", host: host, output: "oci"})
		m.try(t, condition{name: "type=docker", host: host, output: "docker"})
		m.try(t, condition{name: withEpoch, host: host, change: epoch, like: withEpoch, unlike: reference})
		m.try(t, condition{name: withAppTime, host: host, change: appTime, like: withAppTime, unlike: reference})
	})
	m.on(t, "overlayfs", elsewhere(), func(host string) {
		m.try(t, condition{
			name: "other daemon, host name, time zone, umask", host: host, proof: m.ranAll,
			change: func(_ project, r *request) { r.by = elsewhere() },
		})
		m.try(t, condition{name: withEpoch + ", other daemon", host: host, change: epoch, like: withEpoch})
		m.try(t, condition{name: withAppTime + ", other daemon", host: host, change: appTime, like: withAppTime})
	})
	m.on(t, "overlayfs", nil, func(host string) {
		m.try(t, condition{
			name: "other daemon, imported cache", host: host, proof: m.ranNone,
			change: func(p project, r *request) {
				r.args = append(r.args, "--import-cache", "type=registry,ref="+cache(p))
			},
		})
	})
	m.on(t, "overlayfs", nil, func(host string) {
		m.try(t, condition{name: "other daemon, previous image", host: host, change: previous, proof: m.reusedLayers})
		m.try(t, condition{
			name: withEpoch + ", previous image without", host: host, like: withEpoch, proof: m.reusedLayers,
			change: func(p project, r *request) { epoch(p, r); previous(p, r) },
		})
	})
	m.on(t, "rootless-overlayfs", nil, func(host string) {
		m.try(t, condition{name: "rootless, umask 002, new files", host: host, proof: m.ranAll, checkout: checkout{umask: 0o002, age: -time.Hour}})
		m.try(t, condition{name: withEpoch + ", rootless", host: host, change: epoch, like: withEpoch})
	})
	m.on(t, "native", nil, func(host string) {
		m.try(t, condition{name: "native snapshotter", host: host, proof: m.ranAll})
	})
}
