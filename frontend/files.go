package frontend

import (
	"context"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/packfile/frontend/tree"
)

// files is a solved result as tree.Files.
type files struct{ ref gw.Reference }

// ReadDir returns the entries of a folder.
func (f files) ReadDir(ctx context.Context, dir, pattern string) ([]*fstypes.Stat, error) {
	return f.ref.ReadDir(ctx, gw.ReadDirRequest{Path: dir, IncludePattern: pattern})
}

// Stat returns the stat of a file.
func (f files) Stat(ctx context.Context, file string) (*fstypes.Stat, error) {
	return f.ref.StatFile(ctx, gw.StatRequest{Path: file})
}

// ReadFile returns the content of a file.
func (f files) ReadFile(ctx context.Context, file string) ([]byte, error) {
	return f.ref.ReadFile(ctx, gw.ReadRequest{Filename: file})
}

var _ tree.Files = files{}
