package frontend

import (
	"context"
	"maps"

	bk "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/text"
)

// shownClient makes visible all text that a terminal will show: names of operations, excerpts of files, warnings. This text comes
// from packfiles, modules and labels of images, which may hold anything. What a build returns goes through visible.
type shownClient struct{ gw.Client }

// Solve calls the client with visible names of operations and visible excerpts.
func (c shownClient) Solve(ctx context.Context, req gw.SolveRequest) (*gw.Result, error) {
	req.Definition = visibleDefinition(req.Definition)
	return c.Client.Solve(ctx, req)
}

// Warn calls the client with a visible warning and visible lines.
func (c shownClient) Warn(ctx context.Context, vertex digest.Digest, message string, opts gw.WarnOpts) error {
	detail := make([][]byte, len(opts.Detail))
	for i, line := range opts.Detail {
		detail[i] = []byte(text.Visible(string(line)))
	}
	opts.Detail, opts.SourceInfo = detail, visibleSource(opts.SourceInfo)
	return c.Client.Warn(ctx, vertex, text.Line(message), opts)
}

// ResolveImageConfig calls the client with a visible name of the look-up.
func (c shownClient) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	opt.LogName = text.Line(opt.LogName)
	return c.Client.ResolveImageConfig(ctx, ref, opt)
}

// ResolveSourceMetadata calls the client with a visible name of the look-up.
func (c shownClient) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	opt.LogName = text.Line(opt.LogName)
	return c.Client.ResolveSourceMetadata(ctx, op, opt)
}

// visibleDefinition returns a definition with visible names and excerpts. It copies whatever is shared with others before it
// changes it.
func visibleDefinition(def *pb.Definition) *pb.Definition {
	if def == nil {
		return nil
	}
	shown := &pb.Definition{Def: def.Def, Metadata: maps.Clone(def.Metadata), Source: def.Source}
	for dgst, md := range def.Metadata {
		shown.Metadata[dgst] = visibleMetadata(md)
	}
	if def.Source != nil {
		shown.Source = &pb.Source{Locations: def.Source.Locations}
		for _, info := range def.Source.Infos {
			shown.Source.Infos = append(shown.Source.Infos, visibleSource(info))
		}
	}
	return shown
}

func visibleMetadata(md *pb.OpMetadata) *pb.OpMetadata {
	name, group := text.Line(md.Description[llb.CustomName]), text.Line(md.GetProgressGroup().GetName())
	if name == md.Description[llb.CustomName] && group == md.GetProgressGroup().GetName() {
		return md
	}
	shown := md.CloneVT()
	if name != "" {
		shown.Description[llb.CustomName] = name
	}
	if shown.ProgressGroup != nil {
		shown.ProgressGroup.Name = group
	}
	return shown
}

// visibleText returns a file with the given data, which is shown in place of its own.
func visibleText(file *bk.SourceMap, data []byte) *pb.SourceInfo {
	info := &pb.SourceInfo{Filename: file.Filename, Language: file.Language, Data: data}
	if file.Definition != nil { // it has none if there is no such file
		info.Definition = file.Definition.ToPB()
	}
	return visibleSource(info)
}

func visibleSource(info *pb.SourceInfo) *pb.SourceInfo {
	if info == nil {
		return nil
	}
	return &pb.SourceInfo{
		Filename: text.Line(info.Filename), Data: text.Excerpt(info.Data), Definition: info.Definition, Language: info.Language,
	}
}

// visible makes a result of a build fit to show: its error, and the answer to a subrequest, which clients print.
func visible(res *gw.Result, err error) (*gw.Result, error) {
	if err != nil {
		if message := text.Visible(err.Error()); message != err.Error() {
			err = &said{message: message, error: err}
		}
		return nil, err
	}
	if res == nil {
		return nil, nil
	}
	if answer, ok := res.Metadata[resultText]; ok {
		res.AddMeta(resultText, []byte(text.Visible(string(answer))))
	}
	return res, nil
}
