package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/packfile/frontend/internal/testbed"
)

// manyLayers is a packfile of n exported layers with this run script.
func manyLayers(n int, script string) string {
	layers := make([]testbed.Part, n)
	for i := range layers {
		layer := testbed.Layer(fmt.Sprint("l", i)).Export().Inputs("packfile.toml")
		if script != "" {
			layers[i] = layer.Run(script)
		} else {
			layers[i] = layer.Env("launch", "A", "1")
		}
	}
	return testbed.Packfile(layers...)
}

func TestMetadataThatALayerMayNotLeaveFailsItsStep(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": manyLayers(9, "head -c 1000000 /dev/zero | tr '\\0' x > $MD/v")})
	log := request{dir: dir, image: imageName(t)}.fail(t)
	contains(t, log, "$MD has more than 262144 bytes", "] run failed with exit code 1", "packfile-step: layer \"l")
}

func TestMetadataThatIsTooMuchForAnImageIsSaidWithItsLayer(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": manyLayers(12, "head -c 200000 /dev/zero | tr '\\0' x > $MD/v")})
	log := request{dir: dir, image: imageName(t)}.fail(t)
	contains(t, log, `layer "l10" is too much for the image: with it metadata, variables and deps of layers take `, "more than the 4194304 that they may")
}

func TestLayersThatAreTooManyAreRefusedBeforeAnythingIsBuilt(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"packfile.toml": manyLayers(1001, "")})
	log := request{dir: dir, image: imageName(t)}.fail(t)
	contains(t, log, "layers has at most 1000 entries, this one has 1001")
	if strings.Contains(log, "[l0]") {
		t.Errorf("something was built:\n%s", log)
	}
}

func TestAnImageOfMoreLayersThanCanBeMountedIsWarnedOf(t *testing.T) {
	t.Parallel()
	for n, warned := range map[int]bool{130: true, 20: false} {
		dir := files(t, map[string]string{"packfile.toml": manyLayers(n, "")})
		b := request{dir: dir, image: imageName(t)}.build(t)
		const warning = "layers: container runtimes may refuse an image of more than 125, and none can be built on it"
		if strings.Contains(b.log, warning) != warned {
			t.Errorf("%d layers: want a warning: %t\n%s", n, warned, b.log)
		}
	}
}
