package frontend

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/convert"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/tree"
)

// defaultUser is the user of steps and of the app image when nothing says another: an unprivileged one.
const defaultUser = "1000:1000"

// users are the owner of steps and files, in numbers, and the user of the app image: config.user, else the images' CNB
// user, else their user, else an unprivileged one.
func (b *build) users(ctx context.Context, im images) (owner llb.Owner, user string, err error) {
	name := b.pf.Config.User
	if name == "" {
		name = imageUser(im.build.Config)
	}
	owner, err = b.lookUpUser(ctx, name, im.build)
	if err != nil {
		if b.pf.Config.Has("user") {
			return owner, "", b.errorAt(b.pf.Config.At("user"), "user %q: %v", name, err)
		}
		return owner, "", fmt.Errorf("user %q of the build image: %w", name, err)
	}
	if b.pf.Config.User != "" {
		return owner, owner.String(), nil
	}
	return owner, imageUser(im.run.Config), nil
}

// imageUser is the user that an image is made for.
func imageUser(img *dockerspec.DockerOCIImage) string {
	if img == nil {
		return defaultUser
	}
	var uid, gid string
	for _, kv := range img.Config.Env {
		if v, ok := strings.CutPrefix(kv, "CNB_USER_ID="); ok {
			uid = v
		}
		if v, ok := strings.CutPrefix(kv, "CNB_GROUP_ID="); ok {
			gid = v
		}
	}
	switch {
	case isID(uid) && isID(gid): // they are numbers, or not meant
		return uid + ":" + gid
	case img.Config.User != "":
		return img.Config.User
	}
	return defaultUser
}

// lookUpUser turns a user into numbers; names are looked up in the image's /etc/passwd and /etc/group.
func (b *build) lookUpUser(ctx context.Context, user string, img convert.Base) (llb.Owner, error) {
	name, group, hasGroup := strings.Cut(user, ":")
	var owner llb.Owner
	var err error
	if owner.UID, err = knownID(name); err != nil {
		uid, gid, err := b.lookUp(ctx, img, "/etc/passwd", name)
		if err != nil {
			return owner, err
		}
		owner = llb.Owner{UID: uid, GID: gid}
	} else {
		owner.GID = owner.UID
	}
	if !hasGroup {
		return owner, nil
	}
	if owner.GID, err = knownID(group); err != nil {
		if owner.GID, _, err = b.lookUp(ctx, img, "/etc/group", group); err != nil {
			return owner, err
		}
	}
	return owner, nil
}

// maxNames is the size limit of a passwd or group file, in bytes.
const maxNames = 4 << 20

// lookUp finds a name in a passwd or group file and returns its third and, if it is a number, fourth field. The file may be a
// link: it leads to where it leads in a container of the image, never out of it.
func (b *build) lookUp(ctx context.Context, img convert.Base, file, name string) (id, second int, err error) {
	if img.State.Output() == nil {
		return 0, 0, fmt.Errorf("the build image has no %s to look %q up in", file, name)
	}
	only := bk.Scratch().File(bk.Copy(img.State, file, "/names", &bk.CopyInfo{FollowSymlinks: true}),
		bk.WithCustomName("[internal] look up user"))
	ref, err := b.solve(ctx, only)
	if err != nil {
		return 0, 0, fmt.Errorf("%s of the build image cannot be read: %v", file, err)
	}
	// What is no regular file is not opened: a named pipe would be waited for.
	stat, err := ref.StatFile(ctx, gw.StatRequest{Path: "/names"})
	if err != nil {
		return 0, 0, err
	}
	if !fs.FileMode(stat.Mode).IsRegular() {
		return 0, 0, fmt.Errorf("%s of the build image is no regular file", file)
	}
	data, err := tree.Folder{Files: files{ref}}.Read(ctx, "names", maxNames)
	if err != nil {
		return 0, 0, fmt.Errorf("%s of the build image: %w", file, err)
	}
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		f := strings.Split(sc.Text(), ":")
		if len(f) < 4 || f[0] != name {
			continue
		}
		if id, err = parseID(f[2]); err != nil {
			return 0, 0, fmt.Errorf("%s: entry of %q has no number", file, name)
		}
		second, _ = parseID(f[3])
		return id, second, nil
	}
	return 0, 0, fmt.Errorf("no such name in %s of the build image", file)
}

// isID says whether a user or group is given by its number.
func isID(s string) bool {
	_, err := parseID(s)
	return err == nil
}

// hasName says whether a user, or the group behind a colon, is given by a name that has to be looked up.
func hasName(user string) bool {
	name, group, hasGroup := strings.Cut(user, ":")
	_, unknownUser := knownID(name)
	_, unknownGroup := knownID(group)
	return user != "" && unknownUser != nil || hasGroup && unknownGroup != nil
}

// parseID reads a user or group id.
func parseID(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// knownID is the id of a user or group that needs no look into the image: a number, or root, which every kernel has as 0
// whatever files an image has.
func knownID(s string) (int, error) {
	if s == "root" {
		return 0, nil
	}
	return parseID(s)
}
