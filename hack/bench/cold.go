package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/client"
	"github.com/packfile/frontend/internal/testbed"
)

// cold is about builds that have an empty daemon each, as in CI, and a registry with what an earlier build has left.
type cold struct {
	*bench   // its images are those of that registry
	registry *testbed.Registry
	runImage [2]string // what the app is put on, and what that is swapped for
	dirs     map[frontend]string
	least    int64 // size of each image of the app
	builds   int   // so far
}

// way is how a build gets at what the earlier one has made.
type way int

const (
	previousImage way = iota // packfile: the earlier image
	inlineCache              // Dockerfile: the earlier image, with a cache in it
	registryCache            // Dockerfile: a cache beside the image, with mode=max
	rebased                  // packfile: the earlier image, and nothing else
)

// cacheWays are theirs.
var cacheWays = []way{inlineCache, registryCache}

func (w way) String() string {
	return [...]string{"previous image", "inline cache", "registry cache", "rebase"}[w]
}

func (w way) frontend() frontend {
	if w == previousImage || w == rebased {
		return packfile
	}
	return dockerfile
}

// Repositories of the registry, or what they begin with.
const (
	frontendRepository = "frontend/"
	baseRepository     = "base/"
	appRepository      = "app/"
)

func (c *cold) appImage(f frontend, tag string) string {
	return c.images.registry + "/" + appRepository + f.String() + ":" + tag
}

// cacheImage is the cache beside the image, as options of its import and export.
func (c *cold) cacheImage(tag string) []client.CacheOptionsEntry {
	return []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": c.appImage(dockerfile, "cache-"+tag), "mode": "max"}}}
}

// onCold measures something with a registry of its own.
func (b *bench) onCold(measure func(*cold) error) error {
	r, err := testbed.StartRegistry(b.ctx)
	if err != nil {
		return err
	}
	defer r.Stop()
	c, err := b.newCold(r)
	if err != nil {
		return err
	}
	return measure(c)
}

// newCold fills an empty registry with the images that builds begin with.
func (b *bench) newCold(r *testbed.Registry) (*cold, error) {
	own := *b
	c := &cold{bench: &own, registry: r}
	c.images.registry = r.Address
	for _, image := range []struct {
		from, repository, text string
		to                     []*string
	}{
		{b.images.packfile, frontendRepository + "packfile", "", []*string{&c.images.packfile}},
		{b.images.dockerfile, frontendRepository + "dockerfile", "", []*string{&c.images.dockerfile}},
		{b.images.build, baseRepository + "first", "", []*string{&c.images.build, &c.images.run, &c.runImage[0]}},
		{b.images.build, baseRepository + "second", "COPY Dockerfile /etc/patched\n", []*string{&c.runImage[1]}},
	} {
		ref := r.Address + "/" + image.repository + ":1"
		if err := c.derive(image.from, image.text, ref); err != nil {
			return nil, fmt.Errorf("%s from %s: %w", image.repository, image.from, err)
		}
		for _, to := range image.to {
			*to = ref
		}
	}
	return c, nil
}

// derive pushes an image made from another one; without text that is a copy.
func (c *cold) derive(from, text, to string) error {
	dir, err := os.MkdirTemp(c.tmp, "from")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := testbed.WriteFile(dir, "Dockerfile", []byte("FROM "+from+"\n"+text)); err != nil {
		return err
	}
	opt, err := c.request(builtIn, dir)
	if err != nil {
		return err
	}
	opt.Exports = pushTo(to)
	_, err = c.solve(opt)
	return err
}

func pushTo(ref string) []client.ExportEntry {
	return []client.ExportEntry{{Type: client.ExporterImage, Attrs: map[string]string{"name": ref, "push": "true"}}}
}

// first makes what the builds that are measured find in the registry.
func (c *cold) first(steps int) error {
	for f := range c.dirs {
		opt, err := c.request(f, c.dirs[f])
		if err != nil {
			return err
		}
		opt.Exports = pushTo(c.appImage(f, "before"))
		if f == dockerfile {
			opt.CacheExports = append(c.cacheImage("before"), client.CacheOptionsEntry{Type: "inline"})
		}
		on, end, err := c.emptyDaemon()
		if err != nil {
			return err
		}
		result, err := on.solve(opt)
		end()
		if err != nil {
			return err
		}
		if result.steps != steps {
			return fmt.Errorf("%s ran %d of %d steps in the first build", f, result.steps, steps)
		}
	}
	return nil
}
