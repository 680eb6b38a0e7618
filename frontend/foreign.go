package frontend

import (
	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// runs reports whether the builder can run programs of a platform, with or without an emulator.
func (s *solver) runs(p ocispecs.Platform) bool {
	for _, w := range s.client.BuildOpts().Workers {
		for _, has := range w.Platforms {
			if platforms.NewMatcher(has).Match(p) {
				return true
			}
		}
	}
	return false
}

// cannotRun says that the builder cannot run programs of a platform, and runElsewhere what to do about it.
func cannotRun(p ocispecs.Platform) string {
	return "this builder cannot run programs of " + platforms.Format(p)
}

const runElsewhere = "build on a machine of that platform, or install an emulator (binfmt_misc)"
