package image

import (
	"slices"

	"github.com/packfile/frontend/cnb/api"
	"github.com/packfile/frontend/cnb/launch"
	"github.com/packfile/frontend/packfile"
)

// metadata returns what the launcher reads (CNB Platform API, "metadata.toml"): modules, processes and slices in group order.
func (g assembly) metadata() (md launch.Metadata) {
	owners := g.ProcessOwners()
	for _, m := range g.Modules {
		pf := m.Packfile
		md.Buildpacks = append(md.Buildpacks, launch.Buildpack{
			ID: m.ID(), Version: m.Version(), API: launchAPI(pf), Homepage: pf.Config.Homepage,
		})
		for _, p := range pf.Processes {
			if owners[p.Type] != m {
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

// defaultProcess returns the type that the image starts, "" when there is none. The type that the packfile being built would
// start alone goes first. Then comes the last type that a module marks default, unless a later module has another process of that
// type, then web, and then the only type.
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

// started returns the type that an image with some processes starts: the marked one, else web, else the only one. It returns ""
// when there is none of these.
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

// launchAPI returns the Buildpack API by whose rules the launcher starts processes. A process that is not direct needs 0.8, the
// last version with shell processes. Launchers since 0.18 know no version below 0.7.
func launchAPI(pf *packfile.Packfile) string {
	shell := slices.ContainsFunc(pf.Processes, func(p packfile.Process) bool { return !p.Direct })
	v, err := api.Parse(pf.API)
	switch {
	case err != nil: // the packfile names none
	case !v.AtLeast(api.OldestToday):
		return api.OldestToday.String()
	case shell && v.AtLeast(api.DirectOnly):
		return api.LastWithShell.String()
	}
	return pf.API
}
