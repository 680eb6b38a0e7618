package convert

import (
	"strings"

	bk "github.com/moby/buildkit/client/llb"

	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
)

// Action is what becomes of a layer in a build.
type Action string

const (
	Reused     Action = "reused"      // taken over from the previous image, by reference
	Kept       Action = "kept"        // not in the image, as it was for the previous one: built only if a layer that is built links it
	Made       Action = "built"       // found in the build cache, or else its run step runs
	NotCreated Action = "not created" // its require or test step said so
)

// Decision is what becomes of a layer, and why.
type Decision struct {
	Action  Action
	Changes []layerkey.Change // of its key, when the previous image had it with another
	Reason  string            // when it is no change of its key
}

// whyRun is the reason, in a few words, why the run step of a layer that was decided so is part of the build.
func (d *Decision) whyRun() string {
	if d.Action == Kept {
		return "a layer that is built links it"
	}
	return d.why()
}

// why is the reason in a few words, "" when there is none to tell.
func (d *Decision) why() string {
	if len(d.Changes) > 0 {
		return layerkey.Why(d.Changes)
	}
	return d.Reason
}

// Reused is a state that takes everything that the build takes from the previous image, and nothing else; nil when that is
// nothing. It fails if, and only if, the build fails for the sake of the previous image.
func (b *Build) Reused() *bk.State {
	lookedInto := map[*layer]bool{}
	for _, l := range b.layers {
		for _, k := range l.links {
			if b.ran[l] && k.layer != nil {
				lookedInto[k.layer] = true
			}
		}
	}
	var states []bk.State
	for _, l := range b.layers {
		o := b.outputs[l]
		switch {
		case o == nil || !o.reused:
		case lookedInto[l] || !b.in.Previous.time.Equal(b.in.Time):
			states = append(states, llb.Normalize(o.raw, DefaultTime, bk.WithCustomName(b.name(l.id, "content"))))
		default:
			states = append(states, o.raw)
		}
	}
	if states == nil {
		return nil
	}
	all := b.in.Layering.Merge(bk.Scratch(), states, b.in.Previous.time, bk.WithCustomName(b.name("", "layers of the previous image")))
	return &all
}

// decide what becomes of a layer. It is nil while that depends on an open question.
func (b *Build) decide(l *layer, f Facts) (*Decision, error) {
	if d, ok := b.decisions[l]; ok {
		return d, nil
	}
	d, err := b.decideNow(l, f)
	if d != nil {
		b.decisions[l] = d
	}
	return d, err
}

func (b *Build) decideNow(l *layer, f Facts) (*Decision, error) {
	switch f.status(l) {
	case dropped:
		return &Decision{Action: NotCreated}, nil
	case open:
		return nil, nil
	case settled:
	}
	if ready, err := b.linksDecided(l, f); !ready || err != nil {
		return nil, err
	}
	if b.in.Previous == nil {
		return &Decision{Action: Made}, nil
	}
	r, err := b.recipe(l, f)
	if err != nil {
		return nil, err
	}
	made := func(reason string) (*Decision, error) { return &Decision{Action: Made, Reason: reason}, nil }
	old, known := b.in.Previous.records[r.record.Parts.Layer]
	switch {
	case !known:
		return made("the previous image does not have it")
	case old.Key != r.record.Key && old.Key != "":
		return &Decision{Action: Made, Changes: layerkey.Changes(old, r.record)}, nil
	case l.Provide.LockApp:
		return made("it changes the app")
	case r.record.Parts.Version == "":
		return made("it has no version")
	case l.noCache:
		return made("no cache is wanted")
	case !b.in.Build.Exact || old.Key == "":
		return made("the build image has no digest")
	case l.Export && old.DiffID == "":
		return made("the previous image has no layer that could be taken over for it")
	}
	links, open, err := b.linkContents(l, f)
	if err != nil || open {
		return nil, err
	}
	if changed := changedLinks(l, links, old.Links); changed != nil {
		return made("the content of a layer that it links changed: " + strings.Join(changed, ", "))
	}
	if l.Export {
		return &Decision{Action: Reused}, nil
	}
	return &Decision{Action: Kept}, nil
}

// linksDecided says whether it is known of all layers that l links what becomes of them.
func (b *Build) linksDecided(l *layer, f Facts) (bool, error) {
	for _, k := range l.links {
		if k.layer == nil {
			continue
		}
		if d, err := b.decide(k.layer, f); d == nil || err != nil {
			return false, err
		}
	}
	return true, nil
}

// linkContents is what the run step of a layer sees of others: their content, and their metadata if it asks for it. It is
// open while one of them has to be built before that is known.
func (b *Build) linkContents(l *layer, f Facts) (contents map[string]string, open bool, err error) {
	for _, k := range l.links {
		if k.layer == nil || f.status(k.layer) == dropped {
			continue
		}
		seen, err := b.described(k.layer, f)
		if err != nil {
			return nil, false, err
		}
		if seen == nil {
			return nil, true, nil
		}
		content, err := linkContent(k, *seen)
		if err != nil {
			return nil, false, err
		}
		contents = put(contents, k.Name, content)
	}
	return contents, false, nil
}

// linkContent is what a link shows of a layer, as one digest.
func linkContent(k link, seen description) (string, error) {
	if k.VersionAs == "" && k.MetadataAs == "" {
		return seen.content, nil
	}
	return layerkey.DigestJSON(seen.content, seen.metadata)
}

// changedLinks are the names of links that show l something else than a record says. What else the record has is not looked
// at: it comes from a label.
func changedLinks(l *layer, now, old map[string]string) (names []string) {
	for _, k := range l.links {
		if now[k.Name] != old[k.Name] {
			names = append(names, k.Name)
		}
	}
	return names
}
