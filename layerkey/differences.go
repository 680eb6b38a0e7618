package layerkey

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// differences are the changes found so far.
type differences []Change

func (d *differences) add(c Change) { *d = append(*d, c) }

// value compares two values; "" means that there is none.
func (d *differences) value(part, old, new string) {
	if old == new {
		return
	}
	c := Change{Part: part, Old: old, New: new}
	switch {
	case old == "":
		c.How = Added
	case new == "":
		c.How = Removed
	}
	d.add(c)
}

func (d *differences) flag(part string, old, new bool) {
	d.value(part, strconv.FormatBool(old), strconv.FormatBool(new))
}

// unshown compares values that mean nothing to a reader, and does not show them.
func (d *differences) unshown(part, old, new string) {
	if old != new {
		d.add(Change{Part: part})
	}
}

// values compares values by name.
func (d *differences) values(part string, old, new map[string]string) {
	for _, name := range names(old, new) {
		o, was := old[name]
		n, is := new[name]
		c := Change{Part: part + text.Short(name), Old: o, New: n}
		switch {
		case !was:
			c.How = Added
		case !is:
			c.How = Removed
		case o == n:
			continue
		}
		d.add(c)
	}
}

// names returns the keys of both maps, sorted.
func names[V any](a, b map[string]V) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b)))))
}

// digests compares version and inputs, which may be digests of files, and adds the files that differ.
func (d *differences) digests(old, new Record) {
	o, n := old.Parts, new.Parts
	files := changedFiles(old.Files, new.Files)
	var version, inputs differences
	version.value("version", o.Version, n.Version)
	// When nothing else gives a version, it is the digest of inputs, and one change is enough.
	if o.Inputs != o.Version || n.Inputs != n.Version {
		inputs.value("inputs", o.Inputs, n.Inputs)
	}
	switch {
	case len(version) > 0 && (isDigest(o.Version) || isDigest(n.Version)):
		version[0].Files = files
	case len(inputs) > 0:
		inputs[0].Files = files
	}
	*d = slices.Concat(*d, version, inputs)
}

// changedFiles compares the digests of files and returns the changed ones, then new ones, then those that are gone.
func changedFiles(old, new map[string]string) []string {
	if old == nil || new == nil {
		return nil
	}
	var changed, added, gone []string
	for _, name := range names(old, new) {
		o, was := old[name]
		n, is := new[name]
		switch {
		case !was:
			added = append(added, "new: "+text.Short(name))
		case !is:
			gone = append(gone, "gone: "+text.Short(name))
		case o != n:
			changed = append(changed, text.Short(name))
		}
	}
	return slices.Concat(changed, added, gone)
}

func (d *differences) script(part string, old, new *Script) {
	switch {
	case old == nil && new == nil:
	case old == nil:
		d.add(Change{Part: part, How: Added})
	case new == nil:
		d.add(Change{Part: part, How: Removed})
	default:
		d.scriptFields(part, *old, *new)
	}
}

func (d *differences) scriptFields(part string, old, new Script) {
	d.unshown(part, old.Digest, new.Digest)
	if !reflect.DeepEqual(old.Shell, new.Shell) { // in the key, none is not an empty one
		d.add(Change{Part: "shell of " + part, Old: strings.Join(old.Shell, " "), New: strings.Join(new.Shell, " ")})
	}
	place := map[bool]string{false: "$APP", true: "$LAYER"}
	d.value("folder in which "+part+" starts", place[old.InLayer], place[new.InLayer])
}

// requirement compares the metadata that one module gives the layer.
func (d *differences) requirement(part string, old, new metadata.Table) {
	d.table(part+": ", "", old, new)
}

// deps compares deps by name. When several deps share a name, each version is a dep of its own.
func (d *differences) deps(old, new []Dep, used usedArgs) {
	several := map[string]bool{}
	for _, deps := range [][]Dep{old, new} {
		seen := map[string]bool{}
		for _, dep := range deps {
			several[dep.Name] = several[dep.Name] || seen[dep.Name]
			seen[dep.Name] = true
		}
	}
	nameOf := func(dep Dep) name {
		if several[dep.Name] {
			return name{[2]string{dep.Name, dep.Version}, "dep " + strings.TrimSuffix(text.Short(dep.Name)+"@"+text.Short(dep.Version), "@")}
		}
		return name{[2]string{dep.Name}, "dep " + text.Short(dep.Name)}
	}
	compareLists(d, "deps", old, new, nameOf, func(part string, old, new Dep) {
		var changes differences
		changes.dep(part, old, new)
		if args := used.of(DepPart(old.Name)); args != nil && len(changes) > 0 {
			changes = differences{{Part: part, Args: args}}
		}
		*d = append(*d, changes...)
	})
}

func (d *differences) dep(part string, old, new Dep) {
	if old.Version != new.Version {
		// Another version naturally has another file and another address.
		d.value(part, old.Version, new.Version)
		return
	}
	d.value(part+": sha", old.SHA, new.SHA)
	d.value(part+": image", old.Image, new.Image)
	d.value(part+": platform", old.Platform, new.Platform)
	d.value(part+": digest", old.Digest, new.Digest)
	d.value(part+": commit", old.Commit, new.Commit)
	d.value(part+": uri", old.URI, new.URI)
	d.table(part+": metadata ", "", old.Metadata, new.Metadata)
}

// table compares the metadata that stands at path; part is the text before the path.
func (d *differences) table(part, path string, old, new metadata.Table) {
	for _, key := range names(old, new) {
		o, was := old[key]
		n, is := new[key]
		path := text.Cut(path + key)
		oldTable, oldIs := o.(metadata.Table)
		newTable, newIs := n.(metadata.Table)
		if oldIs && newIs {
			d.table(part, path+".", oldTable, newTable)
			continue
		}
		c := Change{Part: part + text.Word(path)}
		c.Old, _ = o.(string)
		c.New, _ = n.(string)
		switch {
		case !was:
			c.How = Added
		case !is:
			c.How = Removed
		case reflect.DeepEqual(o, n):
			continue
		case oldIs || newIs:
			c.Old, c.New = "", ""
		}
		d.add(c)
	}
}

// buildArgs compares digests of values, and does not show them: a short value can be guessed from its digest.
func (d *differences) buildArgs(old, new map[string]string) {
	var args differences
	args.values(argPart, old, new)
	for _, c := range args {
		d.add(Change{Part: c.Part, How: c.How})
	}
}

func envName(e step.EnvFile) name {
	return name{[2]string{e.Dir, e.Name}, text.Short(e.Dir) + " " + text.Short(e.Name)}
}

// EnvPart returns the name of a variable of a layer in Record.Args.
func EnvPart(dir, name string) string { return dir + " " + name }

// DepPart returns the name of a layer's deps of a name in Record.Args.
func DepPart(name string) string { return "dep " + name }

// usedArgs are the build arguments that templates of two records use: see Record.Args.
type usedArgs [2]map[string][]string

// of returns those that either record names for a part, sorted.
func (u usedArgs) of(part string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(u[0][part], u[1][part]))))
}

// env returns a function that compares two variables. The value of a build argument is not shown: it may be a secret by mistake.
func (u usedArgs) env(d *differences) func(part string, old, new step.EnvFile) {
	return func(part string, old, new step.EnvFile) {
		args := u.of(EnvPart(new.Dir, new.Name))
		switch {
		case old.Value == new.Value:
		case args != nil:
			d.add(Change{Part: part, Args: args})
		default:
			d.add(Change{Part: part, Old: old.Value, New: new.Value})
		}
		d.value(part+": op", old.Op, new.Op)
		d.value(part+": delim", old.Delim, new.Delim)
	}
}

func linkName(l Link) name {
	if l.Exposed {
		return name{[2]string{l.Name, "exposed"}, "exposed layer " + text.Short(l.Name)}
	}
	return name{[2]string{l.Name}, "link " + text.Short(l.Name)}
}

func (d *differences) link(part string, old, new Link) {
	d.value(part+": layer", old.Layer, new.Layer)
	d.value(part+": path-as", old.PathAs, new.PathAs)
	d.value(part+": version-as", old.VersionAs, new.VersionAs)
	d.value(part+": metadata-as", old.MetadataAs, new.MetadataAs)
	d.values(part+": app-symlink ", old.AppSymlinks, new.AppSymlinks)
}

// secretName returns the id of a secret, without the variables that it is put into.
func secretName(secret string) name {
	id, _, _ := strings.Cut(secret, ":")
	return name{[2]string{id}, "secret " + text.Short(id)}
}

func (d *differences) secret(part, old, new string) { d.unshown("variables of "+part, old, new) }

func sshName(id string) name { return name{[2]string{id}, "ssh " + text.Short(id)} }

// called returns a function that gives every entry the same name, for entries that have none.
func called[T any](part string) func(T) name { return func(T) name { return name{part: part} } }

// name is the name of an entry of a list: entries with the same id are compared, and a Change shows part.
type name struct {
	id   [2]string
	part string
}

// compareLists compares the entries of two lists by name; among entries with the same name it compares the first with the
// first, and so on. what names the whole list.
func compareLists[T any](d *differences, what string, old, new []T, nameOf func(T) name, compare func(part string, old, new T)) {
	oldNames, newNames := uniqueNames(old, nameOf), uniqueNames(new, nameOf)
	added := map[name]T{}
	for i, n := range newNames {
		added[n] = new[i]
	}
	same := true
	for i, n := range oldNames {
		if entry, is := added[n]; is {
			compare(n.part, old[i], entry)
			delete(added, n)
			continue
		}
		d.add(Change{Part: n.part, How: Removed})
		same = false
	}
	for _, n := range newNames {
		if _, is := added[n]; is {
			d.add(Change{Part: n.part, How: Added})
			same = false
		}
	}
	if same && !slices.Equal(oldNames, newNames) {
		d.add(Change{Part: "order of " + what})
	}
}

// uniqueNames returns the names of entries, with a number for the second of a name and those after it.
func uniqueNames[T any](entries []T, nameOf func(T) name) []name {
	list := make([]name, len(entries))
	count := map[[2]string]int{}
	for i, entry := range entries {
		list[i] = nameOf(entry)
		count[list[i].id]++
		if n := count[list[i].id]; n > 1 {
			list[i].part += fmt.Sprintf(" (%d)", n)
		}
	}
	return list
}
