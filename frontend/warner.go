package frontend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	gw "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/bklog"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/group"
	"github.com/packfile/frontend/image"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/module"
	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/packfile"
	"github.com/packfile/frontend/step"
	"github.com/packfile/frontend/text"
)

// warner tells the user of a build what is questionable about it. Messages of several platforms are collected by subject, so that
// the user gets each once, and so that the answer to a subrequest can hold them.
type warner struct {
	show  func(ctx context.Context, message string, opts gw.WarnOpts) // shows a warning beside the packfile
	note  func(ctx context.Context, name string) error                // leaves a line in the log
	asked bool                                                        // during a subrequest, whose answer has the warnings

	imageSays    messages // images: their size, and what they leave out
	patternSays  messages // patterns that match nothing
	planSays     messages // build plans of buildpacks
	contentSays  messages // layers whose version does not speak for them
	factsSay     messages // answers of steps
	argsSay      messages // build arguments
	previousSays messages // why the previous image, or a part of it, is not used
}

// newWarner returns the warner of a build.
func newWarner(b *build) warner {
	return warner{
		show: func(ctx context.Context, message string, opts gw.WarnOpts) { b.source.Warn(ctx, message, opts) },
		note: func(ctx context.Context, name string) error {
			_, err := b.solve(ctx, bk.Scratch().File(bk.Mkfile("/warning", 0o644, []byte(name)), bk.WithCustomName("[warning] "+name)))
			return err
		},
		asked: b.opts.requestID != "",
	}
}

// warn warns about something that came to light after the packfile was read.
func (w *warner) warn(ctx context.Context, message, detail string) {
	w.show(ctx, message, gw.WarnOpts{Level: 1, Detail: [][]byte{[]byte(detail)}})
	// Logs other than buildx's show no warning about a source that was read long ago. They do show operations.
	if err := w.note(ctx, message); err != nil {
		bklog.G(ctx).Debugf("%s: %v", message, err)
	}
}

// warnPrevious warns that the previous image, or a part of it, is not used, and why.
func (w *warner) warnPrevious(ctx context.Context, why string) {
	message := "previous image: " + strings.Join(strings.Fields(why), " ")
	w.previousSays.add(message)
	if !w.asked {
		w.warn(ctx, message, "Layers that are not reused are built, or found in the build cache.")
	}
}

// warnInexact says why no layer of the previous image can be reused, when that is so because of the build image.
func (w *warner) warnInexact(ctx context.Context, im *images) {
	if im.previous.image == nil || im.build.Exact {
		return
	}
	message := "previous image: none of its layers is reused: " + im.build.Inexact()
	if w.previousSays.add(message) && !w.asked {
		w.warn(ctx, message, "Layers are built, or found in the build cache. Push the build image, and name it by its reference.")
	}
}

// warnRetimed names the layers of the previous image that are downloaded and copied, since its files have another time than those of
// this build.
func (w *warner) warnRetimed(ctx context.Context, d *graph.Decisions) {
	layers := d.Retimed()
	if layers == nil {
		return
	}
	message := fmt.Sprintf("previous image: its files have the time %s and those of this build %s, so layers that are reused are downloaded and copied: %s",
		d.Previous.Time.Format(time.RFC3339), d.Time.Format(time.RFC3339), text.Few(layers))
	if w.previousSays.add(message) {
		w.warn(ctx, message, "No step runs for it. With the image of this build as the previous one, nothing is downloaded, as long as "+
			"SOURCE_DATE_EPOCH stays as it is. PACKFILE_APP_TIME gives the app's files alone another time, and downloads nothing.")
	}
}

// warnTimeOfRebase says that a rebase does nothing with a time for the app's files, if one is given.
func (w *warner) warnTimeOfRebase(ctx context.Context, given string) {
	if given != "" {
		w.warn(ctx, appTimeArg+" has no effect: a rebase leaves the times of files as they are", "A build with the previous image gives the app's files "+
			"another time, and downloads nothing.")
	}
}

// warnAboutSource passes on warnings about the file being built, each with its place.
func (w *warner) warnAboutSource(ctx context.Context, warnings []node.Diagnostic) {
	for _, d := range atOnce(warnings) {
		w.show(ctx, d.Message, gw.WarnOpts{
			Level:  1,
			Range:  []*pb.Range{module.PBRange(d.Range)},
			Detail: [][]byte{[]byte(d.Text())},
		})
	}
}

// warnAbout passes on what lint finds in a module to the user who builds.
func (w *warner) warnAbout(ctx context.Context, filename string, warnings []node.Diagnostic) {
	for _, d := range atOnce(warnings) {
		w.show(ctx, fmt.Sprintf("%s:%d: %s", filename, d.Range.Start.Line, d.Message), gw.WarnOpts{
			Level: 1, Detail: [][]byte{[]byte(d.Text())},
		})
	}
}

// warnOnce passes on warnings about the files that a packfile selects, each once for all platforms.
func (w *warner) warnOnce(ctx context.Context, filename string, diags []node.Diagnostic) {
	for _, d := range diags {
		text := fmt.Sprintf("%s:%d:%d: %s", filename, d.Range.Start.Line, d.Range.Start.Column, d.Message)
		if w.patternSays.add(text) && !w.asked {
			w.warnAbout(ctx, filename, []node.Diagnostic{d})
		}
	}
}

// warnDangling names symbolic links of the app that lead to nothing, each once for all platforms.
func (w *warner) warnDangling(ctx context.Context, links []graph.Dangling) {
	for _, l := range links {
		said := fmt.Sprintf("%s:%d: app-symlinks: layer %s has nothing at %s, which the link at %s leads to", l.Filename, l.At.Start.Line,
			node.Quote(l.Layer), node.Quote(l.Target), node.Quote(l.Path))
		if w.factsSay.add(said) {
			w.warn(ctx, said, "What follows the link finds nothing.")
		}
	}
}

// warnLayers warns about an image that has too many layers.
func (w *warner) warnLayers(ctx context.Context, img *image.Image) {
	n := img.Unmountable()
	if n == 0 {
		return
	}
	text := fmt.Sprintf("the image has %d layers: container runtimes may refuse an image of more than %d, and none can be built on it", n, image.MaxMounted)
	if w.imageSays.add(text) {
		w.warn(ctx, text, "Put what changes together into one layer. Layers of the run image count as well.")
	}
}

// warnLeftOut names what is not in an image though somebody said it: instructions of its run image for Dockerfiles, and variables
// for processes that it does not have.
func (w *warner) warnLeftOut(ctx context.Context, img *image.Image) {
	if img.Base != nil && len(img.Base.Config.OnBuild) > 0 {
		var instructions []string
		for _, i := range img.Base.Config.OnBuild {
			instructions = append(instructions, text.Short(i))
		}
		said := "ONBUILD of the run image is dropped: " + text.Few(instructions)
		if w.imageSays.add(said) {
			w.warn(ctx, said, "A Dockerfile that builds on the run image runs these instructions. Say in the packfile what they would do.")
		}
	}
	for _, u := range img.UnusedVars() {
		said := fmt.Sprintf("%s:%d: variable %s is for process %q, which the image does not have", u.Module.Filename,
			u.Var.At("process").Start.Line, u.Var.Name, u.Var.Process)
		if w.imageSays.add(said) {
			w.warn(ctx, said, "Without a process, all processes have it.")
		}
	}
}

// warnAboutPlans passes on warnings about build plans, each once for all platforms.
func (w *warner) warnAboutPlans(ctx context.Context, warnings []group.PlanWarning) {
	for _, p := range warnings {
		text := fmt.Sprintf("%s: build plan: %s", p.Module.Name(), p.Message)
		if w.planSays.add(text) && !w.asked { // else the answer has it
			w.warn(ctx, text, "bin/detect of the buildpack wrote it.")
		}
	}
}

// warnNotGiven names secrets and build arguments that modules of a group can use and are not given, each once for all platforms.
func (w *warner) warnNotGiven(ctx context.Context, g *group.Group, args []step.Variable) {
	for _, m := range g.Modules {
		for _, line := range m.NotGiven(args) {
			if w.planSays.add(line) && !w.asked {
				w.warn(ctx, line, "It can do without. To give it, list it in secrets or args of the module's [[buildpacks]] entry.")
			}
		}
	}
}

// warnAboutContent names the layers that every change of the app rebuilds although they have a version, and says why: the app
// comes in a form that only its content identifies.
func (w *warner) warnAboutContent(ctx context.Context, app *app, layers []string) {
	if len(layers) == 0 {
		return
	}
	message := fmt.Sprintf("layers with a version are made again when the app changes, since the context is %s: %s", app.Pinned, strings.Join(layers, ", "))
	if w.contentSays.add(message) {
		w.warn(ctx, message, "Give them inputs, name a branch, or build a folder. Layers of a previous image are taken over in any case.")
	}
}

// warnUnseenArgs warns about each of some build arguments that no step, template or module sees: its name may be mistyped. known are
// names that something would see.
func (w *warner) warnUnseenArgs(ctx context.Context, unseen, known []string) {
	for _, name := range unseen {
		message := fmt.Sprintf("build argument %s is used by nothing", text.Short(name))
		switch hint := text.DidYouMean(name, known); {
		case hint != "":
			message += ": " + hint
		case len(known) > 0:
			message += ": used are " + strings.Join(known, ", ")
		}
		if w.argsSay.add(message) && !w.asked {
			w.warn(ctx, message, "No args of the packfile list it, and no template uses it. A module sees it when its [[buildpacks]] entry lists it in args.")
		}
	}
}

// warnByArguments names the layers that are built again for build arguments alone.
func (w *warner) warnByArguments(ctx context.Context, by graph.ByArguments) {
	if by.Layers == nil {
		return
	}
	message := fmt.Sprintf("layers are built again only because a build argument changed that their steps may not need (%s): %s",
		strings.Join(by.Args, ", "), strings.Join(by.Layers, ", "))
	if w.argsSay.add(message) && !w.asked {
		w.warn(ctx, message, "Their sections have no args, so every build argument counts. List those that their steps need in args of the section, or of [config].")
	}
}

// warnOfFacts warns about each dep without sha, with the costs and the sha that the dep has now; and about each test, with the
// programs that it did not find.
func (w *warner) warnOfFacts(ctx context.Context, d *graph.Decisions) error {
	for _, n := range d.NotFound() {
		message := fmt.Sprintf("%s:%d: the test of layer %s did not find %s: %s", n.Filename, n.At.Start.Line, n.Layer,
			strings.Join(n.Programs, ", "), n.Hint)
		if w.factsSay.add(message) {
			w.warn(ctx, message, "The version that it settled on may lack what the program would have said.")
		}
	}
	deps, err := d.Unpinned()
	for _, dep := range deps {
		message := fmt.Sprintf("%s:%d: dep %s %s", dep.Filename, dep.At.Start.Line, dep.Name, unpinnedText(dep))
		if w.factsSay.add(message) {
			w.warn(ctx, message, packfile.UnpinnedDep.Description)
		}
	}
	return err
}

// unpinnedText returns what a dep that is not pinned costs, and what pins it as it is now.
func unpinnedText(dep graph.Unpinned) string {
	uri := layerkey.Redact(dep.URI)
	switch dep.Kind {
	case packfile.ImageSource:
		return fmt.Sprintf("is an image without its digest: every build asks which one %q is; what it is now is pinned by: uri = %q", uri, dep.Pin)
	case packfile.GitSource:
		return fmt.Sprintf("is a Git repository without a commit: every build asks which one %q is at; what it is now is pinned by: uri = %q", uri, layerkey.Redact(dep.Pin))
	}
	text := fmt.Sprintf("has no sha: every build asks %q for it, and an empty builder downloads it; what it is now is pinned by: sha = %q", uri, dep.Pin)
	if dep.Pin == emptyFile {
		text += ", which is that of an empty file: see what the address gives"
	}
	return text
}

// atOnce returns the warnings to pass on as soon as a packfile is read. It leaves out deps without sha: their warning comes when
// their sha is known.
func atOnce(warnings []node.Diagnostic) []node.Diagnostic {
	return slices.DeleteFunc(slices.Clone(warnings), func(w node.Diagnostic) bool { return w.Rule == packfile.UnpinnedDep.Name })
}

// emptyFile is the checksum of an empty file, which a server may send in place of an error.
var emptyFile = digest.FromBytes(nil).Encoded()

// messages is a set of messages that several platforms add to at the same time.
type messages struct {
	mu   sync.Mutex
	list []string
}

// add keeps a message, and reports whether it is new.
func (m *messages) add(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.list, text) {
		return false
	}
	m.list = append(m.list, text)
	return true
}
