package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/deb"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// apt runs apt-get and its brothers with settings of this step alone.
type apt struct {
	*runner
	env     *env.Env
	options []string // -o NAME=VALUE
}

// Folders of step.AptDir.
const (
	aptLists   = "lists"
	aptCache   = "cache"
	aptLog     = "log"
	aptSources = "sources.list.d"
	aptKeys    = "trusted.gpg.d"
	aptStatus  = "status" // dpkg's list of packages as it was at first
)

// prepareApt makes the folders that apt uses, with the package sources and keys of the image and of the task.
//
// Settings are options of the command line, since those alone count more than what the image says itself (apt.conf(5)).
func (in *installer) prepareApt() (apt, error) {
	dir := filepath.Join(in.root, step.AptDir)
	for _, name := range []string{aptLists + "/partial", aptCache + "/archives/partial", aptLog, aptSources, aptKeys} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return apt{}, err
		}
	}
	for _, copies := range []struct {
		from, to string
		more     []string
	}{
		{"etc/apt/sources.list.d", aptSources, in.task.Sources},
		{"etc/apt/trusted.gpg.d", aptKeys, in.task.Keys},
	} {
		to := filepath.Join(dir, copies.to)
		if err := copyFiles(filepath.Join(in.root, copies.from), to); err != nil {
			return apt{}, err
		}
		for _, name := range copies.more {
			// Its own name, which no file of the image has: apt reads them in the order of their names.
			if err := copyFollowed(filepath.Join(in.input, name), filepath.Join(to, "packfile-"+name)); err != nil {
				return apt{}, err
			}
		}
	}
	if err := copyFollowed(filepath.Join(in.root, dpkgStatus), filepath.Join(dir, aptStatus)); err != nil {
		return apt{}, err
	}
	a := apt{runner: in.runner, env: in.aptEnv()}
	a.set("Dir::State::lists", filepath.Join(dir, aptLists))
	a.set("Dir::Cache", filepath.Join(dir, aptCache))
	a.set("Dir::Cache::archives", "archives")
	a.set("Dir::Log", filepath.Join(dir, aptLog))
	a.set("Dir::Etc::SourceParts", filepath.Join(dir, aptSources))
	a.set("Dir::Etc::TrustedParts", filepath.Join(dir, aptKeys))
	a.set("APT::Sandbox::User", "root") // without root on the machine, a daemon may have no other user
	a.set("APT::Update::Error-Mode", "any")
	a.set("APT::Install-Recommends", "false")
	a.set("Acquire::Languages", "none")
	a.set("Acquire::Retries", "3")
	a.set("DPkg::Use-Pty", "false")
	a.set("DPkg::Options::", "--force-confdef")
	a.set("DPkg::Options::", "--force-confold")
	a.set("DPkg::Options::", "--force-unsafe-io") // the root folder of a step need not outlive a crash
	a.set("DPkg::Options::", "--log="+filepath.Join(dir, aptLog, "dpkg.log"))
	// Without the secret, apt trusts what the image trusts, to which BuildKit adds the certificate of its proxy.
	if isFile(in.givenCA) {
		trusting := env.New(in.environ)
		if err := in.trust(trusting, nil); err != nil {
			return apt{}, err
		}
		a.set("Acquire::https::CaInfo", filepath.Join(in.trusted, step.TrustFile))
	}
	return a, nil
}

func (a *apt) set(name, value string) { a.options = append(a.options, "-o", name+"="+value) }

// aptEnv returns the environment of apt, and of scripts of packages: of the image's they get PATH alone, so that nothing else of it
// shows in what they leave.
func (in *installer) aptEnv() *env.Env {
	image := in.imageEnv()
	path := strings.Split(image.Get("PATH"), ":")
	for _, dir := range strings.Split(defaultPath, ":") {
		if !slices.Contains(path, dir) { // dpkg wants programs of /usr/sbin and /sbin
			path = append(path, dir)
		}
	}
	e := env.New([]string{
		"PATH=" + strings.Join(path, ":"), "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
		"SOURCE_DATE_EPOCH=" + strconv.FormatInt(in.task.Time, 10),
	})
	for _, v := range in.environ {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasSuffix(strings.ToLower(name), "_proxy") {
			e.Set(name, value)
		}
	}
	return e
}

// copyFiles copies the files of a folder, which need not exist, without those of its folders.
func copyFiles(from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if path := filepath.Join(from, entry.Name()); isFile(path) {
			err = errors.Join(err, copyFollowed(path, filepath.Join(to, entry.Name())))
		}
	}
	return err
}

// copyFollowed copies a file, or what a symlink leads to, for everybody to read.
func copyFollowed(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// ended is how a program ended, and what it printed.
type ended struct {
	output []byte
	status syscall.WaitStatus
}

func (o ended) ok() bool { return o.status.Exited() && o.status.ExitStatus() == 0 }

// String says how the program ended.
func (o ended) String() string {
	if o.status.Signaled() {
		return fmt.Sprintf("was killed by signal %d (%v)", o.status.Signal(), o.status.Signal())
	}
	return fmt.Sprintf("failed with exit code %d", o.status.ExitStatus())
}

// run runs a program of apt, and waits for it. It prints nothing.
func (a apt) run(program string, args ...string) (ended, error) {
	path, err := a.env.LookPath(program, "/")
	if err != nil {
		return ended{}, err
	}
	var said transcript
	l, err := listen(&said)
	if err != nil {
		return ended{}, err
	}
	words := slices.Concat([]string{program}, a.options, args)
	status, err := a.start(runProgram(path, words, a.env.List(), l.in))
	l.end()
	return ended{said.Bytes(), status}, err
}

func runProgram(path string, words, environ []string, output *os.File) program {
	return program{path: path, words: words, dir: "/", environ: environ, stdout: output, stderr: output}
}

// install gets the lists of packages, and installs those of the task.
func (in *installer) install() error {
	updated, err := in.apt.run("apt-get", "update")
	if err != nil {
		return err
	}
	if !updated.ok() {
		return in.failed("apt-get update", updated, -1)
	}
	for i, name := range in.task.Names {
		known, err := in.isKnown(name)
		if err != nil {
			return err
		}
		if !known {
			pkg, _, _ := strings.Cut(name, "=")
			return in.fault(i, fmt.Errorf("no package source has a package %q", pkg))
		}
	}
	done, err := in.apt.run("apt-get", in.arguments(in.task.Names, "--yes")...)
	if err != nil {
		return err
	}
	if done.ok() {
		return nil
	}
	i, err := in.atFault(done.output)
	if err != nil {
		return err
	}
	return in.failed("apt-get install", done, i)
}

// failed prints what a program said, and returns the error for it.
func (in *installer) failed(what string, o ended, name int) error {
	fmt.Fprintln(os.Stderr, text.Visible(strings.TrimRight(string(o.output), "\n")))
	err := fmt.Errorf("%s %s", what, o)
	if name >= 0 {
		err = fmt.Errorf("package %q: %w", in.task.Names[name], err)
	}
	return in.fault(name, err)
}

// arguments returns those of apt-get that install packages.
func (in *installer) arguments(names []string, more ...string) []string {
	args := append([]string{"install", "--no-install-recommends"}, more...)
	if in.task.Layer {
		args = append(args, "--no-remove") // what is gone from the image cannot be in a layer
	}
	return slices.Concat(args, []string{"--"}, names)
}

// isKnown reports whether a package of the name exists, or is one that others provide. apt itself would take a name that it does not
// know for a pattern, and install what matches.
func (in *installer) isKnown(name string) (bool, error) {
	pkg, _, _ := strings.Cut(name, "=")
	found, err := in.apt.run("apt-cache", "pkgnames", "--all-names", "--", pkg)
	for line := range bytes.Lines(found.output) {
		if string(bytes.TrimSpace(line)) == pkg {
			return true, err
		}
	}
	return false, err
}

// atFault returns the index of the name for which an installation failed with this output, -1 when no name alone is to blame.
func (in *installer) atFault(output []byte) (int, error) {
	if bytes.Contains(output, []byte("No space left on device")) || bytes.Contains(output, []byte("You don't have enough free space")) {
		return -1, nil
	}
	if packages := deb.Failed(output); len(packages) > 0 {
		return in.bringing(packages[0])
	}
	fails := func(names []string) (bool, error) {
		tried, err := in.simulate(names)
		return !tried.ok(), err
	}
	if broken, err := fails(in.task.Names); !broken || err != nil {
		return -1, err // apt knows what to do, but a server, say, did not answer
	}
	for i := range in.task.Names {
		if broken, err := fails(in.task.Names[i : i+1]); broken || err != nil {
			return i, err
		}
	}
	// Each can be installed alone: the first that cannot be installed with those before it.
	var failure error
	return sort.Search(len(in.task.Names)-1, func(i int) bool {
		broken, err := fails(in.task.Names[:i+1])
		failure = errors.Join(failure, err)
		return broken
	}), failure
}

// bringing returns the index of the name that has a package installed, -1 when there is none.
func (in *installer) bringing(failed string) (int, error) {
	for i, name := range in.task.Names {
		if pkg, _, _ := strings.Cut(name, "="); pkg == failed {
			return i, nil
		}
	}
	for i := range in.task.Names {
		tried, err := in.simulate(in.task.Names[i : i+1])
		if err != nil || slices.Contains(deb.Planned(tried.output), failed) {
			return i, err
		}
	}
	return -1, nil
}

// simulate asks apt what installing packages in the image as it was would do.
func (in *installer) simulate(names []string) (ended, error) {
	before := apt{runner: in.runner, env: in.apt.env, options: slices.Clone(in.apt.options)}
	before.set("Dir::State::status", filepath.Join(in.root, step.AptDir, aptStatus))
	return before.run("apt-get", in.arguments(names, "--simulate")...)
}
