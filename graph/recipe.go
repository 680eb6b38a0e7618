package graph

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

// recipe is what is known of a settled layer before anything is built for it.
type recipe struct {
	run    container.Process // the run step, without the app and the links that it sees
	task   step.Run          // task of the run step
	record layerkey.Record
}

// recipe returns the recipe of a settled layer whose links are settled too.
func (d *Decisions) recipe(l *Layer) (*recipe, error) {
	of := d.of(l)
	if of.recipe != nil {
		return of.recipe, nil
	}
	r, err := l.maker.recipe(d, l)
	if err == nil {
		of.recipe = r
	}
	return r, err
}

// recipe makes the recipe of the layer: its run step, and its record with the key.
func (of packfileLayer) recipe(d *Decisions, l *Layer) (*recipe, error) {
	p := &recipe{run: container.Process{
		Subject: l.ID, Module: l.Module, Files: container.Files{Module: l.Module}, Access: l.Provide.Access,
		At: []module.Place{l.Module.At(l.Range())}, Name: "run", NoCache: l.noCache,
	}}
	p.run.Spec.Layer = l.Name
	task := step.Run{
		Given:    d.Told(l.Module, p.run.Access, l.args(), d.facts.metadata(l, "")),
		LayerDir: l.Dir(),
		Restore:  l.Restore,
		User:     step.User{UID: d.Owner.UID, GID: d.Owner.GID, Home: d.Build.Home()},
		Time:     container.DefaultTime.Unix(),
	}
	for i := range p.run.Access.SSH {
		task.Agents = append(task.Agents, container.AgentSocket(i))
	}
	if l.testScript() == nil {
		task.Requires = l.tables()
	}
	if run := l.Provide.Run; run != nil {
		task.Script = p.run.Files.Script(run, l.Name+".run")
		p.run.Network, p.run.At = run.Network, []module.Place{l.Module.At(container.ScriptRange(run))}
	}
	for i := range l.Provide.Profile {
		task.Profile = append(task.Profile, p.run.Files.Add(&l.Provide.Profile[i], l.Name+".profile."+strconv.Itoa(i)))
	}
	task.Setups = l.setups(&p.run.Files)
	if !task.RunsScripts() {
		task.Platform = nil // no script sees it, and steps of several platforms can be one
	}
	var err error
	if task.Env, err = d.envFiles(l); err != nil {
		return nil, err
	}
	if task.Deps, p.run.Mounts, err = d.deps(l); err != nil {
		return nil, err
	}
	p.record.Name, p.record.Args = l.Name, usedArgs(l, task.Deps)
	for _, kind := range []fact.Kind{fact.Inputs, fact.Tested} {
		if r := d.facts[fact.Question{Layer: l.ID, Kind: kind}]; r.FileDigests != nil {
			p.record.Files = r.FileDigests
		}
	}
	p.run.Spec.Task = task
	if p.record.Parts, err = of.keyParts(d, p.run, task); err != nil {
		return nil, err
	}
	if p.record.Key, err = p.record.Parts.Key(); err != nil {
		return nil, err
	}
	if task.RunsScripts() { // otherwise its spec names everything that it depends on, and the key would add the platform
		task.Key = p.record.Key
		err = p.run.Files.AddRecord(p.record)
	}
	p.task, p.run.Spec.Task = task, task
	return p, err
}

// keyParts returns the parts of a layer's key.
func (of packfileLayer) keyParts(d *Decisions, p container.Process, task step.Run) (layerkey.Parts, error) {
	l := of.Layer
	parts := layerkey.Parts{
		Contract:    step.Contract,
		Layer:       task.LayerDir,
		Platform:    container.PlatformString(d.Platform),
		BuildImage:  d.Build.Digest.String(),
		User:        d.Owner.String(),
		Script:      l.Module.ScriptPart(l.Provide.Run),
		Version:     d.facts.version(l),
		Metadata:    task.Metadata.Merged(nil),
		LockApp:     l.Provide.LockApp,
		Restore:     l.Restore,
		Network:     d.Network(p).String(),
		SSH:         p.Access.SSH,
		PlatformEnv: layerkey.Env(d.keyArgs(l)),
		Env:         task.Env,
	}
	if d.Packages != nil && task.RunsScripts() {
		parts.Packages = &d.Packages.Key
	}
	delete(parts.Metadata, metadata.Version)
	if l.requiredByOthers() || toldMore(task) {
		parts.Requires = task.Requires
	}
	if r, ok := d.facts[fact.Question{Layer: l.ID, Kind: fact.Inputs}]; ok {
		parts.Inputs = r.Metadata.Text(metadata.Version)
	}
	for _, s := range p.Access.Secrets {
		parts.Secrets = append(parts.Secrets, s.ID+":"+s.PathAs+":"+s.EnvAs)
	}
	for _, dep := range task.Deps {
		parts.Deps = append(parts.Deps, layerkey.Dep{
			Name: dep.Name, Version: dep.Version, URI: layerkey.Redact(dep.URI), SHA: dep.SHA, Content: dep.Content, Metadata: dep.Metadata,
		})
	}
	for i := range l.Provide.Profile {
		parts.Profile = append(parts.Profile, layerkey.Digest(l.Module.Text(&l.Provide.Profile[i])))
	}
	for _, k := range l.links {
		linked := layerkey.Link{Name: k.shown(), Exposed: k.exposed, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		if k.layer != nil && k.layer.Module != l.Module {
			linked.Layer = k.layer.Dir()
		}
		created := k.layer != nil && d.of(k.layer).status != dropped
		if created && task.RunsScripts() {
			for _, s := range k.layer.Provide.AppSymlinks {
				linked.AppSymlinks = put(linked.AppSymlinks, s.Path, s.Target)
			}
		}
		parts.Links = append(parts.Links, linked)
		if k.cache != nil && k.cache.Setup != nil {
			parts.Setups = append(parts.Setups, *l.Module.ScriptPart(k.cache.Setup))
		}
		if !created {
			continue
		}
		if k.LinkVersion {
			parts.LinkVersions = put(parts.LinkVersions, k.Name, d.facts.version(k.layer))
		}
		if k.LinkContent {
			linked, err := d.recipe(k.layer)
			if err != nil {
				return parts, err
			}
			parts.LinkContents = put(parts.LinkContents, k.Name, linked.record.Key)
		}
	}
	return parts, nil
}

// toldMore reports whether what is required of a layer says something to its run script that its metadata does not: a digest of
// matched files goes before the version that the layer's own section asks for.
func toldMore(task step.Run) bool {
	return slices.ContainsFunc(task.Requires, func(t metadata.Table) bool {
		return !reflect.DeepEqual(task.Metadata.Merged(t), task.Metadata.Merged(nil))
	})
}

func put(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}

// setups returns the setup scripts of the caches that a layer links.
func (l *Layer) setups(files *container.Files) []step.Setup {
	var setups []step.Setup
	for _, k := range l.links {
		if k.cache != nil && k.cache.Setup != nil {
			setups = append(setups, step.Setup{
				CacheDir: l.Module.LayerDir(k.Name),
				Script:   *files.Script(k.cache.Setup, k.Name+".setup"),
			})
		}
	}
	return setups
}

// envList is a list of variables of a layer, with the folder that its files are in.
type envList struct {
	dir  string
	vars []packfile.EnvVar
}

func (l *Layer) envLists() []envList {
	return []envList{{"env", l.Provide.Env.Both}, {"env.build", l.Provide.Env.Build}, {"env.launch", l.Provide.Env.Launch}}
}

// envFiles returns the layer's own environment, rendered.
func (g *Graph) envFiles(l *Layer) ([]step.EnvFile, error) {
	var files []step.EnvFile
	args := g.templateArgs(l)
	for _, list := range l.envLists() {
		for _, v := range list.vars {
			value, err := v.Render(l.Dir(), step.AppDir, container.Target(g.Platform), args)
			if err != nil {
				return nil, g.unrendered(l, err)
			}
			files = append(files, step.EnvFile{Dir: list.dir, Name: v.Name, Value: value, Op: v.Op, Delim: v.Delim})
		}
	}
	return files, nil
}
