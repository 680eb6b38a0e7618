// Package measure finds out what a text would cost to decode, before it is decoded. A text from outside (a module, an image,
// what a step left) of a few bytes can otherwise take all memory, or nest so deep that the program ends: decoders are recursive,
// and what they make of a byte may have hundreds.
//
// A measurement reads the text once, byte by byte, and keeps nothing of it but how deep it is. It does not say whether the text
// is valid: that is for the decoder. Up to the first place that a decoder refuses it never counts less than the decoder makes.
package measure

import "fmt"

// Size is how large a text is, or may be at most.
type Size struct {
	Bytes  int
	Values int // keys, parts of dotted keys, elements of arrays; in YAML also what looks like one
	Depth  int // of values in values; of YAML it is not measured, its decoder has a limit
}

// Excess is the error of a text that is larger than it may be.
type Excess struct {
	Offset  int // of the first byte that is too much
	message string
}

func (e *Excess) Error() string { return e.message }

// Record is how large the JSON may be that programs leave about an image or a step: configs, manifests, labels, results. Real
// ones have less than a hundredth of it.
var Record = Size{Bytes: 8 << 20, Values: 1_000_000, Depth: 64}

// meter counts a text.
type meter struct {
	Size
	most Size
}

// begin checks the number of bytes, and is the meter of the rest.
func begin(data []byte, most Size) (meter, error) {
	m := meter{Size: Size{Bytes: len(data)}, most: most}
	if len(data) > most.Bytes {
		return m, &Excess{most.Bytes, fmt.Sprintf("it has %d bytes, more than %d", len(data), most.Bytes)}
	}
	return m, nil
}

// add counts a value that begins about an offset.
func (m *meter) add(offset int) error {
	if m.Values++; m.Values > m.most.Values {
		return &Excess{offset, fmt.Sprintf("it has more than %d keys and values", m.most.Values)}
	}
	return nil
}

// at counts the depth of a value.
func (m *meter) at(depth, offset int) error {
	if m.Depth = max(m.Depth, depth); depth > m.most.Depth {
		return &Excess{offset, fmt.Sprintf("it nests values more than %d deep", m.most.Depth)}
	}
	return nil
}
