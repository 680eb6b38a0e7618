package frontend

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/containerd/platforms"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/bklog"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/measure"
	"github.com/packfile/frontend/step"
)

// failures returns what the step of a test reported before it failed; nil when there is no report. err is the error of the solve.
//
// A step that fails has no result, so that BuildKit runs it again next time. But the error names what was mounted in the step
// (errdefs.SolveError, which debuggers use as well), and a container can have that mounted again. Files in it have to be printed: the
// oldest supported BuildKit reads none out of a container.
func (s *solver) failures(ctx context.Context, err error, p ocispecs.Platform) []step.Failure {
	data, err := s.report(ctx, err, p)
	var result step.Result
	if err == nil {
		err = measure.DecodeJSON(data, measure.Record, &result)
	}
	if err != nil {
		bklog.G(ctx).Debugf("report of a test: %v", err)
		return nil
	}
	said := result.Failures[:min(len(result.Failures), step.MaxFailures+1)]
	for i := range said { // longer ones are not ours
		said[i].Says = strings.ToValidUTF8(said[i].Says[:min(len(said[i].Says), maxSays)], "")
	}
	return said
}

// maxSays bounds what a failure says, in bytes.
const maxSays = 8 << 10

// report returns the content of step.ResultFile that a failed step left.
func (s *solver) report(ctx context.Context, failed error, p ocispecs.Platform) ([]byte, error) {
	solve, ok := errors.AsType[*errdefs.SolveError](failed)
	if !ok || solve.Op.GetExec() == nil {
		return nil, errors.New("the error names no step")
	}
	program := gw.Mount{Dest: "/", MountType: pb.MountType_BIND}
	out := gw.Mount{Dest: step.OutDir, MountType: pb.MountType_BIND, Readonly: true}
	for i, m := range solve.Op.GetExec().Mounts {
		if i >= len(solve.MountIDs) {
			break
		}
		switch m.Dest {
		case step.BinDir:
			program.ResultID = solve.MountIDs[i]
		case step.OutDir:
			out.ResultID, out.Selector = solve.MountIDs[i], m.Selector
		}
	}
	if program.ResultID == "" || out.ResultID == "" {
		return nil, errors.New("the error does not name what was mounted")
	}
	platform := pb.PlatformFromSpec(platforms.Normalize(p))
	ctr, err := s.client.NewContainer(ctx, gw.NewContainerRequest{
		Mounts: []gw.Mount{program, out}, NetMode: pb.NetMode_NONE, Platform: platform,
	})
	if err != nil {
		return nil, err
	}
	defer ctr.Release(context.WithoutCancel(ctx))
	printed, said := &limited{}, &limited{}
	process, err := ctr.Start(ctx, gw.StartRequest{Args: container.ReportCommand(), Cwd: "/", Stdout: printed, Stderr: said})
	if err == nil {
		err = process.Wait()
	}
	if err != nil {
		return nil, errors.Join(err, errors.New(said.String()))
	}
	return printed.Bytes(), nil
}

// limited keeps what is written to it, up to step.MaxReport.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if rest := step.MaxReport - l.Len(); len(p) > rest {
		l.Buffer.Write(p[:max(rest, 0)])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}

// Close implements io.Closer.
func (l *limited) Close() error { return nil }
