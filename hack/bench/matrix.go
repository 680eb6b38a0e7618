package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// measureMatrix is the share of builds that gave the digests that they must: every example, in every way in which a build can
// run. The end-to-end test builds them and writes the table; that it has failed is told by its share.
func (b *bench) measureMatrix() error {
	file := filepath.Join(b.tmp, "matrix")
	test := exec.CommandContext(b.ctx, "go", "test", "-count=1", "-run=^TestImageIsAFunctionOfItsInputs$", "./e2e")
	test.Env = append(os.Environ(), "PACKFILE_MATRIX="+file)
	out, testErr := test.CombinedOutput()
	table, err := os.ReadFile(file)
	if err != nil {
		return errors.Join(err, fmt.Errorf("%w\n%s", testErr, out))
	}
	equal, all := countCells(string(table))
	if all == 0 {
		return fmt.Errorf("nothing was compared:\n%s", table)
	}
	share := fmt.Sprintf("%d of %d", equal, all)
	figure{
		what: "examples with equal digests, over the matrix", ours: share, target: "all", missed: equal < all || testErr != nil,
	}.print()
	return nil
}

// gap is what stands between two cells of a row.
var gap = regexp.MustCompile(` {2,}`)

// reference is a cell of a row that others are compared with.
var reference = regexp.MustCompile(`^[0-9a-f]{12}$`)

// countCells counts the comparisons of a table, and those that found equal images.
func countCells(table string) (equal, all int) {
	rows := strings.Split(strings.TrimSpace(table), "\n")
	for _, row := range rows[1:] {
		for _, cell := range gap.Split(strings.TrimSpace(row), -1)[1:] {
			if cell == "equal" {
				equal++
			}
			if !reference.MatchString(cell) {
				all++
			}
		}
	}
	return equal, all
}
