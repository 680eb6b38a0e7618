package run

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/packfile/frontend/step"
)

// give gives the step a secret as BuildKit does.
func (b *box) give(id, content string) {
	b.t.Helper()
	b.write(step.GivenDir+"/"+id, content)
	b.must(os.Chmod(b.path(step.GivenDir+"/"+id), 0o400))
}

func TestASecretIsAFileAndAVariable(t *testing.T) {
	for _, kind := range []step.Kind{step.KindRequire, step.KindTest, step.KindRun} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBox(t, kind).script(see("FILE", "TOKEN", "OTHER", "OTHER_FILE") + `cat "$FILE"`)
			b.give("token", "two\nlines\n")
			b.spec.Secrets = []step.Secret{{ID: "token", PathAs: "FILE", EnvAs: "TOKEN"}, {ID: "other", PathAs: "OTHER_FILE", EnvAs: "OTHER"}}
			b.expect("FILE=ROOT/run/secrets/token", "TOKEN=two", "lines", "", "OTHER unset", "OTHER_FILE unset", "two", "lines")
		})
	}
}

func TestASecretThatNoVariableCanHoldIsAnErrorWithoutIt(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"a NUL byte", "PK-hunter2\x00hunter2", `secret "key" has a NUL byte, which no variable can hold: use path-as in place of env-as = "KEY"`},
		{"too long", strings.Repeat("hunter2", 20_000), `secret "key" has 140000 bytes, more than the 131067 that variable KEY can hold: use path-as`},
		{"one byte too long", strings.Repeat("x", 131_068), `secret "key" has 131068 bytes`},
	} {
		for _, kind := range []step.Kind{step.KindTest, step.KindRun} {
			t.Run(test.name+" in "+string(kind), func(t *testing.T) {
				b := newBox(t, kind).script("true")
				b.give("key", test.content)
				b.spec.Secrets = []step.Secret{{ID: "key", EnvAs: "KEY"}}
				out := b.run()
				if out.code != 1 || !strings.Contains(out.stderr, test.want) || strings.Contains(out.stderr, "hunter2") {
					t.Errorf("exit code %d, %.300s", out.code, out.stderr)
				}
			})
		}
	}
	t.Run("as long as can be", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("echo ${#KEY}")
		b.give("key", strings.Repeat("x", 131_067))
		b.spec.Secrets = []step.Secret{{ID: "key", EnvAs: "KEY"}}
		b.expect("131067")
	})
	t.Run("as a file it may be anything", func(t *testing.T) {
		b := newBox(t, step.KindRun).script(`wc -c < "$KEY"`)
		b.give("key", "a\x00b")
		b.spec.Secrets = []step.Secret{{ID: "key", PathAs: "KEY"}}
		b.expect("3")
	})
}

func TestAVariableThatNoProgramCanHaveIsAnErrorThatNamesIt(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"a NUL byte", "hunter2\x00", "variable ARG has a NUL byte"},
		{"too long", strings.Repeat("hunter2", 20_000), "variable ARG is too long: with its name it has 140004 bytes, and may have 131071"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBox(t, step.KindRun).script("true")
			b.spec.Platform = []step.Variable{{Name: "ARG", Value: test.value}}
			out := b.run()
			if out.code != 1 || !strings.Contains(out.stderr, test.want) || strings.Contains(out.stderr, "hunter2") {
				t.Errorf("exit code %d, %.300s", out.code, out.stderr)
			}
		})
	}
	t.Run("all together", func(t *testing.T) {
		b := newBox(t, step.KindRun).script("true")
		for _, name := range strings.Split(strings.Repeat("x", 80), "") {
			name += strings.Repeat("y", len(b.spec.Platform))
			b.spec.Platform = append(b.spec.Platform, step.Variable{Name: name, Value: strings.Repeat("v", 130_000)})
		}
		b.fail(1, "all variables together are longer than the system allows")
	})
}

func TestASetupScriptFindsNothingOfTheLayersSecretsAndAgents(t *testing.T) {
	b := newUserBox(t)
	for _, dir := range []string{"/caches/npm", "/caches"} {
		b.mkdir(dir)
		b.must(os.Chown(b.path(dir), 1234, 4321))
	}
	b.mkdir(step.AgentsDir)
	socket := step.AgentsDir + "/ssh_agent.0"
	agent, err := net.Listen("unix", b.path(socket))
	b.must(err)
	defer agent.Close()
	b.must(os.Chmod(b.path(socket), 0o600))
	b.give("token", "hunter2")
	b.mkdir(step.SecretsDir)
	b.must(os.Chmod(b.path(step.SecretsDir), 0o1777))
	b.env = append(b.env, "SSH_AUTH_SOCK="+b.path(socket))
	b.spec.Agents = []string{socket}
	b.spec.Secrets = []step.Secret{{ID: "token", PathAs: "FILE", EnvAs: "TOKEN"}}
	b.write(step.SpecDir+"/setup", `
		env > "$CACHE/found"
		cat `+b.path(step.GivenDir)+`/* `+b.path(step.SecretsDir)+`/* >> "$CACHE/found" 2>/dev/null
		test -w `+b.path(socket)+` && echo agent >> "$CACHE/found"
		# What is put here must not lead the secret elsewhere.
		ln -s "$CACHE/stolen" `+b.path(step.SecretsDir)+`/token
		(while :; do cat `+b.path(step.SecretsDir)+`/token >> "$CACHE/found"; done) 2>/dev/null &
		exit 0`)
	b.spec.Setups = []step.Setup{{CacheDir: b.path("/caches/npm"), Script: step.Script{Shell: []string{"/bin/sh"}, File: "setup"}}}
	b.script(`cat "$FILE"; echo " $TOKEN"; stat -c %a "$FILE"; test -w "$SSH_AUTH_SOCK" && echo agent`)
	out := b.run()
	if want := "hunter2 hunter2\n400\nagent\n"; out.code != 0 || out.stdout != want {
		t.Errorf("exit code %d, the script printed %q, want %q\n%s", out.code, out.stdout, want, out.stderr)
	}
	if found := b.read("/caches/npm/found"); strings.Contains(found, "hunter2") || strings.Contains(found, "SSH_AUTH_SOCK") || strings.Contains(found, "agent\n") {
		t.Errorf("the setup script found\n%s", found)
	}
	if b.exists("/caches/npm/stolen") {
		t.Error("the secret was written where the setup script said")
	}
}
