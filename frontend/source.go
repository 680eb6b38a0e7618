package frontend

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/project"
	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/source"
	"github.com/packfile/frontend/tree"
)

// readPackfile reads, decodes and validates what is built, a packfile or a project descriptor, and finds the modules that it
// names. Warnings are passed on.
func (b *build) readPackfile(ctx context.Context) (err error) {
	if b.source, err = b.door.Packfile(ctx, "TOML"); err != nil {
		return b.withoutPackfile(err)
	}
	filename := b.source.Filename
	b.keepText(b.source.SourceMap)
	if project.Is(filename, b.source.Data) {
		b.project, b.warnings, err = project.Parse(filename, b.source.Data)
		if err == nil {
			b.pf = b.project.Packfile
		}
	} else {
		b.pf, b.warnings, err = packfile.Parse(filename, b.source.Data)
	}
	if err != nil {
		return b.explain(err)
	}
	// What is checked and not built may be a module, which others provide something for.
	alone := len(b.pf.Buildpacks)+len(b.pf.Order) == 0 && b.opts.requestID != lint.SubrequestLintDefinition.Name
	if diags := packfile.CheckPlan(b.pf); alone && len(diags) > 0 {
		return b.explain(&packfile.Error{Filename: filename, Diagnostics: diags})
	}
	if b.opts.requestID == "" {
		b.warnAboutSource(ctx, atOnce(b.warnings))
	}
	b.root = &module.Module{Packfile: b.pf, Filename: filename, Source: b.source.SourceMap, Files: llb.Scratch()}
	if err := b.loadModules(ctx); err != nil {
		return b.explain(err)
	}
	b.nameImages(ctx)
	return nil
}

// warnAboutSource passes warnings about the file that is built on, each with its place.
func (b *build) warnAboutSource(ctx context.Context, warnings []packfile.Diagnostic) {
	for _, w := range warnings {
		b.source.Warn(ctx, w.Message, gw.WarnOpts{
			Level:  1,
			Range:  []*pb.Range{module.PBRange(w.Range)},
			Detail: [][]byte{[]byte(w.Text())},
		})
	}
}

// readRoot reads the files that the packfile which is built names in its own folder.
func (b *build) readRoot(ctx context.Context) (err error) {
	root := b.modules.units[0]
	if root.folder.Files == nil {
		paths := ownPaths(b.pf)
		if len(paths) == 0 {
			return nil
		}
		if root.folder, err = b.rootFolder(ctx, paths); err != nil {
			return err
		}
	}
	root.Files, root.Dir = root.folder.State, root.folder.Path("")
	return root.readFiles(ctx)
}

// ownPaths are what a packfile names in its own folder.
func ownPaths(pf *packfile.Packfile) (paths []string) {
	for _, s := range pathScripts(pf) {
		paths = append(paths, s.Path)
	}
	if hasDeps(pf) {
		paths = append(paths, "deps")
	}
	return paths
}

// rootFolder is the folder of the packfile that is built with the given paths of it, which are all that is asked of the client.
func (b *build) rootFolder(ctx context.Context, paths []string) (tree.Folder, error) {
	// Programs of modules have to be executable by the user of steps, whoever checked them out.
	st, _, err := b.sources.Resolve(ctx, source.Beside{Paths: paths, Mode: convert.AppMode})
	if err != nil {
		return tree.Folder{}, err
	}
	ref, err := b.solve(ctx, st)
	return tree.Folder{State: st, Files: files{ref}}, err
}

// pathScripts are all scripts of the packfile that stand in files.
func pathScripts(pf *packfile.Packfile) (found []*packfile.Script) {
	for _, s := range pf.Scripts() {
		if s.Path != "" {
			found = append(found, s.Script)
		}
	}
	return found
}

func hasDeps(pf *packfile.Packfile) bool {
	for _, l := range pf.Layers {
		if l.Provide != nil && len(l.Provide.Deps) > 0 {
			return true
		}
	}
	return false
}

func digestOf(data []byte) string { return digest.FromBytes(data).Encoded() }

func (b *build) errorAt(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{
		Filename:    b.source.Filename,
		Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}},
	}
}
