package llb

import (
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
)

// Owner is the numeric owner of files and processes.
type Owner struct {
	UID, GID int
}

// String returns the form uid:gid that images and exec operations take.
func (o Owner) String() string { return strconv.Itoa(o.UID) + ":" + strconv.Itoa(o.GID) }

// Normalize copies a whole tree and gives every file of it the time t, so that the layer made of it depends on nothing
// but its files. It has to be the last operation of a layer: any file operation after it would set the times of the
// folders that it touches to now.
func Normalize(tree bk.State, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	return bk.Scratch().File(bk.Copy(tree, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &t}), opts...)
}

// Tree is how CopyTree fills a folder from another tree.
type Tree struct {
	Base    *bk.State // tree that it is copied into, an empty one when nil
	From    string    // folder in the source, "/" when empty
	To      string    // folder that is created
	Owner   *Owner    // owner of everything copied; as it was when nil
	Mode    string    // what chmod(1) would do to everything copied; nothing when empty
	Include []string  // patterns of what to copy, as in .dockerignore; everything when empty
	Exclude []string  // patterns of what to leave out
	Time    time.Time
}

// CopyTree returns a tree that holds nothing but folder To, a normalised copy of a part of src, and what was in its base.
func CopyTree(src bk.State, c Tree, opts ...bk.ConstraintsOpt) bk.State {
	info := &bk.CopyInfo{
		CopyDirContentsOnly: true,
		CreateDestPath:      true,
		IncludePatterns:     c.Include,
		ExcludePatterns:     c.Exclude,
		CreatedTime:         &c.Time,
	}
	if c.Mode != "" {
		info.Mode = &bk.ChmodOpt{ModeStr: c.Mode}
	}
	copyOpts := []bk.CopyOption{info}
	if c.Owner != nil {
		copyOpts = append(copyOpts, bk.WithUIDGID(c.Owner.UID, c.Owner.GID))
	}
	from := c.From
	if from == "" {
		from = "/"
	}
	if c.Base == nil && len(c.Include) == 0 {
		return bk.Scratch().File(bk.Copy(src, from, c.To, copyOpts...), opts...)
	}
	base := bk.Scratch()
	if c.Base != nil {
		base = *c.Base
	}
	// Folders that were there before, and those that are only there because of something below them, have the time of
	// the copy.
	name := bk.WithCustomName("[internal] select files")
	tree := base.File(bk.Copy(src, from, c.To, copyOpts...), append(opts[:len(opts):len(opts)], name)...)
	return Normalize(tree, c.Time, opts...)
}

// EmptyDir returns a tree with one empty folder at path, which may have parents, for a step to write to.
func EmptyDir(path string, owner Owner, opts ...bk.ConstraintsOpt) bk.State {
	return bk.Scratch().File(bk.Mkdir(path, 0o755, bk.WithParents(true), bk.WithUIDGID(owner.UID, owner.GID)), opts...)
}

// CopyLayer returns a layer of an image as it was before it became one: all that the image has in folder dir, with the
// time t, in folders of owner. The image has to be downloaded for it.
func CopyLayer(image bk.State, dir string, owner Owner, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	// The folders above are those of another layer by now.
	above := EmptyDir(dir, owner, bk.WithCustomName("[internal] new layer"))
	return CopyTree(image, Tree{Base: &above, To: "/", Include: []string{strings.TrimPrefix(dir, "/")}, Time: t}, opts...)
}
