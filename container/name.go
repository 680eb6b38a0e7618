package container

import (
	"strings"
)

// vertexName returns a name that a person recognises: [node/modules] run.
func vertexName(subject, what string) string {
	if subject == "" {
		return "[internal] " + what
	}
	return "[" + subject + "] " + what
}

// Name returns the name of a vertex that belongs to one platform: [linux/arm64 node/modules] run.
func (b *Builder) Name(subject, what string) string {
	if b.Multi {
		subject = strings.TrimSpace(PlatformString(b.Platform) + " " + subject)
	}
	return vertexName(subject, what)
}
