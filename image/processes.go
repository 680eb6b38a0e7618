package image

import (
	"slices"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
)

// metadata is what the launcher reads (CNB Platform API, "metadata.toml"): modules, processes and slices in group order. A
// process replaces one of the same type of an earlier module (Buildpack API, "launch.toml"), but none of the packfile that is
// built.
func (g assembly) metadata() (md launch.Metadata) {
	last := map[string]*module.Module{} // that has a process of a type
	for _, m := range g.Modules {
		for _, p := range m.Packfile.Processes {
			if last[p.Type] != g.Root {
				last[p.Type] = m
			}
		}
	}
	for _, m := range g.Modules {
		pf := m.Packfile
		md.Buildpacks = append(md.Buildpacks, launch.Buildpack{
			ID: m.ID(), Version: m.Version(), API: launchAPI(pf), Homepage: pf.Config.Homepage,
		})
		for _, p := range pf.Processes {
			if last[p.Type] != m {
				continue
			}
			md.Processes = append(md.Processes, launch.Process{
				Type: p.Type, Command: p.Command, Args: p.Args, Direct: p.Direct, WorkingDir: p.WorkDir, Buildpack: m.ID(),
			})
		}
		for _, s := range pf.Slices {
			md.Slices = append(md.Slices, launch.Slice{Paths: s.Paths})
		}
	}
	md.DefaultProcessType = g.defaultProcess(md.Processes)
	return md
}

// defaultProcess is the type that the image starts, "" when there is none: what the packfile that is built would start alone,
// else the last that a module marks default, unless a later module has another process of that type, else web, else the only
// one.
func (g assembly) defaultProcess(all []launch.Process) (marked string) {
	mark := func(processes []packfile.Process) {
		for _, p := range processes {
			switch {
			case p.Default:
				marked = p.Type
			case p.Type == marked:
				marked = ""
			}
		}
	}
	var own []launch.Process
	if slices.Contains(g.Modules, g.Root) {
		for _, p := range g.Root.Packfile.Processes {
			own = append(own, launch.Process{Type: p.Type})
		}
		mark(g.Root.Packfile.Processes)
	}
	if start := started(marked, own); start != "" {
		return start
	}
	for _, m := range g.Modules {
		mark(m.Packfile.Processes)
	}
	return started(marked, all)
}

// started is the type that an image with some processes starts: the one that is marked, else web, else the only one.
func started(marked string, all []launch.Process) string {
	switch {
	case marked != "":
		return marked
	case slices.ContainsFunc(all, func(p launch.Process) bool { return p.Type == "web" }):
		return "web"
	case len(all) == 1:
		return all[0].Type
	}
	return ""
}

// launchAPI is the Buildpack API by whose rules the launcher starts processes. A process that is not direct needs 0.8,
// the last that has shell processes; launchers since 0.18 know none below 0.7.
func launchAPI(pf *packfile.Packfile) string {
	shell := slices.ContainsFunc(pf.Processes, func(p packfile.Process) bool { return !p.Direct })
	v, err := api.Parse(pf.API)
	switch {
	case err != nil: // there is none
	case !v.AtLeast(api.OldestToday):
		return api.OldestToday.String()
	case shell && v.AtLeast(api.DirectOnly):
		return api.LastWithShell.String()
	}
	return pf.API
}
