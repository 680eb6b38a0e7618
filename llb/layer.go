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

// Normalize returns a copy of a whole tree in which every file has the time t, so that the layer made of it depends only
// on its files. It must be the last operation of a layer: any later file operation would set the times of the folders
// that it touches to now. The daemon copies all files.
func Normalize(tree bk.State, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	return bk.Scratch().File(bk.Copy(tree, "/", "/", &bk.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &t}), opts...)
}

// Tree says how CopyTree fills a folder from another tree.
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

// CopyTree returns a tree with the content of its base and folder To, a normalised copy of a part of src. The daemon
// copies the files.
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
	// Folders that existed before, and folders that the copy makes for entries below them, have the time of the copy.
	name := bk.WithCustomName("[internal] select files")
	tree := base.File(bk.Copy(src, from, c.To, copyOpts...), append(opts[:len(opts):len(opts)], name)...)
	return Normalize(tree, c.Time, opts...)
}

// EmptyDir returns a tree with one empty folder at path, which may have parents, for a step to write to.
func EmptyDir(path string, owner Owner, opts ...bk.ConstraintsOpt) bk.State {
	return bk.Scratch().File(bk.Mkdir(path, 0o755, bk.WithParents(true), bk.WithUIDGID(owner.UID, owner.GID)), opts...)
}

// CopyLayer returns the layer of an image that is in folder dir: everything that the image has there, with the time t, in
// folders of owner. The daemon downloads the image for it.
func CopyLayer(image bk.State, dir string, owner Owner, t time.Time, opts ...bk.ConstraintsOpt) bk.State {
	// The folders above may come from another layer.
	above := EmptyDir(dir, owner, bk.WithCustomName("[internal] new layer"))
	return CopyTree(image, Tree{Base: &above, To: "/", Include: []string{strings.TrimPrefix(dir, "/")}, Time: t}, opts...)
}
