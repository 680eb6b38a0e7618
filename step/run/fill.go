package run

import (
	"os"

	"github.com/packfile/frontend/step"
)

// filler runs the step that fills a layer.
type filler struct {
	scripted
	task step.Run
}

func newFiller(r *runner, task step.Run) *filler {
	return &filler{task: task, scripted: scripted{
		runner: r, has: task.Given, sees: task.Seen, script: task.Script, layerDir: task.LayerDir, env: task.Env,
	}}
}

// fill does the part of a run step that the second process does.
func (f *filler) fill() error {
	past := f.openHistory()
	defer past.close()
	if len(f.task.Setups) == 0 { // else setUp has done so
		past.sayWhy(f.spec.Layer)
	}
	if err := f.startMetadata(); err != nil {
		return err
	}
	if err := f.fillLayer(); err != nil {
		return err
	}
	if err := f.reportMetadata(step.Asked{}); err != nil {
		return err
	}
	past.save()
	return nil
}

// fillLayer runs a run script and adds the files that the packfile declares.
func (f *filler) fillLayer() error {
	if err := os.MkdirAll(f.layerDir, 0o755); err != nil {
		return err
	}
	if err := checkVendored(f.task.Deps); err != nil {
		return err
	}
	if f.task.Restore {
		if err := f.restoreLayer(); err != nil {
			return err
		}
	}
	if err := f.makeContent(); err != nil {
		return err
	}
	// Save before our own files are added: files of an entry that the packfile has no longer must not come back.
	if f.task.Restore {
		if err := f.saveLayer(); err != nil {
			return err
		}
	}
	return f.addLayerFiles()
}
