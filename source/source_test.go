package source

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// noted is a decorator: it notes each source and what it resolves to, and denies one kind.
type noted struct {
	Resolver
	denied Kind
	log    []string
}

var errDenied = errors.New("denied")

func (n *noted) Resolve(ctx context.Context, s Source) (bk.State, Resolved, error) {
	wanted := s.Wanted()
	if wanted.Kind == n.denied {
		return bk.State{}, Resolved{}, errDenied
	}
	st, is, err := n.Resolver.Resolve(ctx, s)
	n.log = append(n.log, string(wanted.Kind)+" "+wanted.Ref+" "+is.Digest.String())
	return st, is, err
}

// fixed resolves every source to the same digest.
type fixed struct{ digest digest.Digest }

func (f fixed) Resolve(context.Context, Source) (bk.State, Resolved, error) {
	return bk.Scratch(), Resolved{Digest: f.digest}, nil
}

func TestADecoratorSeesEverySourceAndCanPutAnotherAnswerInItsPlace(t *testing.T) {
	sum := digest.FromString("x")
	n := &noted{Resolver: fixed{sum}, denied: GitKind}
	for _, s := range []Source{
		Image{Ref: "a"}, Blob{Repository: "b"}, File{URI: "c"}, Context{Name: "d"}, App{}, AppTime{}, Beside{}, Tools{},
	} {
		if _, is, err := n.Resolve(t.Context(), s); err != nil || is.Digest != sum {
			t.Errorf("%T: %v, %v", s, is, err)
		}
	}
	if _, _, err := n.Resolve(t.Context(), Git{Address: "e"}); !errors.Is(err, errDenied) {
		t.Error(err)
	}
	is := " " + sum.String()
	want := []string{
		"image a" + is, "blob b" + is, "file c" + is, "context d" + is, "app " + is, "app time " + is, "beside the packfile " + is, "frontend image " + is,
	}
	if diff := cmp.Diff(want, n.log); diff != "" {
		t.Error(diff)
	}
}

func TestANamedContextIsTheOneOfItsPlatformFirst(t *testing.T) {
	opts := map[string]string{"context:a": ImageScheme + "any", "context:a::linux/arm64": ImageScheme + "arm", "context:b": "https://example.com/b"}
	arm, intel := ocispecs.Platform{OS: "linux", Architecture: "arm64"}, ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	got := []string{Given(opts, "a", arm), Given(opts, "a", intel), Given(opts, "b", intel), Given(opts, "c", intel)}
	if diff := cmp.Diff([]string{"arm", "any", "https://example.com/b", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnImageForAnotherPlatformIsRefused(t *testing.T) {
	config := func(os, arch, variant string) *dockerspec.DockerOCIImage {
		return &dockerspec.DockerOCIImage{Image: ocispecs.Image{Platform: ocispecs.Platform{OS: os, Architecture: arch, Variant: variant}}}
	}
	arm := ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	for name, test := range map[string]struct {
		cfg  *dockerspec.DockerOCIImage
		want string
	}{
		"no config":         {nil, ""},
		"the same":          {config("linux", "arm", "v7"), ""},
		"without a variant": {config("linux", "arm", ""), ""},
		"a lower variant":   {config("linux", "arm", "v6"), ""},
		"a higher variant":  {config("linux", "arm", "v8"), "the image is for linux/arm/v8, and not for linux/arm/v7"},
		"another system":    {config("windows", "arm", "v7"), "the image is for windows/arm/v7, and not for linux/arm/v7"},
		"no platform":       {config("", "", ""), "it is no image that could be used: its config has no os and architecture"},
	} {
		got := ""
		if err := CheckPlatform(test.cfg, arm); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
