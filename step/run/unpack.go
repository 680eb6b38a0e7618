package run

import (
	"path/filepath"

	"github.com/packfile/frontend/archive"
	"github.com/packfile/frontend/step"
)

// unpack unpacks a module archive into a folder.
//
// A refusal is an answer, and no failure of the step: so the frontend can report it at the place that names the archive.
func (r *runner) unpack() error {
	err := archive.Unpack(r.archive, filepath.Join(r.out, step.UnpackedDir))
	if err == nil || archive.OfTheMachine(err) {
		return err
	}
	return r.report(step.Result{Unpacked: step.Unpacked{Refused: err.Error()}})
}
