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
// fill a layer differently. How a spec is written down is no part of it: who writes it and who reads it come from one image.
const Contract = 2

// Spec is everything a step is told. It holds no secret: contents of secrets never come near it.
type Spec struct {
	Contract int
	Layer    string // name of the layer, for messages
	Task     Task
}

// Task is what a step does: Require, Test, Run, Match, Seal, Describe, MergeSBOM, Unpack, Digest, Recognize or Detect. Each has what
// this kind of step is told, and nothing else.
type Task interface {
	Kind() Kind
}

// wire is the form of a spec in SpecFile: the kind, and what a task of that kind has.
type wire struct {
	Contract int             `json:"contract"`
	Kind     Kind            `json:"kind"`
	Layer    string          `json:"layer,omitempty"`
	Task     json.RawMessage `json:"task"`
}

// MarshalJSON writes the form that UnmarshalJSON reads. A spec without a task is an error.
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

// UnmarshalJSON reads a spec. Another contract is an error, and so is what this one does not know: a field of a later contract would
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

// decodeStrictly decodes JSON that has no fields but those of a value.
func decodeStrictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
