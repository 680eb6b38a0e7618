package run

import (
	"path/filepath"

	"github.com/packfile/frontend/archive"
	"github.com/packfile/frontend/step"
)

// unpack makes a folder of a module archive.
//
// What is wrong with it is an answer, and no failure of the step: so it can be said where the archive is named.
func (r *runner) unpack() error {
	err := archive.Unpack(r.archive, filepath.Join(r.out, step.UnpackedDir))
	if err == nil || archive.OfTheMachine(err) {
		return err
	}
	return r.report(step.Result{Unpacked: step.Unpacked{Refused: err.Error()}})
}
