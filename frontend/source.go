package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/packfile"
)

// readPackfile reads, decodes and validates the packfile, and passes its warnings on.
func (b *build) readPackfile(ctx context.Context) (err error) {
	if b.source, err = b.ui.ReadEntrypoint(ctx, "TOML"); err != nil {
		return b.withoutPackfile(err)
	}
	var warnings []packfile.Diagnostic
	b.pf, warnings, err = packfile.Parse(b.source.Filename, b.source.Data)
	if err != nil {
		return b.explain(err)
	}
	if diags := packfile.CheckPlan(b.pf); len(diags) > 0 {
		return b.explain(&packfile.Error{Filename: b.source.Filename, Diagnostics: diags})
	}
	if b.opts.requestID == "" {
		for _, w := range warnings {
			b.source.Warn(ctx, w.Message, gw.WarnOpts{
				Level:  1,
				Range:  []*pb.Range{convert.PBRange(w.Range)},
				Detail: [][]byte{[]byte(w.Text())},
			})
		}
	}
	b.warnings = warnings
	nameImages(b.ui.BuildOpts().Opts, &b.pf.Config)
	return nil
}

// module is what the packfile names in its own folder.
type module struct {
	state   llb.State // the folder
	scripts map[string][]byte
	offline map[string]bool // names of files in deps/
}

// maxScript is the size limit of a script file, in bytes.
const maxScript = 1 << 20

// readModule reads the scripts that have a path, and finds the deps that need no network.
func (b *build) readModule(ctx context.Context) (*module, error) {
	m := &module{scripts: map[string][]byte{}, offline: map[string]bool{}}
	scripts := pathScripts(b.pf)
	if len(scripts) == 0 && !hasDeps(b.pf) {
		m.state = llb.Scratch()
		return m, nil
	}
	paths := []string{"deps"}
	for _, s := range scripts {
		paths = append(paths, s.Path)
	}
	folder, err := b.moduleFolder(paths)
	if err != nil {
		return nil, err
	}
	m.state = folder
	ref, err := b.solve(ctx, folder)
	if err != nil {
		return nil, err
	}
	for _, s := range scripts {
		if m.scripts[s.Path], err = b.readScript(ctx, ref, s); err != nil {
			return nil, err
		}
	}
	files, err := ref.ReadDir(ctx, gw.ReadDirRequest{Path: "deps"})
	if err != nil {
		return m, nil // there is no such folder
	}
	for _, f := range files {
		if f.Linkname == "" && !f.IsDir() {
			m.offline[path.Base(f.Path)] = true
		}
	}
	return m, nil
}

// moduleFolder is the packfile's folder with the given paths of it, which are all that is asked of the client.
func (b *build) moduleFolder(paths []string) (llb.State, error) {
	dir := strings.TrimPrefix(path.Dir(path.Clean("/"+b.source.Filename)), "/")
	name, session, err := localSource(b.source.Definition)
	if err != nil {
		return llb.State{}, err
	}
	source := *b.source.State
	if name != "" {
		wanted := make([]string, len(paths))
		for i, p := range paths {
			wanted[i] = path.Join(dir, p)
		}
		source = llb.Local(name,
			llb.IncludePatterns(wanted),
			llb.SessionID(session),
			llb.SharedKeyHint(name+"-files"),
			llb.Differ(llb.DiffNone, false),
			dockerui.WithInternalName("load files of "+b.source.Filename))
	}
	return llb.Scratch().File(
		llb.Copy(source, "/"+dir, "/", &llb.CopyInfo{CopyDirContentsOnly: true, IncludePatterns: paths}),
		dockerui.WithInternalName("files of "+b.source.Filename)), nil
}

// localSource is the name and session of the local source that a definition reads, "" when it reads another kind.
func localSource(def *llb.Definition) (name, session string, err error) {
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(dt); err != nil {
			return "", "", err
		}
		if src := op.GetSource(); src != nil {
			if local, ok := strings.CutPrefix(src.Identifier, "local://"); ok {
				return local, src.Attrs[pb.AttrLocalSessionID], nil
			}
		}
	}
	return "", "", nil
}

// readScript reads a script file. It must be a regular file in the packfile's folder, and no link may lead to it: the
// client would send what the link points to from wherever that is.
func (b *build) readScript(ctx context.Context, ref gw.Reference, s *packfile.Script) ([]byte, error) {
	fail := func(format string, args ...any) error {
		return b.errorAt(s.At("path"), format, args...)
	}
	dir := ""
	for _, name := range strings.Split(s.Path, "/") {
		entries, err := ref.ReadDir(ctx, gw.ReadDirRequest{Path: "/" + dir, IncludePattern: name})
		if err != nil || len(entries) == 0 {
			return nil, fail("script %s does not exist in the folder of %s", s.Path, b.source.Filename)
		}
		dir = path.Join(dir, name)
		if link := entries[0].Linkname; link != "" {
			return nil, fail("script %s: %s is a symbolic link (to %s); a script must be a regular file in the folder of %s", s.Path, dir, link, b.source.Filename)
		}
	}
	stat, err := ref.StatFile(ctx, gw.StatRequest{Path: s.Path})
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return nil, fail("script %s is a folder", s.Path)
	}
	if stat.Size > maxScript {
		return nil, fail("script %s has %d bytes; the limit is %d", s.Path, stat.Size, maxScript)
	}
	return ref.ReadFile(ctx, gw.ReadRequest{Filename: s.Path})
}

// pathScripts are all scripts of the packfile that stand in files.
func pathScripts(pf *packfile.Packfile) []*packfile.Script {
	var found []*packfile.Script
	add := func(s *packfile.Script) {
		if s != nil && s.Path != "" {
			found = append(found, s)
		}
	}
	for i := range pf.Caches {
		add(pf.Caches[i].Setup)
	}
	for _, l := range pf.Layers {
		if l.Require != nil {
			add(l.Require.Script)
		}
		if l.Provide == nil {
			continue
		}
		if l.Provide.Test != nil {
			add(l.Provide.Test.Script)
		}
		add(l.Provide.Run)
		for i := range l.Provide.Profile {
			add(&l.Provide.Profile[i])
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

// explain turns an error about the packfile into one that shows the place in it.
func (b *build) explain(err error) error {
	var pe *packfile.Error
	if !errors.As(err, &pe) {
		return err
	}
	return b.withSource(pe)
}

func (b *build) errorAt(r packfile.Range, format string, args ...any) error {
	return &packfile.Error{
		Filename:    b.source.Filename,
		Diagnostics: []packfile.Diagnostic{{Message: fmt.Sprintf(format, args...), Range: r}},
	}
}
