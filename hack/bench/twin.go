package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"

	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"
)

const buildkitModule = "github.com/moby/buildkit"

// twinDockerfile is the last stage of the Dockerfile that the Dockerfile frontend is released with.
const twinDockerfile = `FROM scratch
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
COPY dockerfile-frontend /bin/dockerfile-frontend
ENTRYPOINT ["/bin/dockerfile-frontend"]
`

// makeTwin builds and pushes the gateway image of the Dockerfile frontend: compiled as ours is, from the version of
// BuildKit that ours is made of.
func (b *bench) makeTwin() error {
	dir, err := filepath.Abs(".dev/bench/twin")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	binary := filepath.Join(dir, "dockerfile-frontend")
	cmd := exec.CommandContext(b.ctx, "go", "build", "-C", "hack/tools", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary,
		buildkitModule+"/frontend/dockerfile/cmd/dockerfile-frontend")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	if theirs, ours := versionOf(info), buildkitVersion(); theirs != ours {
		return fmt.Errorf("hack/tools has BuildKit %s, the frontend %s", theirs, ours)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(twinDockerfile), 0o644); err != nil {
		return err
	}
	folder, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	b.images.dockerfile = b.images.registry + "/packfile/dockerfile-frontend:" + buildkitVersion()
	_, err = b.solve(client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "1704067200"},
		LocalMounts:   map[string]fsutil.FS{"context": folder, "dockerfile": folder},
		SharedKey:     "bench:" + dir,
		Exports: []client.ExportEntry{{Type: client.ExporterImage, Attrs: map[string]string{
			"name": b.images.dockerfile, "push": "true", "rewrite-timestamp": "true"}}},
	})
	return err
}

// buildkitVersion is the version of BuildKit that this module uses.
func buildkitVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == buildkitModule {
			return m.Version
		}
	}
	return ""
}
