package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packfile/frontend/deb"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// installer runs a step that installs packages. Scripts of packages run as root, and may do all that root may in the container: so
// nothing that they leave is trusted, and nothing of theirs is left when the layer is made.
type installer struct {
	*runner
	task    step.Packages
	release deb.Release
	before  map[string]deb.Package // installed at first, by ID
	started time.Time
	layer   *ownFolder // where the layer goes, nil for none
	apt     apt
}

// dpkgStatus is dpkg's list of packages.
const dpkgStatus = "var/lib/dpkg/status"

// installPackages installs the packages, and makes a layer of what that changed if the task says so.
func (r *runner) installPackages(task step.Packages) error {
	in := &installer{runner: r, task: task, started: time.Now()}
	for i, name := range task.Names {
		if _, _, err := deb.SplitName(name); err != nil {
			return in.fault(i, err)
		}
	}
	if err := in.checkImage(); err != nil {
		return err
	}
	var err error
	if in.before, err = in.status(); err != nil {
		return err
	}
	if task.Layer {
		if in.layer, err = ownFolderAt(in.sealed); err != nil {
			return err
		}
	}
	if in.apt, err = in.prepareApt(); err != nil {
		return err
	}
	allow, err := in.startNoServices()
	if err != nil {
		return err
	}
	if err := errors.Join(in.install(), allow()); err != nil {
		return err
	}
	after, err := in.status()
	if err != nil {
		return err
	}
	installed := in.installed(after)
	if task.Layer {
		if err := in.sealChanges(after); err != nil {
			return err
		}
	}
	return in.report(step.Result{Installed: step.Installed{Packages: installed}})
}

// fault returns an error by which the frontend knows that the name with an index is at fault; that no name is, for -1.
func (in *installer) fault(i int, err error) error {
	code := step.FirstName + i
	if i < 0 || code > step.LastName {
		return err
	}
	return &scriptError{text: err.Error(), code: code}
}

// checkImage fails, in words, for an image in which packages cannot be installed.
func (in *installer) checkImage() error {
	const supported = "packages are installed in images of Debian, of Ubuntu, and of those that are like them (ID_LIKE in /etc/os-release)"
	var data []byte
	err := fs.ErrNotExist
	for _, name := range deb.ReleaseFiles {
		if data, err = os.ReadFile(filepath.Join(in.root, name)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the image does not say which distribution it is: it has no /etc/os-release; %s", supported)
	case err != nil:
		return err
	}
	in.release = deb.ParseRelease(data)
	if !in.release.HasApt() {
		return fmt.Errorf("the image is of the distribution %s; %s", text.Short(cmp.Or(in.release.ID, "without a name")), supported)
	}
	e := in.imageEnv()
	for _, program := range []string{"apt-get", "dpkg"} {
		if _, err := e.LookPath(program, "/"); err != nil {
			return fmt.Errorf("the image has no %s: it was made without a package manager; take one with apt-get and dpkg", program)
		}
	}
	for _, file := range []struct{ path, why string }{
		{"bin/sh", "no shell, /bin/sh, which scripts of packages need"},
		{dpkgStatus, "no list of its packages, /" + dpkgStatus + ", so that nobody knows what is installed"},
	} {
		if !isFile(filepath.Join(in.root, file.path)) {
			return fmt.Errorf("the image has %s; take an image that was not stripped of it", file.why)
		}
	}
	return nil
}

// status returns the packages that are installed now, by ID.
func (in *installer) status() (map[string]deb.Package, error) {
	file, err := os.Open(filepath.Join(in.root, dpkgStatus))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	packages, err := deb.ReadStatus(file)
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", dpkgStatus, err)
	}
	return packages, nil
}

// policy is the file by which Debian's scripts ask whether they may start a service (invoke-rc.d(8)); policyText says no.
const (
	policy     = "usr/sbin/policy-rc.d"
	policyText = "#!/bin/sh\nexit 101\n"
)

// startNoServices keeps scripts of packages from starting services, until allow is called: a container has none. An image that says
// itself what may be started keeps its word.
func (in *installer) startNoServices() (allow func() error, err error) {
	path := filepath.Join(in.root, policy)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	ours, err := file.Stat()
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(policyText)
	return func() error {
		if now, err := os.Lstat(path); err != nil || !os.SameFile(ours, now) {
			return nil // a package brought its own
		}
		return os.Remove(path)
	}, errors.Join(err, file.Close())
}

// installed prints which packages came and went, and returns those that came.
func (in *installer) installed(after map[string]deb.Package) (packages []step.Package) {
	for _, id := range slices.Sorted(maps.Keys(after)) {
		p := after[id]
		was, upgraded := in.before[id]
		switch {
		case !upgraded:
			fmt.Println(text.Line(p.Name + " " + p.Version))
		case was.Version != p.Version:
			fmt.Println(text.Line(p.Name + " " + p.Version + ", in place of " + was.Version))
		default:
			continue
		}
		packages = append(packages, step.Package{
			Name: p.Name, Version: p.Version, Arch: p.Arch, Source: p.Source, SourceVersion: p.SourceVersion,
			Distro: in.release.ID, DistroVersion: in.release.Version, Licenses: in.licenses(p.Name),
		})
	}
	for _, id := range in.removed(after) {
		fmt.Println(text.Line(in.before[id].Name + " is removed"))
	}
	if len(packages) == 0 {
		fmt.Println("all packages are in the image already: " + text.Line(strings.Join(in.task.Names, ", ")))
	}
	return packages
}

// removed returns the IDs of packages that are installed no more.
func (in *installer) removed(after map[string]deb.Package) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(in.before)) {
		if _, ok := after[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// maxCopyright is the largest copyright file that is read, in bytes.
const maxCopyright = 4 << 20

// licenses returns the licenses of a package, nil when its copyright file does not say in a form for programs.
func (in *installer) licenses(name string) []string {
	path := filepath.Join(in.root, "usr/share/doc", name, "copyright")
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCopyright {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return deb.Licenses(data)
}
