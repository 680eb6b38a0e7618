package run

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/step"
)

// history has the record of a layer's last run on this builder, in HistoryDir, and the record of this run. It only serves
// to say why the step runs, and never fails a build. Scripts may have put anything into HistoryDir. Other steps may use
// it at the same time: all layers of the module share it, since a mount for each layer would cost more than all the
// writing.
type history struct {
	root   *os.Root // HistoryDir, as it was before the script
	file   string   // in it, of the layer
	record []byte   // of this run
}

// openHistory opens the history; it returns nil if there is none.
func (f *filler) openHistory() *history {
	record, err := os.ReadFile(filepath.Join(f.input, step.RecordFile))
	if err != nil {
		return nil
	}
	root, err := os.OpenRoot(f.history)
	if err != nil {
		return nil
	}
	return &history{root: root, file: f.spec.Layer + "-" + step.RecordFile, record: record}
}

func (h *history) close() {
	if h != nil {
		h.root.Close()
	}
}

// sayWhy prints why the layer's step runs again.
func (h *history) sayWhy(layer string) {
	if h == nil {
		return
	}
	old, err := h.last()
	if err != nil {
		return
	}
	new, err := layerkey.ParseRecord(h.record)
	if err != nil {
		return
	}
	why := layerkey.Why(layerkey.Changes(old, new))
	if why == "" {
		why = "nothing in its key changed since it ran here last; the app or a linked layer did, or the cache did not have it"
	}
	say(step.StepBinary, fmt.Sprintf("layer %q: %s", layer, why))
}

// last returns the record of the last run.
func (h *history) last() (layerkey.Record, error) {
	f, err := h.root.OpenFile(h.file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a fifo has no one who writes
	if err != nil {
		return layerkey.Record{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return layerkey.Record{}, errors.Join(fs.ErrInvalid, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, layerkey.MaxRecord+1))
	if err != nil {
		return layerkey.Record{}, err
	}
	return layerkey.ParseRecord(data)
}

// save writes the record of this run. Readers always see a complete record.
func (h *history) save() {
	if h == nil {
		return
	}
	// A unique name: another build may be writing too, and a killed build may have left its file.
	next := h.file + "." + rand.Text()
	f, err := h.root.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return
	}
	_, err = f.Write(h.record)
	if err = errors.Join(err, f.Close()); err == nil {
		err = h.root.Rename(next, h.file)
	}
	if err != nil {
		h.root.Remove(next)
	}
}
