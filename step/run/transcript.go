package run

import (
	"bytes"
	"fmt"
)

// transcript keeps the beginning and the end of what a program prints.
type transcript struct {
	head, tail []byte
	left       int // bytes between the two that were not kept
}

// Bounds of a transcript, in bytes.
const (
	maxHead = 16 << 10
	maxTail = 48 << 10
)

// Write keeps p, or parts of it. It never fails.
func (t *transcript) Write(p []byte) (int, error) {
	all := len(p)
	room := min(maxHead-len(t.head), len(p))
	t.head, p = append(t.head, p[:room]...), p[room:]
	t.tail = append(t.tail, p...)
	if more := len(t.tail) - maxTail; more > 0 {
		t.left += more
		t.tail = append(t.tail[:0], t.tail[more:]...)
	}
	return all, nil
}

// Bytes returns what is kept, with a line in place of what is not.
func (t *transcript) Bytes() []byte {
	if t.left == 0 {
		return append(bytes.Clone(t.head), t.tail...)
	}
	return fmt.Appendf(bytes.Clone(t.head), "\n[%d bytes are not shown]\n%s", t.left, t.tail)
}
