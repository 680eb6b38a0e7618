package run

import (
	"fmt"
	"os"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// makeContent runs the run script and checks the content of LAYER.
func (f *filler) makeContent() error {
	dir := f.layerDir
	before, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if err := f.runScript(); err != nil {
		return err
	}
	// A script may have put another folder in its place, which would not get into the image.
	if now, err := os.Lstat(dir); err != nil || !os.SameFile(before, now) {
		return fmt.Errorf("the run script moved $LAYER (%s) away; the folder has to stay where it is, what is in it may be anything", dir)
	}
	if err := layer.CheckContent(dir, dir); err != nil {
		return err
	}
	err = layer.DropSockets(dir, func(path string) {
		say(step.StepBinary, text.Path(dir+"/"+path)+" is a socket, which an image cannot hold: it is left out")
	})
	if err != nil {
		return err
	}
	return layer.LostAttributes(dir, func(path, attribute string) {
		say(step.StepBinary, fmt.Sprintf("%s has the extended attribute %s, which will not be in the image: of these, only file "+
			"capabilities are", text.Path(dir+"/"+path), attribute))
	})
}
