// Command frontend is the packfile frontend as a daemon runs it that lacks the capabilities in $LACKS.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/appcontext"

	"github.com/packfile/frontend/e2e/lesser"
	"github.com/packfile/frontend/frontend"
)

func main() {
	var lacks []apicaps.CapID
	for _, id := range strings.Fields(os.Getenv("LACKS")) {
		lacks = append(lacks, apicaps.CapID(id))
	}
	err := grpcclient.RunFromEnvironment(appcontext.Context(), func(ctx context.Context, c gw.Client) (*gw.Result, error) {
		return frontend.Build(ctx, lesser.Gateway{Client: c, Lacks: lacks})
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lesser frontend:", err)
		os.Exit(1)
	}
}
