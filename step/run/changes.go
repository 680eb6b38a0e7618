package run

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/deb"
	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// sealChanges makes a layer of what differs from the image.
func (in *installer) sealChanges(after map[string]deb.Package) error {
	if err := errors.Join(in.layer.empty(), in.dropProxy(), in.dateKeystore()); err != nil {
		return err
	}
	base := filepath.Join(in.root, step.BaseDir)
	skip, err := in.passedOver()
	if err != nil {
		return err
	}
	changes, err := layer.Compare(base, in.root, in.started.Add(-time.Second), skip)
	if err != nil {
		return err
	}
	if len(changes.Gone) > 0 {
		return in.goneError(changes.Gone, after)
	}
	in.tellOfKeys(changes.Changed)
	stage := filepath.Join(in.root, stageDir)
	if err := removeAll(stage); err != nil { // whatever scripts put there
		return err
	}
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	tell := func(path string) {
		say(step.StepBinary, fmt.Sprintf("/%s is a socket, which the image does not get", path))
	}
	return layer.SealChanges(in.root, changes.Changed, stage, in.sealed, time.Unix(in.task.Time, 0), tell)
}

// stageDir is where what changed is collected, in the file system of the root folder.
const stageDir = "packfile/changed"

// goneError says what a layer on the image cannot take away.
func (in *installer) goneError(gone []string, after map[string]deb.Package) error {
	var files, packages []string
	for _, path := range gone {
		files = append(files, text.Path("/"+path))
	}
	for _, id := range in.removed(after) {
		packages = append(packages, text.Line(in.before[id].Name))
	}
	for id, p := range after {
		if was, ok := in.before[id]; ok && was.Version != p.Version {
			packages = append(packages, text.Line(p.Name))
		}
	}
	slices.Sort(packages)
	who := "scripts of packages take away"
	if len(packages) > 0 {
		who = "installing them removes or replaces " + text.Few(packages) + " and so takes away"
	}
	return fmt.Errorf("%s files of the image, which a layer on it cannot do: %s; take an image with current packages, or one that has these already",
		who, text.Few(files))
}

// Folders of which a layer has nothing: they are of apt, or empty when a container starts.
var nothingOf = []string{"var/lib/apt", "run", "tmp", "var/tmp", "packfile"}

// Folders of which a layer has the folders alone: programs want a place for their logs and caches, but what is in them is of the day.
var foldersOf = []string{"var/cache", "var/log"}

// Files of which a layer has nothing: locks, copies of the state before, and what each machine has its own of.
var noFiles = []string{
	"var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/dpkg/triggers/Lock", "etc/.pwd.lock",
	"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
	"etc/machine-id", "var/lib/dbus/machine-id",
}

// passedOver returns what no layer of packages has: what is not of the packages, and mount points with all that is below them.
func (in *installer) passedOver() (func(path string, kind fs.FileMode) bool, error) {
	points, err := mountPoints()
	if err != nil {
		return nil, err
	}
	mounted := map[string]bool{}
	for _, point := range points {
		if rel, err := filepath.Rel(in.root, point); err == nil && rel != "." && filepath.IsLocal(rel) {
			mounted[rel] = true
		}
	}
	below := func(path string, folders []string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder+"/") })
	}
	return func(path string, kind fs.FileMode) bool {
		switch {
		case mounted[path], path == "packfile", slices.Contains(noFiles, path), below(path, nothingOf):
			return true
		case filepath.Dir(path) == "var/lib/dpkg" && strings.HasSuffix(path, "-old"):
			return true
		}
		return !kind.IsDir() && below(path, foldersOf)
	}, nil
}

// Marks that BuildKit sets around the certificate of its proxy (executor/proxyca_linux.go).
var (
	proxyBegin = []byte("\n# buildkit proxy CA begin\n")
	proxyEnd   = []byte("# buildkit proxy CA end\n")
)

// dropProxy takes the certificate of BuildKit's proxy out of the image's file of certificates, where it is while a step runs.
func (in *installer) dropProxy() error {
	for _, name := range systemBundles {
		path := filepath.Join(in.root, name)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		before, rest, ok := bytes.Cut(data, proxyBegin)
		if !ok {
			continue
		}
		_, after, ok := bytes.Cut(rest, proxyEnd)
		if !ok {
			return errors.New("the file of certificates has half of a mark of BuildKit's proxy: /" + name)
		}
		if err := os.WriteFile(path, append(bytes.Clone(before), after...), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}
