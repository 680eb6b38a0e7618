package convert

import (
	"maps"
	"strconv"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/step"
)

// recipe is what is known of a settled layer before anything is built for it.
type recipe struct {
	run    process // the run step, but for the app and links that it sees
	record layerkey.Record
}

// recipe of a layer that is settled, as are those that it links.
func (d *Decisions) recipe(l *layer) (*recipe, error) {
	if p, ok := d.recipes[l]; ok {
		return p, nil
	}
	p := &recipe{run: process{
		subject: l.id, module: l.module, files: stepFiles{module: l.module}, access: l.Provide.Access,
		at: []module.Place{l.module.At(l.Range())}, name: "run", noCache: l.noCache,
	}}
	spec := &p.run.spec
	*spec = step.Spec{
		Kind:     step.Run,
		Layer:    l.Name,
		LayerDir: l.dir(),
		Metadata: d.facts.metadata(l, ""),
		Restore:  l.Restore,
	}
	if l.testScript() == nil {
		spec.Requires = l.tables()
	}
	if run := l.Provide.Run; run != nil {
		spec.Script = p.run.files.script(run, l.Name+".run")
		p.run.network, p.run.at = run.Network, []module.Place{l.module.At(scriptRange(run))}
	}
	for i := range l.Provide.Profile {
		spec.Profile = append(spec.Profile, p.run.files.add(&l.Provide.Profile[i], l.Name+".profile."+strconv.Itoa(i)))
	}
	spec.Setups = l.setups(&p.run.files)
	var err error
	if spec.Env, err = d.envFiles(l); err != nil {
		return nil, err
	}
	if spec.Deps, p.run.mounts, err = d.deps(l); err != nil {
		return nil, err
	}
	p.record.Name = l.Name
	for _, kind := range []QuestionKind{Inputs, Tested} {
		if r := d.facts[Question{l.id, kind}]; r.FileDigests != nil {
			p.record.Files = r.FileDigests
		}
	}
	if p.record.Parts, err = d.keyParts(l, p.run); err != nil {
		return nil, err
	}
	if p.record.Key, err = p.record.Parts.Key(); err != nil {
		return nil, err
	}
	d.recipes[l] = p
	if !p.run.runsScripts() {
		return p, nil // its spec says all that it depends on, and the key more: the platform
	}
	spec.Key = p.record.Key
	return p, p.run.files.addRecord(p.record)
}

// keyParts is what the key of a layer is made of.
func (d *Decisions) keyParts(l *layer, p process) (layerkey.Parts, error) {
	parts := layerkey.Parts{
		Contract:    step.Contract,
		Layer:       p.spec.LayerDir,
		Platform:    platformString(d.in.Platform),
		BuildImage:  d.in.Build.Digest.String(),
		User:        d.in.Owner.String(),
		Script:      l.module.ScriptPart(l.Provide.Run),
		Version:     d.facts.version(l),
		Metadata:    maps.Clone(p.spec.Metadata),
		LockApp:     l.Provide.LockApp,
		Restore:     l.Restore,
		Network:     d.netMode(p).String(),
		SSH:         p.access.SSH,
		PlatformEnv: layerkey.Env(d.in.Args),
		Env:         p.spec.Env,
	}
	delete(parts.Metadata, "version")
	if l.requiredByOthers() {
		parts.Requires = p.spec.Requires
	}
	if r, ok := d.facts[Question{l.id, Inputs}]; ok {
		parts.Inputs, _ = r.Metadata["version"].(string)
	}
	for _, s := range p.access.Secrets {
		parts.Secrets = append(parts.Secrets, s.ID+":"+s.PathAs+":"+s.EnvAs)
	}
	for _, dep := range p.spec.Deps {
		parts.Deps = append(parts.Deps, layerkey.Dep{
			Name: dep.Name, Version: dep.Version, URI: layerkey.Redact(dep.URI), SHA: dep.SHA, Metadata: dep.Metadata,
		})
	}
	for i := range l.Provide.Profile {
		parts.Profile = append(parts.Profile, digestOf(l.module.Text(&l.Provide.Profile[i])))
	}
	for _, k := range l.links {
		linked := layerkey.Link{Name: k.shown(), Exposed: k.exposed, PathAs: k.PathAs, VersionAs: k.VersionAs, MetadataAs: k.MetadataAs}
		if k.layer != nil && k.layer.module != l.module {
			linked.Layer = k.layer.dir()
		}
		parts.Links = append(parts.Links, linked)
		if k.cache != nil && k.cache.Setup != nil {
			parts.Setups = append(parts.Setups, *l.module.ScriptPart(k.cache.Setup))
		}
		if k.layer == nil || d.facts.status(k.layer) == dropped {
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

func put(m map[string]string, k, v string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[k] = v
	return m
}
