package frontend

import (
	"fmt"

	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
)

// maxMessage is the size limit of a message to BuildKit, in bytes, with room for what goes along. A larger message ends the
// connection without an error text (util/grpc defaults: defaults.DefaultMaxSendMsgSize).
const maxMessage = 16<<20 - 64<<10

// checkDefinition fails for a graph that is too large to be sent.
func checkDefinition(def *pb.Definition) error {
	if size := def.SizeVT(); size > maxMessage {
		return fmt.Errorf("this build's graph has %d bytes, more than the %d that BuildKit takes: layers, and what the packfile says of each "+
			"(scripts, variables, metadata), are too many for one build", size, maxMessage)
	}
	return nil
}

// checkResult fails for images whose configs are too large to be sent.
func checkResult(res *gw.Result) error {
	size := 0
	for key, value := range res.Metadata {
		size += len(key) + len(value)
	}
	if size > maxMessage {
		return fmt.Errorf("the configs of the images have %d bytes together, more than the %d that BuildKit takes: "+
			"labels, processes and what is said of layers are too much; build fewer platforms at once, or say less", size, maxMessage)
	}
	return nil
}
