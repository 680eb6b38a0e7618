package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/containerd/platforms"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/guard"
	"github.com/packfile/frontend/text"
)

// explainRequest asks what a build would reuse, and why not the rest (docker buildx build --call=packfile.explain).
var explainRequest = subrequests.Request{
	Name:        "frontend.packfile.explain",
	Version:     "1.0.0",
	Type:        subrequests.TypeRPC,
	Description: "What would be reused from the previous image, and why not the rest",
	Metadata:    []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
}

// explanation is the answer to explainRequest.
type explanation struct {
	Previous  string                `json:"previous,omitempty"` // named context previous
	Warnings  []string              `json:"warnings,omitempty"` // why it, or a part of it, is not used, and which patterns match nothing
	Platforms []platformExplanation `json:"platforms"`
}

type platformExplanation struct {
	Platform string                `json:"platform"`
	Layers   []convert.Explanation `json:"layers"`
}

// explainLayers says what would become of each layer, and builds none. It runs the steps that settle versions.
func (b *build) explainLayers(ctx context.Context) (*gw.Result, error) {
	if err := b.readContexts(ctx); err != nil {
		return nil, err
	}
	targets := b.platforms()
	e := explanation{
		Previous:  b.client.BuildOpts().Opts["context:"+previousName],
		Platforms: make([]platformExplanation, len(targets)),
	}
	eg, egCtx := guard.NewGroup(ctx)
	for i, p := range targets {
		eg.Go(func() error {
			in := b.input(i)
			in.BuildNothing = true
			d, err := b.detect(egCtx, convert.New(in))
			if err == nil {
				d, err = b.findFacts(egCtx, b.apps[i], d)
			}
			if err != nil {
				return err
			}
			e.Platforms[i] = platformExplanation{platforms.Format(p), d.Explain()}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	e.Warnings = slices.Concat(slices.Sorted(slices.Values(b.patternSays.list)), b.previousSays.list)
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, err
	}
	return reply(data, e.text(), explainRequest), nil
}

// text is the table that people read.
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
