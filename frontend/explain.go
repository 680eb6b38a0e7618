package frontend

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/containerd/platforms"
	gw "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/text"
)

// explainRequest asks what a build would reuse, and why it would not reuse the rest (docker buildx build
// --call=packfile.explain).
var explainRequest = ownRequest("frontend.packfile.explain", "What would be reused from the previous image, and why not the rest")

// explanation is the answer to explainRequest.
type explanation struct {
	Previous  string                `json:"previous,omitempty"` // named context previous
	Warnings  []string              `json:"warnings,omitempty"` // why it, or a part of it, is not used; about patterns and build arguments
	Platforms []platformExplanation `json:"platforms"`
}

type platformExplanation struct {
	Platform string              `json:"platform"`
	Layers   []graph.Explanation `json:"layers"`
}

// explainLayers returns what would become of each layer. It builds none, but runs the steps that settle versions.
func explainLayers(ctx context.Context, b *build) (answer, error) {
	if err := b.readContexts(ctx); err != nil {
		return nil, err
	}
	b.warnAboutArgs(ctx)
	e := explanation{Previous: b.client.BuildOpts().Opts["context:"+previousName]}
	var err error
	e.Platforms, err = onEachPlatform(ctx, b.platforms(), func(ctx context.Context, i int) (platformExplanation, error) {
		layers, err := b.explainPlatform(ctx, i)
		return platformExplanation{platforms.Format(b.platforms()[i]), layers}, err
	})
	if err != nil {
		return nil, err
	}
	e.Warnings = slices.Concat(slices.Sorted(slices.Values(b.patternSays.list)), slices.Sorted(slices.Values(b.argsSay.list)), b.previousSays.list)
	return e, nil
}

// explainPlatform returns what would become of each layer of one platform.
func (b *build) explainPlatform(ctx context.Context, index int) ([]graph.Explanation, error) {
	in, err := b.inputs(ctx, index)
	if err != nil {
		return nil, err
	}
	in.graph.BuildNothing = true
	d, err := b.detect(ctx, in)
	if err == nil {
		d, err = b.findFacts(ctx, b.apps[index], d)
	}
	if err != nil {
		return nil, err
	}
	b.warnByArguments(ctx, d.ByArguments())
	packages, err := image.ExplainPackages(d, in.image)
	if err != nil {
		return nil, err
	}
	all := d.Explain()
	if packages != nil {
		all = append([]graph.Explanation{*packages}, all...)
	}
	return all, nil
}

// ToResult implements answer.
func (e explanation) ToResult() (*gw.Result, error) { return reply(e, e.text()) }

// text returns the table for people.
func (e explanation) text() []byte {
	var out bytes.Buffer
	if e.Previous == "" {
		fmt.Fprintln(&out, "No previous image was named: every layer is built, or found in the build cache.")
		fmt.Fprintln(&out, "Name the image of the last build with --build-context previous=docker-image://NAME")
		fmt.Fprintln(&out)
	}
	for _, w := range e.Warnings {
		fmt.Fprintf(&out, "WARNING: %s\n\n", w)
	}
	for _, p := range e.Platforms {
		if len(e.Platforms) > 1 {
			fmt.Fprintf(&out, "%s\n", p.Platform)
		}
		tw := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
		fmt.Fprintln(tw, "LAYER\tVERSION\tACTION\tWHY")
		for _, l := range p.Layers {
			version := ""
			if l.Version != "" {
				version = text.Short(l.Version)
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", l.Layer, version, l.Action, l.Why)
		}
		tw.Flush()
	}
	return out.Bytes()
}
