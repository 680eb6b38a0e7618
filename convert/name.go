package convert

import (
	"errors"
	"fmt"

	"github.com/packfile/frontend/packfile"
)

// inLayer is a packfile.Diagnostic about a part of a layer as an error of that layer.
func (l *layer) inLayer(err error) error {
	var d packfile.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	d.Message = fmt.Sprintf("layer %q: %s", l.Name, d.Message)
	return &packfile.Error{Filename: l.module.Filename, Diagnostics: []packfile.Diagnostic{d}}
}
