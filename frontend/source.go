package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
)

// readPackfile reads, decodes and validates the file being built, a packfile or a project descriptor, and finds the modules that
// it names. It passes on warnings.
func (b *build) readPackfile(ctx context.Context) (err error) {
	if b.source, err = b.door.Packfile(ctx, "TOML"); err != nil {
		return b.withoutPackfile(ctx, err)
	}
	filename := b.source.Filename
	var warnings []node.Diagnostic
	b.keepText(b.source.SourceMap)
	if project.Is(filename, b.source.Data) {
		b.project, warnings, err = project.Parse(filename, b.source.Data)
		if err == nil {
			b.pf = b.project.Packfile
		}
	} else {
		b.pf, warnings, err = packfile.Parse(filename, b.source.Data)
	}
	if err != nil {
		return b.explain(err)
	}
	// A packfile that is only checked may be a module, and others may provide what it requires.
	alone := len(b.pf.Buildpacks)+len(b.pf.Order) == 0 && b.opts.requestID != lint.SubrequestLintDefinition.Name
	if diags := append(packfile.CheckPlan(b.pf), packfile.UnknownProcesses(b.pf)...); alone && len(diags) > 0 {
		return b.explain(&node.Error{Filename: filename, Diagnostics: diags})
	}
	if b.opts.requestID == "" {
		b.warnAboutSource(ctx, warnings)
	}
	b.root = &module.Module{Packfile: b.pf, Filename: filename, Source: b.source.SourceMap, Files: llb.Scratch(), Warnings: warnings}
	if err := b.loadModules(ctx); err != nil {
		return b.explain(err)
	}
	b.nameImages(ctx)
	return nil
}

func digestOf(data []byte) string { return digest.FromBytes(data).Encoded() }

func (b *build) errorAt(r node.Range, format string, args ...any) error {
	return &node.Error{
		Filename:    b.source.Filename,
		Diagnostics: []node.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}},
	}
}
