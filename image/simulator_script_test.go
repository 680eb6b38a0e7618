package image_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// Simulated scripts: what they see and do.

// script is the actions of a simulated script, as its text.
type script struct {
	Salt    int    `json:"salt,omitempty"`    // changes the script and nothing else
	Reads   string `json:"reads,omitempty"`   // file of the app
	Unless  string `json:"unless,omitempty"`  // it exits with 100 when the file holds this
	Version bool   `json:"version,omitempty"` // it says a version
	Weather bool   `json:"weather,omitempty"` // it gets something from the network that changes
	Tells   bool   `json:"tells,omitempty"`   // it leaves metadata
}

func (s script) text() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// script returns the script of a step.
func (c *box) script() (s script) {
	if c.spec.Script == nil {
		return s
	}
	if err := json.Unmarshal([]byte(c.text(c.spec.Script.File)), &s); err != nil {
		panic(err)
	}
	return s
}

func (c *box) text(file string) string { return c.mounts[step.SpecDir]["/"+file].data }

// answer of a require or test step.
func (b *builder) answer(c *box) step.Result {
	s := c.script()
	read := c.mounts[step.AppDir]["/"+s.Reads].data
	if s.Reads != "" && s.Unless == read {
		return step.Result{Asked: step.Asked{NotWanted: true}}
	}
	md := maps.Clone(c.spec.Metadata)
	if md == nil {
		md = metadata.Table{}
	}
	if s.Version {
		seen := fmt.Sprint(s.Salt, read, c.spec.Platform, c.spec.Requires, c.spec.Links, b.seen(c))
		md["version"] = digest.FromString(seen).Encoded()
	}
	return step.Result{Metadata: md}
}

// seen returns what a step sees of other layers: their files and their names, by the place where it sees them.
func (b *builder) seen(c *box) map[string]string {
	seen := map[string]string{}
	for _, link := range c.spec.Links {
		if link.Cache && !c.cached[link.Dir] {
			b.t.Fatalf("cache %s is not mounted", link.Dir)
		}
		if link.Dir == "" || link.Cache {
			continue
		}
		files, ok := c.mounts[link.Dir]
		if !ok {
			b.t.Fatalf("linked layer %s is not mounted", link.Dir)
		}
		seen[link.Dir] = files.digest(false)
		if link.VersionAs != "" || link.MetadataAs != "" {
			md, ok := c.mounts[path.Join(step.LinksDir, link.Name)]
			if !ok {
				b.t.Fatalf("metadata of linked layer %s is not mounted", link.Name)
			}
			seen["metadata "+link.Name] = md.digest(false)
		}
	}
	for _, dirs := range c.spec.Exposed {
		for _, dir := range dirs {
			files, ok := c.mounts[dir]
			if !ok {
				b.t.Fatalf("exposed layer %s is not mounted", dir)
			}
			seen[dir] = files.digest(false)
		}
	}
	return seen
}

// make runs a run step: its output is a function of everything that it sees.
func (b *builder) make(c *box) {
	s := c.script()
	md := maps.Clone(c.spec.Metadata)
	if md == nil {
		md = metadata.Table{}
	}
	scripts := c.spec.Script != nil || len(c.spec.Setups) > 0
	what := fmt.Sprint(c.spec.Env, c.spec.Profile, c.spec.LayerDir)
	layer := tree{}
	if scripts {
		seen := b.seen(c)
		for _, dir := range slices.Sorted(maps.Keys(seen)) {
			if strings.HasPrefix(dir, "/") {
				layer[path.Join(c.spec.LayerDir, "saw", strings.ReplaceAll(dir, "/", "_"))] = entry{data: seen[dir]}
			}
		}
		app := c.mounts[step.AppDir].digest(false)
		what += fmt.Sprint(s, app, seen, c.spec.Metadata, c.spec.Platform, c.spec.Links, c.spec.Exposed, c.spec.Requires)
		for _, setup := range c.spec.Setups {
			what += c.text(setup.Script.File)
		}
	}
	if s.Weather {
		what += b.weather
	}
	id := digest.FromString(what).Encoded()
	if s.Tells {
		md["told"] = id
	}
	layer[c.spec.LayerDir+"/made"] = entry{data: id}
	for name := range maps.Clone(layer) {
		layer.put(path.Dir(name), nil, 0)
	}
	c.out[step.SealedDir] = layer.timed(c.spec.Time)
	b.ran[c.spec.LayerDir] = c.out[step.SealedDir]
	c.result(step.ResultFile, step.Result{Metadata: md})
	c.leave(step.OutDir, "/"+step.MetadataDir+"/.", "")
	var tell func(dir string, table metadata.Table)
	tell = func(dir string, table metadata.Table) {
		for name, value := range table {
			if text, ok := value.(string); ok {
				c.leave(step.OutDir, path.Join(dir, name), metadata.ToFile(text))
			} else {
				tell(path.Join(dir, name), value.(metadata.Table))
			}
		}
	}
	tell("/"+step.MetadataDir, md)
	delete(c.out[step.OutDir], "/"+step.MetadataDir+"/.")
	c.out[step.AppDir] = maps.Clone(c.mounts[step.AppDir])
	if c.out[step.AppDir] != nil {
		c.out[step.AppDir]["/changed-by-"+strings.ReplaceAll(c.spec.LayerDir, "/", "_")] = entry{data: id}
	}
}
