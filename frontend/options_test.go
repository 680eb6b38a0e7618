package frontend

import (
	"strings"
	"testing"
)

func TestABuildArgumentThatNoVariableCanHoldIsAnErrorWithoutItsValue(t *testing.T) {
	for _, name := range []string{"ARG", "HTTP_PROXY", "https_proxy", "NO_PROXY"} {
		_, err := parseOptions(map[string]string{"build-arg:" + name: "http://user:hunter2\x00@proxy"})
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}
