package run

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/text"
)

// maxVariable is the longest variable, in bytes, as NAME=value with a NUL byte at the end: MAX_ARG_STRLEN of the kernel.
const maxVariable = 128 << 10

// revealSecrets gives the step's script its secrets: it returns variables, and writes files of the user who runs the
// script. It skips a secret that the build was not given. Errors have nothing of the content.
func (s *scripted) revealSecrets(uid, gid int) (variables []string, err error) {
	if len(s.has.Secrets) == 0 {
		return nil, nil
	}
	if err := s.clearSecrets(); err != nil {
		return nil, err
	}
	for _, secret := range s.has.Secrets {
		content, err := os.ReadFile(filepath.Join(s.given, secret.ID))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("secret %q: %w", secret.ID, err)
		}
		if secret.PathAs != "" {
			if err := writeSecret(filepath.Join(s.secrets, secret.ID), content, uid, gid); err != nil {
				return nil, fmt.Errorf("secret %q: %w", secret.ID, err)
			}
		}
		if secret.EnvAs == "" {
			continue
		}
		if bytes.IndexByte(content, 0) >= 0 {
			return nil, fmt.Errorf("secret %q has a NUL byte, which no variable can hold: use path-as in place of env-as = %q", secret.ID, secret.EnvAs)
		}
		if most := maxVariable - len(secret.EnvAs) - len("=\x00"); len(content) > most {
			return nil, fmt.Errorf("secret %q has %d bytes, more than the %d that variable %s can hold: use path-as in place of env-as",
				secret.ID, len(content), most, secret.EnvAs)
		}
		variables = append(variables, secret.EnvAs+"="+string(content))
	}
	return variables, nil
}

// clearSecrets makes an empty SecretsDir in place of whatever setup scripts have left there: they must not decide where
// secrets are written.
func (r *runner) clearSecrets() error {
	if err := os.MkdirAll(r.secrets, 0o755); err != nil {
		return err
	}
	return removeContent(r.secrets)
}

// writeSecret writes a new file that only one user may read.
func writeSecret(path string, content []byte, uid, gid int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o400)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if uid != os.Getuid() || gid != os.Getgid() {
		err = errors.Join(err, f.Chown(uid, gid))
	}
	return errors.Join(err, f.Close())
}

// giveAgents gives a user the sockets of SSH agents.
func (f *filler) giveAgents(uid, gid int) error {
	for _, socket := range f.task.Agents {
		if err := os.Lchown(filepath.Join(f.root, socket), uid, gid); err != nil {
			return fmt.Errorf("SSH agent: %w", err)
		}
	}
	return nil
}

// withoutAgents returns the environment of the container without the variables that lead to the agents of the step's
// script.
func (f *filler) withoutAgents(environ []string) (rest []string) {
	for _, v := range environ {
		if len(f.task.Agents) == 0 || !strings.HasPrefix(v, "SSH_AUTH_SOCK=") {
			rest = append(rest, v)
		}
	}
	return rest
}

// checkVariables returns an error that names a variable which no program can get. The error has nothing of the value.
func checkVariables(environ []string) error {
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case strings.ContainsRune(v, 0):
			return fmt.Errorf("variable %s has a NUL byte, which no variable can hold", text.Path(name))
		case len(v) >= maxVariable:
			return fmt.Errorf("variable %s is too long: with its name it has %d bytes, and may have %d", text.Path(name), len(v), maxVariable-1)
		}
	}
	return nil
}

// tooLarge returns an error in words for E2BIG, and any other error as it is.
func tooLarge(err error) error {
	if errors.Is(err, unix.E2BIG) {
		return errors.New("all variables together are longer than the system allows")
	}
	return err
}
