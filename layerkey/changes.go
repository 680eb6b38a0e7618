package layerkey

import (
	"strconv"
	"strings"

	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/text"
)

// Change is one difference between the key parts of two records. String returns it as part of a line.
type Change struct {
	// Part names the part that differs; it can be printed as it is.
	Part string `json:"part"`
	// How is Added or Removed for a part that only one record has, else "".
	How string `json:"how,omitempty"`
	// Old and New are the values of the records, if they mean something to a reader. They can hold anything.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Files are the files of which version or inputs is a digest, as far as they differ: NAME, "new: NAME" or "gone: NAME".
	// They can be printed as they are.
	Files []string `json:"files,omitempty"`
	// Args are the build arguments that the value was made from, which is not shown then. They can hold anything.
	Args []string `json:"args,omitempty"`
}

// argPart begins the part that names a build argument which steps see.
const argPart = "build arg "

// ChangedArgs returns the names of the build arguments that are changes by themselves, as steps see them. They can be printed as
// they are.
func ChangedArgs(changes []Change) (names []string) {
	for _, c := range changes {
		if name, ok := strings.CutPrefix(c.Part, argPart); ok {
			names = append(names, name)
		}
	}
	return names
}

// Values of Change.How.
const (
	Added   = "added"
	Removed = "removed"
)

// shownChanges is the largest number of changes in a line.
const shownChanges = 3

// String returns the change as a part of a line: "user 0:0 -> 1000:1000", "run script changed", "dep node added". It is
// short, and holds no line breaks or control characters, wherever the records come from.
func (c Change) String() string {
	line := c.Part
	switch old, new := text.Short(c.Old), text.Short(c.New); {
	case c.How != "":
		line += " " + c.How
	case old == new: // also where there are no values
		line += " changed"
	default:
		line += " " + old + " -> " + new
	}
	if len(c.Files) > 0 {
		line += " (" + text.Few(c.Files) + ")"
	}
	if len(c.Args) > 0 {
		shown := make([]string, len(c.Args))
		for i, name := range c.Args {
			shown[i] = text.Short(name)
		}
		line += " (" + argPart + text.Few(shown) + ")"
	}
	return line
}

// Why returns the first changes as one line, without a line feed.
func Why(changes []Change) string {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = c.String()
	}
	return text.First(shownChanges, texts)
}

// Changes returns the differences between the key parts of two records of a layer, the most telling first; nil when the
// parts are equal.
func Changes(old, new Record) []Change {
	var d differences
	used := usedArgs{old.Args, new.Args}
	o, n := old.Parts, new.Parts
	d.digests(old, new)
	d.script("run script", o.Script, n.Script)
	d.deps(o.Deps, n.Deps, used)
	d.table("metadata ", "", o.Metadata, n.Metadata)
	compareLists(&d, "requirements", o.Requires, n.Requires, called[metadata.Table]("requirement"), d.requirement)
	compareLists(&d, "env", o.Env, n.Env, envName, used.env(&d))
	compareLists(&d, "profile scripts", o.Profile, n.Profile, called[string]("profile script"), d.unshown)
	compareLists(&d, "links", o.Links, n.Links, linkName, d.link)
	d.values("version of link ", o.LinkVersions, n.LinkVersions)
	d.values("content of link ", o.LinkContents, n.LinkContents)
	d.value("build image", o.BuildImage, n.BuildImage)
	d.packages("build ", o.Packages, n.Packages)
	d.buildArgs(o.PlatformEnv, n.PlatformEnv)
	d.value("user", o.User, n.User)
	d.value("platform", o.Platform, n.Platform)
	compareLists(&d, "secrets", o.Secrets, n.Secrets, secretName, d.secret)
	compareLists(&d, "ssh", o.SSH, n.SSH, sshName, d.unshown)
	d.value("network", o.Network, n.Network)
	d.flag("restore", o.Restore, n.Restore)
	d.flag("lock-app", o.LockApp, n.LockApp)
	compareLists(&d, "setup scripts", o.Setups, n.Setups, called[Script]("setup script"), d.scriptFields)
	d.value("folder of the layer", o.Layer, n.Layer)
	d.value("step contract", strconv.Itoa(o.Contract), strconv.Itoa(n.Contract))
	return d
}
