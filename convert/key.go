package convert

import (
	"github.com/packfile/frontend/layerkey"
)

// viewKey is the key under which a layer's run step sees the app. With the app's identity in it two projects with equal
// layer keys never see each other's files.
func viewKey(layerKey, project string) string {
	return layerkey.Digest([]byte("view\x00" + layerKey + "\x00" + project))
}
