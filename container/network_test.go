package container_test

import (
	"strings"
	"testing"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/group/grouptest"
	"github.com/packfile/frontend/step"
)

func TestTheNetworkOfTheAppIsACeilingForModules(t *testing.T) {
	network := func(app, module, script string) string {
		text := strings.Replace(grouptest.Needy, "[[layers]]", module+"\n[[layers]]", 1)
		b := grouptest.New(t, []string{text, grouptest.WithID("site", app+grouptest.AProcess)})
		p := container.Process{Module: b.Modules[0], Network: script}
		p.Spec.Task = step.Require{}
		return b.Network(p).String()
	}
	const none, open = "network = \"none\"\n", "network = \"default\"\n"
	for name, test := range map[string]struct{ app, module, script, want string }{
		"the app says nothing":               {"", "", "", "UNSET"},
		"a module may have none":             {"", none, "", "NONE"},
		"a script of it may have one":        {"", none, "default", "UNSET"},
		"the app has none":                   {none, "", "", "NONE"},
		"a module of an app that has none":   {none, open, "", "NONE"},
		"a script of an app that has none":   {none, "", "default", "NONE"},
		"an app that has one is no ceiling":  {open, none, "", "NONE"},
		"nor one for a script that has none": {open, open, "none", "NONE"},
	} {
		if got := network(test.app, test.module, test.script); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
