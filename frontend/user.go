package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/sys/user"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/tree"
)

// defaultUser is the user of steps and of the app image when nothing says another: an unprivileged one.
const defaultUser = "1000:1000"

// users returns the owner of steps and files, in numbers, and the user of the app image: config.user, else the images' CNB user,
// else their user, else an unprivileged one. Names take a solve.
func (b imageFinder) users(ctx context.Context, im images) (owner llb.Owner, user string, err error) {
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

// imageUser returns the user that an image is made for, "" when it says none.
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
	case isID(uid) && isID(gid): // numbers, or not meant to be a user
		return uid + ":" + gid
	case img.Config.User != "":
		return img.Config.User
	}
	return defaultUser
}

// lookUpUser turns a user into numbers. It looks names up in the image's /etc/passwd and /etc/group, which takes a solve.
func (s *solver) lookUpUser(ctx context.Context, text string, img container.Base) (llb.Owner, error) {
	name, group, hasGroup := strings.Cut(text, ":")
	var owner llb.Owner
	var err error
	if owner.UID, err = knownID(name); err != nil {
		names, err := s.readNames(ctx, img, passwdFile, name)
		if err != nil {
			return owner, err
		}
		if owner, err = userIn(names, name); err != nil {
			return owner, err
		}
	} else {
		owner.GID = owner.UID
	}
	if !hasGroup {
		return owner, nil
	}
	if owner.GID, err = knownID(group); err != nil {
		names, err := s.readNames(ctx, img, groupFile, group)
		if err != nil {
			return owner, err
		}
		owner.GID, err = groupIn(names, group)
		return owner, err
	}
	return owner, nil
}

// Files of an image with the names of users and groups.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// maxNames is the size limit of a passwd or group file, in bytes.
const maxNames = 4 << 20

// readNames reads a passwd or group file, so that name can be looked up. A symlink is followed as in a container of the image,
// never out of it. readNames fails if the image has no such file, or something else in its place. It takes a solve.
func (s *solver) readNames(ctx context.Context, img container.Base, file, name string) ([]byte, error) {
	if img.State.Output() == nil {
		return nil, fmt.Errorf("the build image has no %s to look %q up in", file, name)
	}
	only := bk.Scratch().File(bk.Copy(img.State, file, "/names", &bk.CopyInfo{FollowSymlinks: true}),
		bk.WithCustomName("[internal] look up user"))
	ref, err := s.solve(ctx, only)
	if err != nil {
		return nil, fmt.Errorf("%s of the build image cannot be read: %v", file, err)
	}
	// Only a regular file is opened: a named pipe would block.
	stat, err := ref.StatFile(ctx, gw.StatRequest{Path: "/names"})
	if err != nil {
		return nil, err
	}
	if !fs.FileMode(stat.Mode).IsRegular() {
		return nil, fmt.Errorf("%s of the build image is no regular file", file)
	}
	data, err := tree.Folder{Files: files{ref}}.Read(ctx, "names", maxNames)
	if err != nil {
		return nil, fmt.Errorf("%s of the build image: %w", file, err)
	}
	return data, nil
}

// userIn finds a user by name in a passwd file (passwd(5)). It fails when the file has none, or a number that no user can have.
func userIn(passwd []byte, name string) (llb.Owner, error) {
	found, err := user.ParsePasswdFilter(bytes.NewReader(passwd), func(u user.User) bool { return u.Name == name })
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no such name in %s of the build image", passwdFile)
	}
	if err != nil {
		return llb.Owner{}, err
	}
	owner := llb.Owner{UID: found[0].Uid, GID: found[0].Gid}
	return owner, errors.Join(checkEntry(passwdFile, name, owner.UID), checkID(passwdFile, name, owner.GID))
}

// groupIn finds a group by name in a group file (group(5)). It fails like userIn.
func groupIn(group []byte, name string) (int, error) {
	found, err := user.ParseGroupFilter(bytes.NewReader(group), func(g user.Group) bool { return g.Name == name })
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no such name in %s of the build image", groupFile)
	}
	if err != nil {
		return 0, err
	}
	return found[0].Gid, checkEntry(groupFile, name, found[0].Gid)
}

// checkEntry fails when an entry's number is 0 or out of range. The library reads 0 where there is no number, and nobody becomes
// root by such an entry.
func checkEntry(file, name string, id int) error {
	if id == 0 {
		return fmt.Errorf("%s of the build image: the entry of %q has no number, or that of root: say \"root\" if that is meant", file, name)
	}
	return checkID(file, name, id)
}

func checkID(file, name string, id int) error {
	if id < 0 || id > math.MaxInt32 {
		return fmt.Errorf("%s of the build image: the entry of %q has a number that no user can have", file, name)
	}
	return nil
}

// isID reports whether a user or group is given by its number.
func isID(s string) bool {
	_, err := parseID(s)
	return err == nil
}

// hasName reports whether a user, or the group behind a colon, is given by a name that has to be looked up.
func hasName(text string) bool {
	name, group, hasGroup := strings.Cut(text, ":")
	_, unknownUser := knownID(name)
	_, unknownGroup := knownID(group)
	return text != "" && unknownUser != nil || hasGroup && unknownGroup != nil
}

// parseID reads a user or group id.
func parseID(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// knownID returns the id of a user or group that needs no look into the image: a number, or root, whose id is 0 for every kernel,
// whatever files an image has. It fails for other names.
func knownID(s string) (int, error) {
	if s == "root" {
		return 0, nil
	}
	return parseID(s)
}
