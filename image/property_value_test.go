package image_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/packfile/frontend/fact"
	"github.com/packfile/frontend/graph"
	"github.com/packfile/frontend/image"
)

// Decisions and what is made under them are values: they follow from the facts alone. Earlier questions do not count, nor how
// often they were asked.

// assemble puts an image together, or the layer that a target exports.
func (in input) assemble(d *graph.Decisions) (*image.Image, error) {
	if in.graph.Target == "" {
		return image.Assemble(context.Background(), d, in.image)
	}
	return image.Layer(context.Background(), d)
}

// sameAgain fails when asking questions once more takes other steps.
func (b *tried) sameAgain(qs []fact.Question, asked []fact.Inquiry) error {
	again, err := b.Ask(context.Background(), qs, nil)
	if err == nil && !b.equal(asked, again) {
		err = fmt.Errorf("asked twice, the steps that answer %v are others", qs)
	}
	return err
}

// sameAtOnce fails when decisions that were made fact by fact, or the image under them, differ from those under all facts at
// once.
func (b *tried) sameAtOnce(in input, img *image.Image) error {
	d, err := b.Decide(b.facts)
	if err != nil {
		return err
	}
	if one, all := text(b.Explain()), text(d.Explain()); one != all {
		return fmt.Errorf("fact by fact %s, and at once %s", one, all)
	}
	other, err := in.assemble(d)
	if err != nil {
		return err
	}
	states := func(img *image.Image) []fact.Inquiry { return append([]fact.Inquiry{{State: img.State}}, img.Left...) }
	if !b.equal(states(img), states(other)) {
		return errors.New("the image is another one when all facts are known at once")
	}
	return nil
}

// sameConfigAtOnce fails when the config of an image differs from the config under all the same facts at once.
func (b *tried) sameConfigAtOnce(img *image.Image, config *dockerspec.DockerOCIImage) error {
	d, err := b.Decide(b.facts)
	if err != nil {
		return err
	}
	again, err := img.Again(context.Background(), d)
	if err != nil {
		return err
	}
	other, err := again.Config()
	if err == nil && text(config) != text(other) {
		err = errors.New("the config is another one when all facts are known at once")
	}
	return err
}

// equal reports whether inquiries are the same operations.
func (b *tried) equal(one, other []fact.Inquiry) bool {
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		x, y := marshalled(b.t, one[i].State), marshalled(b.t, other[i].State)
		if !bytes.Equal(bytes.Join(x, nil), bytes.Join(y, nil)) {
			return false
		}
	}
	return true
}

func text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(data)
}
