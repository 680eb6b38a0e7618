package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
)

// Decisions are what becomes of the layers of a graph under some facts. They follow from the facts alone: the questions asked,
// and their order, do not count. A decision stays as it is when facts are added (With). One goroutine uses them.
//
// A kept layer runs when a step that runs looks into it. Such steps belong to layers that come after it, and what becomes of
// those may depend on the content of the kept layer. So only certain things count: a layer is reused from the previous image when
// no layer that it looks into may run, or when those that run are described and did not change.
type Decisions struct {
	*Graph
	facts   facts
	decided map[*Layer]*Decision
	same    map[*Layer]layerkey.Record // records of the previous image that have the key of the layer
	runs    map[*Layer]bool            // the run step is part of the build, whether it is cached or not
	mayRun  map[*Layer]bool            // like runs, or not certain yet

	// Results computed from all that. More facts change none of them, so With hands them on.
	readiness map[*Layer]bool
	recipes   map[*Layer]*recipe
	outputs   map[*Layer]*Output
}

// Decide returns what becomes of all layers under some facts. It fails when a key cannot be made.
func (g *Graph) Decide(f fact.Facts) (*Decisions, error) {
	d := &Decisions{Graph: g, facts: facts(f), recipes: map[*Layer]*recipe{}, outputs: map[*Layer]*Output{}}
	return d, d.decide()
}

// With returns what Decide would return under these facts and some more. It computes nothing twice.
func (d *Decisions) With(more fact.Facts) (*Decisions, error) {
	next := *d
	next.facts = facts(fact.Facts(d.facts).With(more))
	next.recipes, next.outputs = maps.Clone(d.recipes), maps.Clone(d.outputs)
	if d.complete() {
		return &next, nil
	}
	return &next, next.decide()
}

// complete reports whether everything is decided. Then more facts change nothing.
func (d *Decisions) complete() bool { return len(d.decided) == len(d.Layers) }

// decide finds out what becomes of all layers. It fails when a key cannot be made.
func (d *Decisions) decide() error {
	d.decided, d.same, d.readiness = map[*Layer]*Decision{}, map[*Layer]layerkey.Record{}, map[*Layer]bool{}
	for _, l := range d.Layers {
		if err := d.decideByKey(l); err != nil {
			return err
		}
	}
	d.decideTogether()
	var err error
	d.mayRun, err = d.spread(func(l *Layer) bool { return d.decided[l] == nil && !d.hasSame(l) }, d.mayChange)
	for more := true; more && err == nil; {
		d.runs, err = d.spread(d.isDescribed, nil)
		more = false
		for _, l := range d.Layers {
			if d.decided[l] != nil || !d.hasSame(l) || err != nil {
				continue
			}
			var made *Decision
			if made, err = d.decideByContent(l); made != nil {
				d.decided[l], more = made, true
				d.decideTogether()
			}
		}
	}
	return err
}

// decideTogether makes all layers of a maker built when one of them is.
func (d *Decisions) decideTogether() {
	isMade := func(l *Layer) bool { return d.decided[l] != nil && d.decided[l].Action == Made }
	for _, together := range d.makes {
		i := slices.IndexFunc(together, isMade)
		if i < 0 {
			continue
		}
		for _, l := range together {
			if d.hasSame(l) && !isMade(l) {
				d.decided[l] = &Decision{Action: Made, Reason: "it is made together with " + d.Shown(together[i])}
			}
		}
	}
}

func (d *Decisions) hasSame(l *Layer) bool { _, ok := d.same[l]; return ok }

// isDescribed reports whether it is known what the run step of a layer left.
func (d *Decisions) isDescribed(l *Layer) bool {
	_, ok := d.facts[fact.Question{Layer: l.ID, Kind: fact.Built}]
	return ok
}

// decideByKey decides about a layer when that needs no content of other layers, and finds the layer's record with the same key.
func (d *Decisions) decideByKey(l *Layer) error {
	made := func(reason string) error {
		d.decided[l] = &Decision{Action: Made, Reason: reason}
		return nil
	}
	switch d.facts.status(l) {
	case dropped:
		d.decided[l] = &Decision{Action: NotCreated}
		return nil
	case open:
		return nil
	case settled:
	}
	if d.Previous == nil {
		return made("")
	}
	if !d.facts.keyed(l) {
		return nil
	}
	r, err := d.recipe(l)
	if err != nil {
		return err
	}
	old, known := d.Previous.Record(r.record.Parts.Layer)
	switch {
	case !known:
		return made("the previous image does not have it")
	case old.Key != r.record.Key && old.Key != "":
		d.decided[l] = &Decision{Action: Made, Changes: layerkey.Changes(old, r.record)}
		return nil
	case l.Provide.LockApp:
		return made("it changes the app")
	case r.record.Parts.Version == "":
		return made("it has no version")
	case l.noCache:
		return made("no cache is wanted")
	case !d.Build.Exact || old.Key == "":
		return made("the build image has no digest")
	case l.Export && old.DiffID == "":
		return made("the previous image has no layer that could be taken over for it")
	}
	if copied, answered := d.facts[fact.Question{Layer: l.ID, Kind: fact.Copied}]; answered && copied.DiffID != old.DiffID {
		return made("the previous image does not hold it as its label says")
	}
	if unsaid := d.unsaid(l, old); unsaid != nil {
		return made("the previous image does not say what it was built with: " + strings.Join(unsaid, ", "))
	}
	d.same[l] = old
	return nil
}

// keyed reports whether everything is known that goes into the key of a settled layer.
func (f facts) keyed(l *Layer) bool {
	return !slices.ContainsFunc(l.links, func(k link) bool {
		if k.layer == nil {
			return false
		}
		status := f.status(k.layer)
		return status == open || status == settled && k.LinkContent && !f.keyed(k.layer)
	})
}

// unsaid returns the links of a layer whose content cannot be what a record says, or which the record leaves out. The records of
// an image fit together: each layer saw the others as they are in the image.
func (d *Decisions) unsaid(l *Layer, old layerkey.Record) (names []string) {
	for _, k := range l.looksInto() {
		said, ok := old.Links[k.layer.Dir()]
		created := d.facts.status(k.layer) != dropped
		if ok != created {
			names = append(names, k.shown())
			continue
		}
		if other, known := d.Previous.Record(k.layer.Dir()); created && known {
			if content, err := linkContent(k, contentOf(other)); err != nil || content != said {
				names = append(names, k.shown())
			}
		}
	}
	return names
}

// spread returns the layers whose run steps are part of the build if those of some layers are: the layers that starts names,
// layers that are decided so, the target, kept layers that one of these looks into, and layers that more adds.
func (d *Decisions) spread(starts func(*Layer) bool, more func(map[*Layer]bool, *Layer) (bool, error)) (map[*Layer]bool, error) {
	set := map[*Layer]bool{}
	kept := func(l *Layer) bool { return d.hasSame(l) && !l.Export }
	lookInto := func(l *Layer) (grown bool) {
		for _, k := range l.links {
			if k.layer != nil && kept(k.layer) && !set[k.layer] {
				set[k.layer], grown = true, true
			}
		}
		return grown
	}
	for _, l := range d.Layers {
		made := d.decided[l]
		set[l] = starts(l) || made != nil && made.Action == Made || kept(l) && l == d.TargetLayer
		if len(l.required) > 0 && l.maker.fullEnv() {
			lookInto(l) // its test runs, whatever becomes of the layer
		}
	}
	for grown := true; grown; {
		grown = false
		for _, l := range slices.Backward(d.Layers) {
			if set[l] && l.maker.runsScripts() && lookInto(l) {
				grown = true
			}
		}
		if more == nil {
			break // links go to earlier layers, so that was all
		}
		for _, l := range d.Layers {
			if set[l] || !d.hasSame(l) {
				continue
			}
			add, err := more(set, l)
			if err != nil {
				return nil, err
			}
			if add {
				set[l], grown = true, true
			}
		}
	}
	return set, nil
}

// unseen reports whether nobody has looked at a layer that can only be copied out of the previous image. The files in its folder
// may belong to another: to the run image, or to a later build.
func (d *Decisions) unseen(l *Layer) bool {
	_, seen := d.facts[fact.Question{Layer: l.ID, Kind: fact.Copied}]
	return l.Export && d.Previous.IsCopied(l.Dir()) && !seen && !d.BuildNothing
}

// unseenTogether reports whether a layer is unseen that is made together with l: when it is rebuilt, so is l.
func (d *Decisions) unseenTogether(l *Layer) bool {
	return slices.ContainsFunc(d.makes[l.maker], func(l *Layer) bool { return d.hasSame(l) && d.unseen(l) })
}

// mayChange reports whether a layer with the same key may have to be built because of another layer that it looks into, if those
// of a set may run, or because its copy differs.
func (d *Decisions) mayChange(mayRun map[*Layer]bool, l *Layer) (bool, error) {
	if d.unseenTogether(l) {
		return true, nil
	}
	for _, k := range l.looksInto() {
		if !mayRun[k.layer] {
			continue
		}
		if !d.isDescribed(k.layer) {
			return true, nil
		}
		content, err := linkContent(k, d.built(k.layer))
		if err != nil || content != d.same[l].Links[k.layer.Dir()] {
			return true, err
		}
	}
	return false, nil
}

// decideByContent decides about a layer with the same key, once it is certain what it sees of others. Until then it returns nil.
func (d *Decisions) decideByContent(l *Layer) (*Decision, error) {
	links, unknown, err := d.LinkContents(l)
	if unknown != nil || err != nil || d.unseenTogether(l) {
		return nil, err
	}
	var changed []string
	for _, k := range l.looksInto() {
		if dir := k.layer.Dir(); links[dir] != d.same[l].Links[dir] {
			changed = append(changed, k.shown())
		}
	}
	switch {
	case changed != nil:
		return &Decision{Action: Made, Reason: "the content of a layer that it links changed: " + strings.Join(changed, ", ")}, nil
	case l.Export:
		return &Decision{Action: Reused}, nil
	}
	return &Decision{Action: Kept}, nil
}

// LinkContents returns what the run step of a layer sees of others, by LAYER: their content, and their metadata if it asks for
// them. unknown is a layer of which that is not certain yet, nil when there is none.
func (d *Decisions) LinkContents(l *Layer) (contents map[string]string, unknown *Layer, err error) {
	for _, k := range l.looksInto() {
		if d.facts.status(k.layer) == dropped {
			continue
		}
		seen := d.content(k.layer)
		if seen == nil {
			return nil, k.layer, nil
		}
		content, err := linkContent(k, *seen)
		if err != nil {
			return nil, nil, err
		}
		contents = put(contents, k.layer.Dir(), content)
	}
	return contents, nil, nil
}

// content returns what a layer holds, nil while that is not certain.
func (d *Decisions) content(l *Layer) *Description {
	old, same := d.same[l]
	switch {
	case d.runs[l]:
		if !d.isDescribed(l) {
			return nil
		}
		seen := d.built(l)
		return &seen
	case d.mayRun[l] || !same:
		return nil
	}
	seen := contentOf(old)
	return &seen
}

// built returns what the run step of a layer left. The layer must be described.
func (d *Decisions) built(l *Layer) Description {
	r := d.facts[fact.Question{Layer: l.ID, Kind: fact.Built}]
	return Description{Metadata: r.Metadata, Content: r.DiffID, DiffID: r.DiffID}
}
