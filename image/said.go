package image

import (
	"fmt"
	"maps"
	"slices"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// saidLabel is the label with what packfiles say of the config of their image. A rebase reads it: the rest of these fields is the
// run image's, and changes with it.
const saidLabel = "io.packfile.image"

// said is what packfiles say of the config of their image, in the words of that config (Docker image specification).
type said struct {
	ExposedPorts map[string]struct{}           `json:",omitempty"`
	Volumes      map[string]struct{}           `json:",omitempty"`
	StopSignal   string                        `json:",omitempty"`
	Healthcheck  *dockerspec.HealthcheckConfig `json:",omitempty"`
}

// said returns what the modules that take part say, and the packfile being built. Ports and volumes are those of all. Of signals
// and health checks the last one counts, as of processes; that of the packfile being built goes before.
func (s assembly) said() (all said) {
	for _, m := range s.speakers() {
		c := m.Packfile.Config.Image
		if c == nil {
			continue
		}
		all.ExposedPorts = with(all.ExposedPorts, slices.Values(c.Expose))
		all.Volumes = with(all.Volumes, slices.Values(c.Volumes))
		if c.StopSignal != "" {
			all.StopSignal = c.StopSignal
		}
		if c.Healthcheck != nil {
			all.Healthcheck = healthcheck(c.Healthcheck)
		}
	}
	return all
}

// speakers returns the modules that take part, in group order, and as the last one the packfile being built.
func (s assembly) speakers() []*module.Module { return graph.WithRoot(s.Modules, s.Root) }

// healthcheck returns a health check as the config of an image has it. The launcher starts the command, so that it has the
// environment of the app (CNB Platform API, "launcher": -- is before a program, and a single word is a line for a shell).
func healthcheck(h *packfile.Healthcheck) *dockerspec.HealthcheckConfig {
	if h.None {
		return &dockerspec.HealthcheckConfig{Test: []string{"NONE"}}
	}
	test := []string{"CMD", LauncherPath}
	if h.Direct {
		test = append(test, "--")
	}
	return &dockerspec.HealthcheckConfig{
		Test: append(test, h.Command...), Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, StartInterval: h.StartInterval,
		Retries: h.Retries,
	}
}

// addTo adds what packfiles say to a config that has what the run image says.
func (s said) addTo(c *dockerspec.DockerOCIImageConfig) {
	c.ExposedPorts = with(c.ExposedPorts, maps.Keys(s.ExposedPorts))
	c.Volumes = with(c.Volumes, maps.Keys(s.Volumes))
	if s.StopSignal != "" {
		c.StopSignal = s.StopSignal
	}
	if s.Healthcheck != nil {
		c.Healthcheck = s.Healthcheck
	}
}

// with returns a set with more elements. It does not change the set, which may be the run image's.
func with(set map[string]struct{}, more func(func(string) bool)) map[string]struct{} {
	all := maps.Clone(set)
	for name := range more {
		if all == nil {
			all = map[string]struct{}{}
		}
		all[name] = struct{}{}
	}
	return all
}

// nothing reports whether packfiles say nothing of the config.
func (s said) nothing() bool {
	return len(s.ExposedPorts)+len(s.Volumes) == 0 && s.StopSignal == "" && s.Healthcheck == nil
}

// record adds the label that a rebase reads, unless there is nothing to say.
func (s said) record(labels map[string]string) error {
	if s.nothing() {
		return nil
	}
	return label.Set(labels, saidLabel, s)
}

// saidIn reads what record wrote.
func saidIn(labels map[string]string) (s said, err error) {
	text, ok := labels[saidLabel]
	if !ok {
		return s, nil
	}
	if err := measure.DecodeJSON([]byte(text), measure.Record, &s); err != nil {
		return s, fmt.Errorf("its label %s cannot be read: %w", saidLabel, err)
	}
	return s, nil
}

// fromRunImage gives a config what a run image's says of the same fields, in place of what is there.
func fromRunImage(c, run *dockerspec.DockerOCIImageConfig) {
	c.ExposedPorts, c.Volumes, c.StopSignal, c.Healthcheck = run.ExposedPorts, run.Volumes, run.StopSignal, run.Healthcheck
}
