// Package step is the contract between the frontend, which writes the spec of a step, and packfile-step, which reads it
// inside the build container and runs the step. It is not about how steps are ordered or cached: that is package graph.
//
// The rules are those of "The step contract" in docs/reference.md.
package step

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Contract is the version of this contract. It is part of every layer key, so it changes whenever the same spec would
// fill a layer differently. The encoding of a spec is no part of it: writer and reader come from one image.
const Contract = 2

// DefaultTime is the time of all files that steps see of the app, of layers and of modules, in seconds since 1970: 1980-01-02
// 00:00:01 UTC. No time zone puts it before 1980, where the times of zip archives begin: Python's zipfile refuses older files. The
// lifecycle of Cloud Native Buildpacks uses a day less, which is still 1979 west of Greenwich.
const DefaultTime = 315619201

// Spec is everything that a step is told. It never holds the content of a secret.
type Spec struct {
	Contract int
	Layer    string // name of the layer, for messages
	Task     Task
}

// Task is the work of a step: Require, Test, Run, Match, Seal, Describe, MergeSBOM, Unpack, Digest, Recognize, Detect,
// Packages or TestImage.
// Each type has what its kind of step is told, and nothing else.
type Task interface {
	Kind() Kind
}

// wire is the form of a spec in SpecFile: the kind, and the task.
type wire struct {
	Contract int             `json:"contract"`
	Kind     Kind            `json:"kind"`
	Layer    string          `json:"layer,omitempty"`
	Task     json.RawMessage `json:"task"`
}

// MarshalJSON writes the form that UnmarshalJSON reads. It fails for a spec without a task.
func (s Spec) MarshalJSON() ([]byte, error) {
	if s.Task == nil {
		return nil, errors.New("a spec without a task")
	}
	task, err := json.Marshal(s.Task)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire{Contract: s.Contract, Kind: s.Task.Kind(), Layer: s.Layer, Task: task})
}

// UnmarshalJSON reads a spec. It fails for another contract, and for unknown fields: a field of a later contract would
// change what the step does.
func (s *Spec) UnmarshalJSON(data []byte) error {
	var w wire
	if err := decodeStrictly(data, &w); err != nil {
		return err
	}
	if w.Contract != Contract {
		return fmt.Errorf("is of contract %d, this is %s of contract %d", w.Contract, StepBinary, Contract)
	}
	task, err := decodeTask(w.Kind, w.Task)
	if err != nil {
		return err
	}
	*s = Spec{Contract: w.Contract, Layer: w.Layer, Task: task}
	return nil
}

// decodeStrictly decodes JSON into a value. It fails for fields that the value does not have.
func decodeStrictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
