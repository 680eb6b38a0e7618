package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/packfile/frontend/step"
)

// scripted runs a step with a script of a packfile: Require, Test and, as a part of filler, Run.
type scripted struct {
	*runner
	has    step.Given
	sees   step.Seen
	script *step.Script // nil when a Run has none

	bare     bool     // note the programs that scripts do not find
	notFound []string // these

	layerDir string         // LAYER, "" when there is none
	env      []step.EnvFile // the layer's own environment
}

// ask runs a Require or Test step and reports the answer of its script.
func (s *scripted) ask() error {
	variables, err := s.revealSecrets(os.Getuid(), os.Getgid())
	if err != nil {
		return err
	}
	s.environ = append(s.environ, variables...)
	if err := s.startMetadata(); err != nil {
		return err
	}
	notWanted, err := s.runQuestion()
	if err != nil {
		return err
	}
	said := step.Asked{NotWanted: notWanted, NotFound: s.notFound}
	if notWanted {
		return s.report(step.Result{Asked: said})
	}
	return s.reportMetadata(said)
}

// reportMetadata reports what the script left in $MD.
func (s *scripted) reportMetadata(said step.Asked) error {
	left, err := readMetadata(s.metadata())
	if err != nil {
		return err
	}
	return s.report(step.Result{Metadata: left, Asked: said})
}

// startMetadata makes $MD, with the metadata that the script finds.
func (s *scripted) startMetadata() error {
	if err := os.MkdirAll(s.metadata(), 0o755); err != nil {
		return err
	}
	if err := writeMetadata(s.metadata(), s.has.Metadata); err != nil {
		return err
	}
	for i, table := range s.sees.Requires {
		dir := filepath.Join(s.metadata(), requiresDir, fmt.Sprintf("%02d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := writeMetadata(dir, table); err != nil {
			return err
		}
	}
	return nil
}

// requiresDir is the folder of $MD with what each module that requires the layer says. Its name makes it private to the step.
const requiresDir = ".requires"

// runQuestion runs a require or test script.
func (s *scripted) runQuestion() (notWanted bool, err error) {
	err = s.runScript()
	if failed, ok := errors.AsType[*scriptError](err); ok && failed.exited && failed.code == step.NotWanted {
		return true, nil
	}
	return false, err
}

// runScript runs the step's script, if it has one.
func (s *scripted) runScript() error {
	if s.script == nil {
		return nil
	}
	e, err := s.scriptEnv()
	if err != nil {
		return err
	}
	dir := s.app
	if s.script.InLayer {
		dir = s.layerDir
	}
	return s.execute(fmt.Sprintf("%s script", s.spec.Task.Kind()), *s.script, dir, e)
}
