package run

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

const historyFile = step.HistoryDir + "/modules-" + step.RecordFile

// newHistoryBox is a container for a run step with a record, on a builder that has not run it.
func newHistoryBox(t *testing.T) *box {
	b := newBox(t, step.KindRun).script("echo ran >&2")
	b.mkdir(step.HistoryDir)
	return b
}

// record is what the key of the step is made of, for a version.
func (b *box) record(version string) string {
	b.t.Helper()
	r := layerkey.Record{Name: "modules", Parts: layerkey.Parts{Layer: "/layers/app/modules", Version: version}}
	r.Files = map[string]string{"package.json": version}
	data, err := json.Marshal(r)
	b.must(err)
	b.write(step.SpecDir+"/"+step.RecordFile, string(data))
	return string(data)
}

// prints runs the step, which must succeed and print this before its script does.
func (b *box) prints(why string) {
	b.t.Helper()
	out := b.run()
	if why != "" {
		why = `packfile-step: layer "modules": ` + why + "\n"
	}
	if out.code != 0 || out.result == nil || out.stderr != why+"ran\n" {
		b.t.Errorf("exit code %d, it printed\n%swant\n%s", out.code, out.stderr, why)
	}
}

const nothingChanged = "nothing in its key changed since it ran here last; the app or a linked layer did, or the cache did not have it"

func TestAStepSaysWhyItRuns(t *testing.T) {
	b := newHistoryBox(t)
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	b.record(one)
	b.prints("") // the first time
	b.prints(nothingChanged)
	record := b.record(two)
	b.prints("version 111111111111… -> 222222222222… (package.json)")
	b.prints(nothingChanged)
	if got := b.read(historyFile); got != record {
		t.Errorf("the history holds %s", got)
	}

	t.Run("before scripts of caches too", func(t *testing.T) {
		b := newSetupBox(t)
		b.mkdir(step.HistoryDir)
		b.write(historyFile, b.record("1"))
		b.record("2")
		b.write(step.SpecDir+"/setup", "echo set up >&2")
		b.script("echo ran >&2")
		if got := b.run().stderr; !strings.HasPrefix(got, `packfile-step: layer "modules": version 1 -> 2`+"\nset up\n") {
			t.Errorf("it printed\n%s", got)
		}
	})
	t.Run("but a run that failed is not the last one", func(t *testing.T) {
		b.record(one)
		b.script("exit 1").fail(1, "version 222222222222… -> 111111111111… (package.json)")
		b.script("echo ran >&2").prints("version 222222222222… -> 111111111111… (package.json)")
	})
	t.Run("unless it has no record", func(t *testing.T) {
		b.must(os.Remove(b.path(step.SpecDir + "/" + step.RecordFile)))
		before := b.read(historyFile)
		b.prints("")
		if b.read(historyFile) != before {
			t.Error("the history has changed")
		}
	})
	t.Run("or no history", func(t *testing.T) {
		b.record(two)
		b.must(os.RemoveAll(b.path(step.HistoryDir)))
		b.prints("")
		if b.exists(step.HistoryDir) {
			t.Error("a history was made")
		}
	})
	t.Run("or is of another kind", func(t *testing.T) {
		b := newBox(t, step.KindTest).script("true")
		b.mkdir(step.HistoryDir)
		b.record("1")
		b.succeed()
		if b.exists(historyFile) {
			t.Error("a test step left a record")
		}
	})
}

func TestAHistoryThatIsNoneHarmsNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(b *box)
		stays bool // and cannot be replaced
	}{
		{name: "no JSON", make: func(b *box) { b.write(historyFile, "{") }},
		{name: "a record that no one would write", make: func(b *box) {
			b.write(historyFile, `{"name": "modules", "parts": {"layer": "/layers/app/modules", "metadata": {"a": 1}}}`)
		}},
		{name: "a record that is too large", make: func(b *box) {
			b.write(historyFile, b.record("old")+strings.Repeat(" ", layerkey.MaxRecord))
		}},
		{name: "a fifo", make: func(b *box) { b.must(syscall.Mkfifo(b.path(historyFile), 0o644)) }},
		{name: "a symlink to a file outside", make: func(b *box) { b.symlink(b.path("/precious"), historyFile) }},
		{name: "a symlink that leads up", make: func(b *box) { b.symlink("../../precious", historyFile) }},
		{name: "a folder", make: func(b *box) { b.write(historyFile+"/file", "") }, stays: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newHistoryBox(t)
			b.write("/precious", b.record("precious"))
			precious := b.read("/precious")
			test.make(b)
			record := b.record("1")
			b.prints("")
			if b.read("/precious") != precious {
				t.Error("a link was followed")
			}
			if test.stays {
				b.prints("")
			} else if b.read(historyFile) != record {
				t.Error("the record was not written")
			} else {
				b.prints(nothingChanged)
			}
			b.onlyRecord()
		})
	}
	t.Run("nor does a script that puts a symlink in its place", func(t *testing.T) {
		b := newHistoryBox(t)
		b.record("1")
		b.mkdir("/elsewhere")
		b.script("rm -r " + b.path(step.HistoryDir) + "; ln -s ../elsewhere " + b.path(step.HistoryDir))
		b.succeed()
		if b.exists("/elsewhere/modules-" + step.RecordFile) {
			t.Error("the link was followed")
		}
	})
	t.Run("nor does one that no one may write to", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root can write to every folder")
		}
		b := newHistoryBox(t)
		b.record("1")
		b.must(os.Chmod(b.path(step.HistoryDir), 0o555))
		b.prints("")
	})
}

// onlyRecord checks that nothing is left of writing the record.
func (b *box) onlyRecord() {
	b.t.Helper()
	entries, err := os.ReadDir(b.path(step.HistoryDir))
	b.must(err)
	if len(entries) != 1 || entries[0].Name() != "modules-"+step.RecordFile {
		b.t.Errorf("the history holds %v", entries)
	}
}

func TestBuildsThatWriteTheHistoryAtTheSameTime(t *testing.T) {
	b := newHistoryBox(t)
	root, err := os.OpenRoot(b.path(step.HistoryDir))
	b.must(err)
	defer root.Close()
	var records []history
	for _, version := range []string{"1", strings.Repeat("2", 100_000)} {
		records = append(records, history{root: root, file: "modules-" + step.RecordFile, record: []byte(b.record(version))})
	}
	records[0].save()
	var builds sync.WaitGroup
	for _, h := range records {
		builds.Go(func() {
			for range 200 {
				h.save()
				if _, err := h.last(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	builds.Wait()
	b.onlyRecord()
}
