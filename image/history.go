package image

import (
	"slices"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Texts of an image's history for our layers, and for the layer that every image has.
const (
	historyComment = "packfile"
	launcherOrigin = "launcher"
)

// history returns one entry for each layer of the run image and one for each of ours. Why not BuildKit's history: it names
// operations and the time when they ran, and the image would not be a function of its inputs.
func (g assembly) history(layers []imageLayer) []ocispecs.History {
	history := baseHistory(g.Run.Config, utc(g.Time))
	for _, l := range layers {
		history = append(history, ocispecs.History{Created: utc(g.Time), CreatedBy: l.origin, Comment: historyComment})
	}
	return history
}

// baseHistory returns a run image's own history, if that has an entry for each of its layers, else entries in its place.
func baseHistory(base *dockerspec.DockerOCIImage, t *time.Time) (history []ocispecs.History) {
	if base == nil {
		return nil
	}
	full := 0
	for _, h := range base.History {
		if !h.EmptyLayer {
			full++
		}
	}
	if full == len(base.RootFS.DiffIDs) {
		return slices.Clone(base.History)
	}
	for range base.RootFS.DiffIDs {
		history = append(history, ocispecs.History{Created: t, CreatedBy: "run image"})
	}
	return history
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}
