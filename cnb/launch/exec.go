package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/packfile/frontend/cnb/api"
)

// exec replaces the launcher by the process.
func (l *launcher) exec(p process) error {
	name := p.words[0]
	path, err := l.lookPath(name, p.dir)
	if err != nil {
		return fmt.Errorf("%s runs %q, which %s", p.what, name, l.lookError(name, err))
	}
	if p.dir != "" {
		if err := os.Chdir(p.dir); err != nil {
			return fmt.Errorf("%s: working folder: %w", p.what, err)
		}
	}
	return l.replace(p, path, p.words)
}

// lookPath returns the path of the program of a process that works in dir. A relative path starts at dir, as for execve,
// else at the app folder, where the lifecycle looks first.
func (l *launcher) lookPath(name, dir string) (string, error) {
	if dir != "" && strings.Contains(name, "/") {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(l.app, dir)
		}
		if path, err := l.env.LookPath(name, dir); err == nil {
			return path, nil
		}
	}
	return l.env.LookPath(name, l.app)
}

// lookError returns the end of a sentence about a program that was not found.
func (l *launcher) lookError(name string, err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "may not be executed"
	case strings.Contains(name, "/"):
		return fmt.Sprintf("does not exist (relative paths start at the working folder or at %s)", l.app)
	}
	return fmt.Sprintf("is not on PATH (%s)", l.env.Get("PATH"))
}

func (l *launcher) replace(p process, path string, words []string) error {
	err := syscall.Exec(path, words, l.env.List())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// lookPath found the file, so what is missing is its interpreter or loader.
		return fmt.Errorf("%s runs %s, whose interpreter or dynamic loader is not in the image", p.what, path)
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s runs %s, which is no program for this machine and has no #! line", p.what, path)
	}
	return fmt.Errorf("%s runs %s: %w", p.what, path, err)
}

// execShell replaces the launcher by a bash that reads the profile scripts of the layers and of the app, and changes to
// the working folder. Then a second bash for the process replaces the first: variables that profile scripts do not export
// do not reach the process, as with the lifecycle.
func (l *launcher) execShell(p process, all []buildpackLayers) error {
	bash := "/bin/bash"
	if _, err := os.Stat(bash); err != nil {
		if bash, err = l.env.LookPath("bash", l.app); err != nil {
			return fmt.Errorf("%s needs bash, which is not in the image; a process without shell has direct = true, "+
				"and after -- a command is run without one", p.what)
		}
	}
	profiles, err := filesOf(all, "profile.d", p.kind, func(api.Version) bool { return true })
	if err != nil {
		return fmt.Errorf("profile.d: %w", err)
	}
	if own := filepath.Join(l.app, ".profile"); isFile(own) {
		profiles = append(profiles, own)
	}
	dir := p.dir
	if dir == "" {
		dir = l.app
	}
	words := append([]string{"bash", "-c", shellScript(bash, dir, profiles, p), l.self}, p.words...)
	return l.replace(p, bash, words)
}

// shellScript returns the script of the outer bash. Its $0 is the name of the launcher, its arguments are the words.
func shellScript(bash, dir string, profiles []string, p process) string {
	var b strings.Builder
	for _, path := range profiles {
		fmt.Fprintf(&b, "source %s\n", quote(path))
	}
	fmt.Fprintf(&b, "cd %s || exit %d\n", quote(dir), CodeLaunch)
	if p.script {
		fmt.Fprintf(&b, `exec -a bash %s -c "$@"`, quote(bash))
		return b.String()
	}
	// Each word is expanded like a double-quoted string and stays one word.
	expand := make([]string, len(p.words))
	for i := range p.words {
		expand[i] = fmt.Sprintf(`"$(eval "printf %%s \"${%d}\"")"`, i)
	}
	fmt.Fprintf(&b, `exec -a bash %s -c %s "$@"`, quote(bash), quote(strings.Join(expand, " ")))
	return b.String()
}

// quote returns a text as one shell word.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
