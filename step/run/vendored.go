package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/packfile/frontend/step"
)

// checkVendored compares deps from the packfile's folder with their checksums. BuildKit has done that for those that it
// fetched.
func checkVendored(deps []step.Dep) error {
	for _, dep := range deps {
		if !dep.Vendored {
			continue
		}
		sum, err := sumFile(dep.File)
		if err != nil {
			return err
		}
		if sum != dep.SHA {
			return fmt.Errorf("checksum of dep %s differs: the packfile says sha256 %s, its file in deps/ has %s", dep.ID(), dep.SHA, sum)
		}
	}
	return nil
}

// digestDeps finds the checksums of deps of which the packfile gives none.
func (r *runner) digestDeps() error {
	sums := map[string]any{}
	for _, dep := range r.spec.Deps {
		sum, err := sumFile(dep.File)
		if err != nil {
			return err
		}
		sums[dep.ID()] = sum
	}
	return r.report(step.Result{Metadata: sums})
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
