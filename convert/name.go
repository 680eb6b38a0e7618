package convert

import (
	"errors"
	"fmt"
	"strings"

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

// vertexName is a vertex name that a person recognises: [node/modules] run.
func vertexName(subject, what string) string {
	if subject == "" {
		return "[internal] " + what
	}
	return "[" + subject + "] " + what
}

// name is the vertex name of what is done for one platform: [linux/arm64 node/modules] run.
func (b *Build) name(subject, what string) string {
	if b.in.Multi {
		subject = strings.TrimSpace(platformString(b.in.Platform) + " " + subject)
	}
	return vertexName(subject, what)
}
