package container

import (
	"strings"
)

// vertexName is a vertex name that a person recognises: [node/modules] run.
func vertexName(subject, what string) string {
	if subject == "" {
		return "[internal] " + what
	}
	return "[" + subject + "] " + what
}

// Name is the vertex name of what is done for one platform: [linux/arm64 node/modules] run.
func (b *Builder) Name(subject, what string) string {
	if b.Multi {
		subject = strings.TrimSpace(PlatformString(b.Platform) + " " + subject)
	}
	return vertexName(subject, what)
}
