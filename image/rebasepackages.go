package image

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	bk "github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"

	"github.com/packfile/frontend/cnb/label"
	"github.com/packfile/frontend/container"
	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
	"github.com/packfile/frontend/step"
)

// packagesOf returns what an app image says of the packages on its run image, nil when it has none.
func packagesOf(app *dockerspec.DockerOCIImage) *layerkey.RunPackages {
	l, err := layerkey.ParseLabel(app.Config.Labels[layerkey.LabelName])
	if err != nil {
		return nil // another frontend's
	}
	return l.RunPackages
}

// InstallPackages installs the app image's packages on the new run image, and completes the rebased image. The SBOM in the image is made
// anew as well. ask answers an inquiry.
func (re *Rebased) InstallPackages(b *container.Builder, w *container.Wanted, ask func(fact.Inquiry) (fact.Facts, error)) error {
	ours, err := layerkey.ParseLabel(re.app.Config.Config.Labels[layerkey.LabelName])
	if err != nil {
		return err
	}
	t := time.Unix(ours.Time, 0).UTC()
	old := re.own[0]
	r, err := recordPackages(w, re.run, b)
	if err != nil {
		return err
	}
	r.Owner = re.Packages.Owner
	layer, result, err := b.PackagesLayer(w.Install(re.run, "anew, on the new run image", b.NoCache(container.RunPackages)))
	if err != nil {
		return err
	}
	if !t.Equal(container.DefaultTime) {
		if layer, err = sealPackages(b, w, layer, t); err != nil {
			return err
		}
	}
	found, err := describeOne(b, layer, &result, container.RunPackages, t, ask)
	if err != nil {
		return err
	}
	r.Installed, r.DiffID = found.Packages, found.DiffID
	re.replace(old, layer, found.DiffID)
	ours.RunPackages = &r
	if ours.Layers == nil {
		ours.Layers = []layerkey.Record{}
	}
	data, err := json.Marshal(ours)
	if err != nil {
		return err
	}
	if re.md.SBOM != nil {
		if err := re.renewSBOM(b, ours, t, ask); err != nil {
			return err
		}
	}
	re.Config.Config.Labels[layerkey.LabelName] = string(data)
	md := re.md
	md.RunImage = runImage(re.run)
	md.Stack.RunImage.Image = re.run.Name
	if err := label.Set(re.Config.Config.Labels, label.Lifecycle, md); err != nil {
		return err
	}
	return re.assemble()
}

// replace puts another layer in the place of one of the app image.
func (re *Rebased) replace(old digest.Digest, layer bk.State, diffID string) {
	re.made[old], re.other[old] = layer, digest.Digest(diffID)
}

// renewSBOM makes the layer with the SBOM anew, from what the labels say.
func (re *Rebased) renewSBOM(b *container.Builder, ours layerkey.Label, t time.Time, ask func(fact.Inquiry) (fact.Facts, error)) error {
	im, modules := labelledSBOM(ours, re.md)
	files, err := sbomFiles(modules, im, t)
	if err != nil {
		return err
	}
	owner, err := parseOwner(ours.RunPackages.Owner)
	if err != nil {
		return err
	}
	layer := layersFiles(files, owner, t, b.Name("", "sbom"), b.Name("", "sbom layer"))
	found, err := describeOne(b, layer, nil, "sbom", t, ask)
	if err != nil {
		return err
	}
	re.replace(digest.Digest(re.md.SBOM.SHA), layer, found.DiffID)
	re.md.SBOM = &label.Layer{SHA: found.DiffID}
	return nil
}

// describeOne describes a layer whose files have time t, with the result of the step that made it, nil for none.
func describeOne(b *container.Builder, layer bk.State, result *bk.State, name string, t time.Time, ask func(fact.Inquiry) (fact.Facts, error)) (fact.Answer, error) {
	p := container.Process{Name: "describe " + name}
	p.Spec.Task = step.Describe{Trees: []string{name}, Time: t.Unix()}
	p.Mount(llb.Mount{Dest: path.Join(step.TreeDir, "0"), Tree: layer, Kind: llb.ReadOnly, ByKey: true})
	if result != nil {
		p.Mount(llb.Mount{Dest: path.Join(step.RunResult, "0"), Tree: *result, Source: container.ResultPath, Kind: llb.ReadOnly})
	}
	out, err := b.Exec(p)
	if err != nil {
		return fact.Answer{}, err
	}
	q := fact.Question{Layer: name, Kind: fact.Part}
	answers, err := ask(fact.Inquiry{State: out[step.OutDir], Files: map[fact.Question]string{q: container.TreeResult(0)}})
	return answers[q], err
}

// parseOwner reads a user and a group in numbers.
func parseOwner(s string) (owner llb.Owner, err error) {
	user, group, _ := strings.Cut(s, ":")
	uid, err := strconv.ParseUint(user, 10, 31)
	gid, groupErr := strconv.ParseUint(group, 10, 31)
	if err != nil || groupErr != nil {
		return owner, fmt.Errorf("its label says that its files belong to %q, which is no user and group", s)
	}
	return llb.Owner{UID: int(uid), GID: int(gid)}, nil
}
