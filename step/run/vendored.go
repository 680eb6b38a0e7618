package run

import (
	"fmt"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// checkVendored compares deps from the packfile's folder with their checksums. BuildKit has checked those that it
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

// digest computes the checksums of deps that the packfile does not pin.
func (r *runner) digest(task step.Digest) error {
	sums := metadata.Table{}
	for _, dep := range task.Files {
		sumOf := sumFile
		if dep.Folder {
			sumOf = layer.DigestFolder
		}
		sum, err := sumOf(dep.File)
		if err != nil {
			return err
		}
		sums[dep.ID] = sum
	}
	return r.report(step.Result{Metadata: sums})
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, err := digest.FromReader(f)
	return sum.Encoded(), err
}
