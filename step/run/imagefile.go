package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/moby/sys/user"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// checkFile looks at a file of the image. The kernel follows symbolic links within the container.
func (t *imageTest) checkFile(key string, f step.FileTest) {
	file := filepath.Join(t.root, f.Path)
	shown := text.Path(f.Path)
	info, err := os.Lstat(file)
	gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	switch {
	case gone && f.Absent:
		return
	case gone:
		t.fail(key+".path", "%s does not exist", shown)
		return
	case err != nil:
		t.fail(key+".path", "%s: %v", shown, reason(err))
		return
	case f.Absent:
		t.fail(key+".exists", "%s exists: it is a %s", shown, typeOf(info))
		return
	}
	link := info.Mode()&fs.ModeSymlink != 0
	if link && f.Type != step.TypeSymlink {
		if info, err = os.Stat(file); err != nil {
			to, _ := os.Readlink(file)
			t.fail(key+".path", "%s is a symbolic link to %s, which cannot be followed: %v", shown, text.Path(to), reason(err))
			return
		}
		link = false
	}
	if got := typeOf(info); f.Type != "" && got != f.Type {
		t.fail(key+".type", "%s is a %s, not a %s", shown, got, f.Type)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if want, err := strconv.ParseUint(f.Mode, 8, 32); err == nil && uint64(stat.Mode&0o7777) != want {
		t.fail(key+".mode", "the mode of %s is %04o, not %04o", shown, stat.Mode&0o7777, want)
	}
	if f.Owner != "" {
		t.checkOwner(key+".owner", shown, f.Owner, stat)
	}
	switch {
	case f.Content == nil:
	case link:
		to, err := os.Readlink(file)
		if err != nil {
			t.fail(key+".content", "%s: %v", shown, reason(err))
			return
		}
		t.checkContent(key+".content", shown, to, true, f.Content)
	case !info.Mode().IsRegular():
		t.fail(key+".content", "%s is a %s, which has no content", shown, typeOf(info))
	default:
		content, all, err := readRegular(file, step.MaxCompared)
		if err != nil {
			t.fail(key+".content", "%s: %v", shown, reason(err))
			return
		}
		t.checkContent(key+".content", shown, content, all, f.Content)
	}
}

// reason returns an error of the kernel without the name of the file.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// typeOf returns the type of a file, as tests name it.
func typeOf(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return step.TypeFile
	case mode.IsDir():
		return step.TypeDirectory
	case mode&fs.ModeSymlink != 0:
		return step.TypeSymlink
	default:
		return layer.TypeName(mode)
	}
}

// checkOwner compares the owner of a file with a user, or with a user and a group, by number or by the image's own names.
func (t *imageTest) checkOwner(key, shown, want string, stat *syscall.Stat_t) {
	name, group, hasGroup := strings.Cut(want, ":")
	uid, err := t.idOf(name, passwdFile)
	gid := 0
	if err == nil && hasGroup {
		gid, err = t.idOf(group, groupFile)
	}
	switch {
	case err != nil:
		t.fail(key, "%v", err)
	case uid != int(stat.Uid) || hasGroup && gid != int(stat.Gid):
		t.fail(key, "the owner of %s is %d:%d, not %s", shown, stat.Uid, stat.Gid, want)
	}
}

// idOf returns the number of a user or group.
func (t *imageTest) idOf(name, file string) (int, error) {
	if id, err := strconv.ParseUint(name, 10, 32); err == nil {
		return int(id), nil
	}
	var ids []int
	if file == passwdFile {
		found, _ := user.ParsePasswdFilter(t.names(file), func(u user.User) bool { return u.Name == name })
		for _, u := range found {
			ids = append(ids, u.Uid)
		}
	} else {
		found, _ := user.ParseGroupFilter(t.names(file), func(g user.Group) bool { return g.Name == name })
		for _, g := range found {
			ids = append(ids, g.Gid)
		}
	}
	if len(ids) == 0 {
		return 0, fmt.Errorf("there is no %s in %s of the image", text.Word(name), file)
	}
	return ids[0], nil
}

// checkContent compares a text with what it has to be. what is its name in messages. Without all, there is more of the text.
func (t *imageTest) checkContent(key, what, got string, all bool, want *step.Text) {
	switch {
	case want == nil:
		return
	case !all:
		t.fail(key, "%s is longer than %d MiB, and a test compares no more; it begins with %s", what, step.MaxCompared>>20, firstOf(got))
		return
	}
	if want.Equal != nil && got != *want.Equal {
		hint := ""
		if strings.TrimRight(got, "\r\n") == strings.TrimRight(*want.Equal, "\r\n") {
			hint = " (only the line end differs)"
		}
		t.fail(key+".equal", "%s is %s, not %s%s", what, firstOf(got), firstOf(*want.Equal), hint)
	}
	for i, part := range want.Contains {
		if !strings.Contains(got, part) {
			t.fail(fmt.Sprintf("%s.contains.%d", key, i), "%s does not contain %s: it is %s", what, firstOf(part), firstOf(got))
		}
	}
	for i, expression := range want.Matches {
		re, err := regexp.Compile(expression)
		if err != nil || !re.MatchString(got) {
			t.fail(fmt.Sprintf("%s.matches.%d", key, i), "nothing in %s matches %s: it is %s", what, firstOf(expression), firstOf(got))
		}
	}
}

// maxShown is how much of a text a message shows, in bytes.
const maxShown = 400

// firstOf returns the beginning of a text, quoted.
func firstOf(s string) string {
	if len(s) <= maxShown {
		return strconv.Quote(s)
	}
	end := maxShown
	for end > maxShown-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes in all)", strconv.Quote(s[:end]), len(s))
}

// lastOf returns the end of a text, quoted.
func lastOf(s string) string {
	if len(s) <= maxShown {
		return strconv.Quote(s)
	}
	begin := len(s) - maxShown
	for begin < len(s)-maxShown+utf8.UTFMax && !utf8.RuneStart(s[begin]) {
		begin++
	}
	return fmt.Sprintf("…%s (the end of %d bytes)", strconv.Quote(s[begin:]), len(s))
}
