package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/packfile/frontend/cnb/env"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/step"
)

// defaultPath is the PATH for an image that sets none, as in container runtimes.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// tracing are variables that some daemons set, unless they are set already, so that programs send traces to BuildKit.
var tracing = []string{
	"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=unix:///dev/otel-grpc.sock", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc",
}

// traces are variables that BuildKit sets to another value in every build (Environ in util/tracing/exec/traceexec.go).
var traces = []string{"TRACEPARENT", "TRACESTATE", "OTEL_TRACE_PARENT", "OTEL_TRACE_STATE"}

// untraced returns the environment without the variables that BuildKit sets for tracing.
func untraced(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(traces, name) || slices.Contains(tracing, v)
	})
}

// imageEnv returns the environment of the build image.
func (r *runner) imageEnv() *env.Env {
	e := env.New(untraced(r.environ))
	if e.Get("PATH") == "" {
		e.Set("PATH", defaultPath)
	}
	return e
}

// userEnv returns the user's environment, which every script has: that of the build image with the platform's variables.
func (s *scripted) userEnv() *env.Env {
	e := s.imageEnv()
	for _, v := range s.has.Platform {
		e.AddPlatform(v.Name, v.Value)
	}
	return e
}

// scriptEnv returns the environment of the step's script. Later entries see and may change earlier ones: user, what
// earlier modules expose, links in file order, the layer itself, the step ("The step contract" in docs/reference.md).
func (s *scripted) scriptEnv() (*env.Env, error) {
	e := s.userEnv()
	for _, dirs := range s.sees.Exposed {
		if err := addBuildLayers(e, dirs...); err != nil {
			return nil, fmt.Errorf("environment of an exposed layer: %w", err)
		}
	}
	for _, link := range s.sees.Links {
		if link.Dir == "" || link.Cache {
			continue
		}
		if err := addBuildLayers(e, link.Dir); err != nil {
			return nil, fmt.Errorf("environment of linked layer %q: %w", link.Name, err)
		}
	}
	if s.layerDir != "" {
		files := envFiles(s.env)
		e.Apply(files["env"], env.Override)
		e.Apply(files["env.build"], env.Override)
		e.Set("LAYER", s.layerDir)
	}
	e.Set("APP", s.app)
	e.Set("MD", s.metadata())
	for _, link := range s.sees.Links {
		if err := s.addLink(e, link); err != nil {
			return nil, fmt.Errorf("link %q: %w", link.Name, err)
		}
	}
	for _, secret := range s.has.Secrets {
		if path := filepath.Join(s.secrets, secret.ID); secret.PathAs != "" && isFile(path) {
			e.Set(secret.PathAs, path)
		}
	}
	return e, s.complete(e)
}

// addBuildLayers changes the environment for layers of one module: first it adds all of their folders, then it applies
// their env files, as the lifecycle does.
func addBuildLayers(e *env.Env, layers ...string) error {
	for _, layer := range layers {
		e.AddFolders(layer, env.BuildFolders)
	}
	for _, layer := range layers {
		for _, dir := range []string{"env", "env.build"} {
			if err := e.AddDir(filepath.Join(layer, dir), env.Override); err != nil {
				return err
			}
		}
	}
	return nil
}

// addLink sets the variables of a link, and unsets those for which it has no value: a script would take a value from
// elsewhere for the link's.
func (s *scripted) addLink(e *env.Env, link step.Link) error {
	set := func(name, value string) {
		switch {
		case name == "":
		case value == "":
			e.Unset(name)
		default:
			e.Set(name, value)
		}
	}
	set(link.PathAs, link.Dir)
	if link.Cache {
		return nil
	}
	if link.Dir != "" {
		dir := filepath.Join(s.links, link.Name)
		version, err := readValue(filepath.Join(dir, "version"))
		if err != nil {
			return err
		}
		set(link.VersionAs, version)
		set(link.MetadataAs, dir)
		return nil
	}
	version := link.Metadata.Text(metadata.Version)
	set(link.VersionAs, version)
	if link.MetadataAs == "" {
		return nil
	}
	// Under OutDir, the one folder that exists and is ours in any image; report removes it.
	dir := filepath.Join(s.out, "links", link.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	set(link.MetadataAs, dir)
	return writeMetadata(dir, link.Metadata)
}

// complete adds the variables that every script has, whatever else changed the environment.
func (s *scripted) complete(e *env.Env) error {
	e.Prepend("PATH", s.bin, ":")
	return s.trustAndHome(e, s.has.Secrets)
}

// trustAndHome adds the certificates that programs trust, and a home folder if the user has none. Variables of secrets do
// not count as the image's.
func (r *runner) trustAndHome(e *env.Env, secrets []step.Secret) error {
	if home := e.Get("HOME"); !filepath.IsAbs(home) || filepath.Clean(home) == "/" || !writable(home) {
		if home := r.makeHome(); home != "" {
			e.Set("HOME", home)
		}
	}
	return r.trust(e, secrets)
}

// makeHome makes a home folder for a user without one, and returns its path, "" when that fails. The path is always the
// same, as far as possible, so that it does not differ between builds where programs write it down.
func (r *runner) makeHome() string {
	home := filepath.Join(r.tmp, "home")
	if err := os.Mkdir(home, 0o700); err == nil {
		return home
	}
	if info, err := os.Lstat(home); err == nil && info.IsDir() && writable(home) {
		return home
	}
	home, err := os.MkdirTemp(r.tmp, "home")
	if err != nil {
		return ""
	}
	return home
}

func writable(dir string) bool { return unix.Access(dir, unix.W_OK|unix.X_OK) == nil }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
