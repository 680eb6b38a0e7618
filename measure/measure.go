// Package measure finds out what a text would cost to decode, before it is decoded. Without that, a text of a few bytes
// from outside (a module, an image, a result of a step) could take all memory, or nest so deep that the program ends:
// decoders are recursive, and may make hundreds of bytes from one. Every room that decodes TOML, YAML or JSON from
// outside uses it.
//
// A measurement reads the text once, byte by byte, and keeps only the depth. It does not check whether the text is valid:
// the decoder does. Up to the first place that a decoder refuses, it never counts less than the decoder makes.
package measure

import "fmt"

// Size is the size of a text, or a limit for it.
type Size struct {
	Bytes  int
	Values int // keys, parts of dotted keys, elements of arrays; in YAML also what looks like one
	Depth  int // of values in values; of YAML it is not measured, its decoder has a limit
}

// Excess is the error for a text that exceeds its limit.
type Excess struct {
	Offset  int // of the first byte that is too much
	message string
}

func (e *Excess) Error() string { return e.message }

// Record is the limit for JSON that programs leave about an image or a step: configs, manifests, labels, results. Real
// ones have less than a hundredth of it.
var Record = Size{Bytes: 8 << 20, Values: 1_000_000, Depth: 64}

// meter counts the values of a text.
type meter struct {
	Size
	most Size
}

// begin checks the number of bytes, and returns a meter for the rest.
func begin(data []byte, most Size) (meter, error) {
	m := meter{Size: Size{Bytes: len(data)}, most: most}
	if len(data) > most.Bytes {
		return m, &Excess{most.Bytes, fmt.Sprintf("it has %d bytes, more than %d", len(data), most.Bytes)}
	}
	return m, nil
}

// add counts a value that begins near an offset.
func (m *meter) add(offset int) error {
	if m.Values++; m.Values > m.most.Values {
		return &Excess{offset, fmt.Sprintf("it has more than %d keys and values", m.most.Values)}
	}
	return nil
}

// at checks the depth of a value.
func (m *meter) at(depth, offset int) error {
	if m.Depth = max(m.Depth, depth); depth > m.most.Depth {
		return &Excess{offset, fmt.Sprintf("it nests values more than %d deep", m.most.Depth)}
	}
	return nil
}
