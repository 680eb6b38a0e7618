package convert

import (
	"net/url"
	"path"
	"regexp"

	bk "github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/packfile"
)

// fileNamePattern is what the name of a dep's file may be, if it is to be the last part of its address.
var fileNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+~=@,-]{0,199}$`)

// depSource is where a rendered dep comes from, and the file's name in it: the packfile's own folder when that has the
// file deps/NAME@VERSION, else the network, checked against the dep's SHA-256.
func (b *Build) depSource(l *layer, written *packfile.Dep, d packfile.Dep, id string) (bk.State, string, error) {
	if l.module.Offline[id] {
		// As a fetched one is: a step may leave what it finds.
		info := &bk.CopyInfo{Mode: &bk.ChmodOpt{Mode: 0o644}, CreatedTime: &DefaultTime}
		src := bk.Scratch().File(bk.Copy(l.module.Files, path.Join("/", l.module.Dir, "deps", id), "/"+id, info, bk.WithUIDGID(0, 0)), bk.WithCustomName(b.name(l.id, "dep "+id)))
		return src, id, nil
	}
	u, err := url.Parse(d.URI)
	if err != nil {
		return bk.State{}, "", l.module.fail(written.At("uri"), "layer %q: dep %s: %v", l.Name, id, err)
	}
	file := path.Base(u.Path)
	if !fileNamePattern.MatchString(file) {
		file = d.Name
	}
	src := bk.HTTP(d.URI,
		bk.Checksum(digest.NewDigestFromEncoded(digest.SHA256, d.SHA)),
		bk.Filename(file),
		bk.Chmod(0o644),
		bk.WithCustomName(b.name(l.id, "fetch "+id)),
		l.module.at(written.At("uri")).location())
	return src, file, nil
}
