package frontend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	bk "github.com/moby/buildkit/client/llb"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
)

func TestAnErrorAboutAPackfileShowsItsPlaces(t *testing.T) {
	_, _, err := packfile.Parse("dir/packfile.toml", []byte("[config]\nnope = 1\nnada = 2\n"))
	if err == nil {
		t.Fatal("the packfile has no errors")
	}
	var known texts
	known.keepText(bk.NewSourceMap(nil, "dir/packfile.toml", "TOML", []byte("[config]\nnope = \"\x1b[2J\"\n")))
	said := known.explain(fmt.Errorf("wrapped: %w", err))
	if message := said.Error(); !strings.HasPrefix(message, "2 errors in dir/packfile.toml:\ndir/packfile.toml:2:1: ") || !strings.Contains(message, "\ndir/packfile.toml:3:1: ") {
		t.Errorf("%s", message)
	}
	sources := errdefs.Sources(said)
	if len(sources) != 1 || len(sources[0].Ranges) != 2 || sources[0].Ranges[1].Start.Line != 3 {
		t.Fatalf("%+v", sources)
	}
	if info := sources[0].Info; info.Filename != "dir/packfile.toml" || info.Language != "TOML" || string(info.Data) != "[config]\nnope = \"\\x1b[2J\"\n" {
		t.Errorf("%+v", info)
	}

	var none texts
	if said := none.explain(err); said.Error() != known.explain(err).Error() || len(errdefs.Sources(said)) > 0 {
		t.Errorf("of a file that is not known: %v", said)
	}
	other := errors.New("about something else")
	if said := known.explain(other); said != other {
		t.Errorf("another error becomes %v", said)
	}
}

func TestOfALargeFileErrorsShowTheBeginning(t *testing.T) {
	long := strings.Repeat("é", maxErrorLine)
	cut := strings.Repeat("é", maxErrorLine/2) + "…"
	for in, want := range map[string]string{
		"a\nb":                               "a\nb",
		"":                                   "",
		long + "\nb\n":                       cut + "\nb\n",
		"a\n" + long:                         "a\n" + cut,
		"x" + long + "\n":                    "x" + strings.Repeat("é", maxErrorLine/2-1) + "…\n", // the character that was cut through is gone
		strings.Repeat("\n", maxErrorData+1): strings.Repeat("\n", maxErrorData),
	} {
		if got := string(beginningOf([]byte(in))); got != want {
			t.Errorf("of %.20q… (%d bytes) %d bytes are shown, not %d", in, len(in), len(got), len(want))
		}
	}
}

// failedStep is a solve in which one operation fails.
type failedStep struct {
	def    *bk.Definition
	vertex string // that fails
}

// failing solves a state whose last operation fails.
func failing(t *testing.T, st bk.State) failedStep {
	t.Helper()
	def, err := llb.Marshal(t.Context(), st, bk.LinuxAmd64)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := llb.ParseOperations(def.Def)
	if err != nil {
		t.Fatal(err)
	}
	return failedStep{def, ops.Result().Inputs[0].Digest}
}

// with returns the error of the daemon.
func (f failedStep) with(err error) error { return errdefs.WrapVertex(err, digest.Digest(f.vertex)) }

func exitCode(code uint32) error {
	return &gwpb.ExitError{ExitCode: code, Err: fmt.Errorf("process \"x\" did not complete successfully: exit code: %d", code)}
}

// unexpected stands for the pull of an image in tests where no error is about one.
func unexpected(t *testing.T) func([]*pb.Op, string) error {
	return func(images []*pb.Op, text string) error {
		t.Errorf("%v cannot be pulled: %s", images, text)
		return nil
	}
}

// native reports whether a platform is that of the builder in these tests.
func native(p ocispecs.Platform) bool { return p.Architecture == "amd64" }

func TestAStepThatFailsIsNamedWithItsPackfile(t *testing.T) {
	source := bk.NewSourceMap(nil, "dir/packfile.toml", "TOML", []byte("x"))
	place := source.Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}})
	script := bk.Scratch().File(bk.Mkfile("/"+step.SpecFile, 0o644, []byte("git")).Mkfile("/run", 0o644, []byte("cd x && git status\n")))
	ran := func(more ...bk.RunOption) bk.State {
		return bk.Image("example.com/build").Run(append(more, bk.Args([]string{"x"}), bk.WithCustomName("[a] run"), place)...).Root()
	}
	hints := bk.WithDescription(map[string]string{container.HintKey: "hint for any", container.HintKey + ".3": "hint for 3"})
	usesGit := bk.AddMount(step.SpecDir, script)
	for name, test := range map[string]struct {
		state bk.State
		err   error
		want  string
	}{
		"by its exit code": {ran(), exitCode(3), "dir/packfile.toml: [a] run failed with exit code 3"},
		"on a builder of another platform": {
			ran(bk.LinuxArm64), exitCode(1), "dir/packfile.toml: [a] run failed with exit code 1 (this builder cannot run programs of linux/arm64: " + runElsewhere + ")",
		},
		"with the hint for its code": {ran(hints), exitCode(3), "dir/packfile.toml: [a] run failed with exit code 3 (hint for 3)"},
		"without that for another":   {ran(hints), exitCode(4), "dir/packfile.toml: [a] run failed with exit code 4"},
		"with the hint for any other error": {
			ran(hints), errors.New("failed to solve: no space"), "dir/packfile.toml: [a] run failed: no space (hint for any)",
		},
		"for want of a secret": {
			ran(), errors.New("secret npm-token: not found"),
			`dir/packfile.toml: [a] run secret "npm-token" was not given: pass it with --secret id=npm-token,src=FILE`,
		},
		"for want of .git, as git says it":       {ran(), exitCode(128), "dir/packfile.toml: [a] run failed with exit code 128 (" + gitHint + ")"},
		"for want of .git, as its script may":    {ran(usesGit), exitCode(1), "dir/packfile.toml: [a] run failed with exit code 1 (" + gitHint + ")"},
		"for want of a program in such a script": {ran(usesGit), exitCode(127), "dir/packfile.toml: [a] run failed with exit code 127"},
	} {
		t.Run(name, func(t *testing.T) {
			var known texts
			known.keepText(source)
			f := failing(t, test.state)
			failed := f.with(test.err)
			got := solveErrors{texts: &known, pull: unexpected(t), runs: native}.explain(failed, f.def)
			if got.Error() != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			// Everything else that BuildKit knows stays, and the client shows our words.
			if !errors.Is(got, test.err) {
				t.Error("the error is lost")
			}
			if shown := status.Convert(got).Message(); shown != got.Error() {
				t.Errorf("the client is shown %q", shown)
			}
			kept := solveErrors{texts: &known, keepGitDir: true, pull: unexpected(t), runs: native}.explain(failed, f.def).Error()
			if want := strings.Replace(got.Error(), " ("+gitHint+")", "", 1); kept != want {
				t.Errorf("with .git it is %q", kept)
			}
			if others := (solveErrors{texts: &texts{}, pull: unexpected(t), runs: native}).explain(failed, f.def); others != failed {
				t.Errorf("of a file that is none of ours it is %v", others)
			}
		})
	}
}

func TestTheCodeOfAnErrorStays(t *testing.T) {
	var known texts
	source := bk.NewSourceMap(nil, "packfile.toml", "TOML", nil)
	known.keepText(source)
	f := failing(t, bk.Scratch().File(bk.Mkdir("/a", 0o755), bk.WithCustomName("[a] make"), source.Location([]*pb.Range{{Start: &pb.Position{}, End: &pb.Position{}}})))
	got := solveErrors{texts: &known, pull: unexpected(t), runs: native}.explain(f.with(grpcerrors.WrapCode(errors.New("busy"), codes.Unavailable)), f.def)
	if got.Error() != "packfile.toml: [a] make failed: busy" || status.Code(got) != codes.Unavailable {
		t.Errorf("%v, %v", got, status.Code(got))
	}
}

func TestAFileThatIsNotWhatThePackfileSaysIsNamedWithBothChecksums(t *testing.T) {
	want, sent := digestOf([]byte("wanted")), digestOf([]byte("sent"))
	const address = "https://user:secret@example.com/file"
	f := failing(t, bk.HTTP(address, bk.Checksum(digest.Digest("sha256:"+want))))
	for message, wants := range map[string][]string{
		"digest mismatch sha256:" + sent + ": sha256:" + want:          {"checksum of https://example.com/file differs", "says sha256 " + want, "has sha256 " + sent + ". That may be"},
		"digest mismatch sha256:" + want + ": sha256:" + sent:          {"has sha256 " + sent},
		"digest mismatch sha256:" + want + ": sha256:" + digestOf(nil): {"which is that of an empty file"},
		"failed to solve: invalid response status 404":                 {"https://example.com/file cannot be fetched: invalid response status 404"},
	} {
		got := solveErrors{texts: &texts{}, pull: unexpected(t), runs: native}.explain(f.with(errors.New(message)), f.def).Error()
		for _, part := range wants {
			if !strings.Contains(got, part) || strings.Contains(got, "secret") {
				t.Errorf("%s: got %q", message, got)
			}
		}
	}
}

func TestAnImageThatCannotBePulledIsSaidToBe(t *testing.T) {
	image := bk.Image("example.com/base", bk.WithCustomName("base"))
	plain := errors.New("failed to solve: no such host")
	lazy := errors.New("could not fetch content descriptor sha256:0: not found")
	for name, test := range map[string]struct {
		state bk.State
		err   func(failedStep) error
		pull  bool
	}{
		"when it fails itself":                               {image, func(f failedStep) error { return f.with(plain) }, true},
		"when nothing is said to fail, and it is the result": {image, func(failedStep) error { return plain }, true},
		"when what looks into it fails for want of it":       {image.File(bk.Mkdir("/a", 0o755)), func(f failedStep) error { return f.with(lazy) }, true},
		"but not when what looks into it fails":              {image.File(bk.Mkdir("/a", 0o755)), func(f failedStep) error { return f.with(plain) }, false},
		"but not when there is none":                         {bk.Scratch().File(bk.Mkdir("/a", 0o755)), func(f failedStep) error { return f.with(lazy) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := failing(t, test.state)
			failed := test.err(f)
			var pulled []string
			got := solveErrors{texts: &texts{}, pull: func(images []*pb.Op, text string) error {
				for _, op := range images {
					pulled = append(pulled, op.GetSource().GetIdentifier())
				}
				return errors.New("pull: " + text)
			}}.explain(failed, f.def)
			if !test.pull {
				if got != failed {
					t.Errorf("got %v", got)
				}
				return
			}
			if len(pulled) != 1 || pulled[0] != "docker-image://example.com/base:latest" || got.Error() != "pull: "+failed.Error() {
				t.Errorf("%v, %v", pulled, got)
			}
		})
	}
}

func TestAPackfileIsLackingWhenTheClientGivesNoneNotWhenSomeoneCancels(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	lost := grpcerrors.FromGRPC(status.Error(codes.Canceled, "context canceled"))
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want bool
	}{
		{t.Context(), errors.New("open packfile.toml: no such file or directory"), true},
		{t.Context(), errors.New("failed to read dockerfile: no local sources enabled"), true},
		{t.Context(), errors.New(`rpc error: code = NotFound desc = no access allowed to dir "dockerfile"`), true},
		{t.Context(), errors.New("no such file or directory: it is elsewhere"), false},
		{t.Context(), fmt.Errorf("failed to read dockerfile: %w", lost), true},
		{cancelled, lost, false},
	} {
		if got := lacksPackfile(c.ctx, c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
