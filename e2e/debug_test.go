package e2e

import (
	"errors"
	"os"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/packfile/frontend/internal/testbed"
	"github.com/tonistiigi/fsutil"
)

// A debugger (docker buildx debug) starts a shell in the step that failed, from what BuildKit's error says of it.
func TestErrorOfAStepKeepsWhatADebuggerNeeds(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": testbed.Packfile(testbed.Layer("a").Run("exit 3"))})
	c := clientOf(t, os.Getenv("BUILDKIT_HOST"))
	fs, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Solve(t.Context(), nil, client.SolveOpt{
		Frontend: "gateway.v0",
		FrontendAttrs: map[string]string{
			"source": env.frontend, "filename": "packfile.toml",
			"context:build-image": "docker-image://" + env.busybox, "context:run-image": "docker-image://" + env.empty,
		},
		LocalMounts: map[string]fsutil.FS{"context": fs, "dockerfile": fs},
	}, nil)
	var solve *errdefs.SolveError
	if !errors.As(err, &solve) || len(solve.MountIDs) == 0 {
		t.Errorf("the error has no mounts of the failed step: %v", err)
	}
	if len(errdefs.Sources(err)) == 0 {
		t.Errorf("the error has no place in the packfile: %v", err)
	}
	contains(t, err.Error(), "[a] run failed with exit code 3")
}
