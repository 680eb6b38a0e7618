// Command packfile-frontend is the BuildKit gateway frontend. Its standard output is the connection to BuildKit, so
// nothing may be printed there.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // a faster codec for the gateway's messages

	"github.com/packfile/frontend/frontend"
)

func main() {
	// It lives for a moment: memory is cheaper than collecting it.
	debug.SetGCPercent(400)
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintln(os.Stderr, "packfile-frontend:", err)
		os.Exit(1)
	}
}
