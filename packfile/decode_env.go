package packfile

import (
	"slices"

	"github.com/packfile/frontend/node"
)

// launchLists holds the env table of [config] while it is read.
type launchLists struct {
	node.Table
	launch []LaunchVar
}

var launchEnvSchema = node.Define(node.Schema[launchLists]{
	What: "config.env",
	Keys: []node.Key[launchLists]{
		node.Tables("launch", launchVarSchema, func(l *launchLists) *[]LaunchVar { return &l.launch }),
	},
	Finish: func(d *node.Decoder, l *launchLists) {
		seen := map[string]map[string]node.Range{} // by process
		for i := range l.launch {
			v := &l.launch[i]
			if seen[v.Process] == nil {
				seen[v.Process] = map[string]node.Range{}
			}
			d.Unique(seen[v.Process], "variable", v.Name, v.At("name"))
		}
	},
})

var launchVarSchema = node.Define(node.Schema[LaunchVar]{
	What:  "a variable of the app",
	Start: func(v *LaunchVar) { v.Op = "override" },
	Keys: append(variableKeys(func(v *LaunchVar) *EnvVar { return &v.EnvVar }, launchTemplate),
		node.String("process", func(v *LaunchVar) *string { return &v.Process }, processType)),
})

// readLaunchEnv reads config.env. It has one of the lists of a layer's env: what steps see belongs to layers, whose keys it is
// part of.
func readLaunchEnv(d *node.Decoder, c *Config, e *node.Entry) {
	switch e.Value.Kind {
	case node.TableKind:
		refuseInLaunchEnv(d, e.Value)
	case node.ArrayKind:
		d.Wrong(e, e.Value, "a table", "the variables are the list launch in it")
		return
	}
	var l launchLists
	node.Read(d, launchEnvSchema, e.Value, &l)
	c.Env = l.launch
}

// refuseInLaunchEnv reports what people write in config.env since other tables are like that, and removes it: variables of steps,
// and variables as keys.
func refuseInLaunchEnv(d *node.Decoder, env *node.Node) {
	for _, entry := range slices.Clone(env.Entries) {
		switch {
		case entry.Key == "build" || entry.Key == "both":
			d.Fail(entry.KeyAt, "steps see build arguments, and env.build of layers that they link",
				"config.env is for the app, and has no %s", node.Quote(entry.Key))
		case entry.Value.Kind == node.StringKind && !launchEnvSchema.Has(d.Format, entry.Key):
			d.Fail(entry.KeyAt, "each variable is an entry of launch, with its name and value",
				"unknown key %s in config.env", node.Quote(entry.Key))
		default:
			continue
		}
		env.Remove(entry.Key)
	}
}
