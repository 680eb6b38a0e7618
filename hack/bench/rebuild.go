package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/subrequests"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/packfile/frontend/internal/testbed"
)

// change is what is different from the first build.
type change struct {
	file    string // is another one; "": none
	swapped bool   // the run image is the other one
	warm    bool   // the daemon has the frontend's image already
}

// rebuilt is what a build took that had an empty daemon.
type rebuilt struct {
	built
	traffic       testbed.Traffic
	before, after testbed.Image
	configs       map[string]bool // digests of all images' configs
}

// rebuild builds the app after a change, and takes the change back.
func (c *cold) rebuild(w way, ch change) (r rebuilt, err error) {
	f := w.frontend()
	dir := c.dirs[f]
	c.builds++
	undo, err := c.edit(dir, ch.file)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, undo()) }()
	opt, err := c.request(f, dir)
	if err != nil {
		return r, err
	}
	// As in CI, no two images are the same: were they, the registry would have what is pushed.
	revision := fmt.Sprint(c.builds)
	before, after := c.appImage(f, "before"), c.appImage(f, "after-"+revision)
	opt.FrontendAttrs["label:"+ocispecs.AnnotationRevision] = revision
	opt.Exports = pushTo(after)
	switch w {
	case previousImage:
		opt.FrontendAttrs["context:previous"] = "docker-image://" + before
	case rebased:
		opt.FrontendAttrs["target"], opt.FrontendAttrs["context:previous"] = "rebase", "docker-image://"+before
		opt.LocalMounts = nil
	case inlineCache:
		opt.CacheImports = []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": before}}}
		opt.CacheExports = []client.CacheOptionsEntry{{Type: "inline"}}
	case registryCache:
		opt.CacheImports, opt.CacheExports = c.cacheImage("before"), c.cacheImage("after")
	}
	if ch.swapped {
		if f == packfile {
			opt.FrontendAttrs["context:run-image"] = "docker-image://" + c.runImage[1]
		} else {
			opt.FrontendAttrs["build-arg:RUN_IMAGE"] = c.runImage[1]
		}
	}
	on, end, err := c.emptyDaemon()
	if err != nil {
		return r, err
	}
	defer end()
	if ch.warm {
		if err := on.warm(f, dir); err != nil {
			return r, err
		}
	}
	c.registry.Traffic.Take()
	if r.built, err = on.solve(opt); err != nil {
		return r, err
	}
	r.traffic = c.registry.Traffic.Take()
	err = c.inspect(&r, before, after)
	return r, err
}

// edit gives a file new content of the same size, and returns what undoes that.
func (c *cold) edit(dir, file string) (undo func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	old, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	undo = func() error { return testbed.WriteFile(dir, file, old) }
	return undo, testbed.WriteFile(dir, file, randomBytes(fmt.Sprint(c.id, "edit", c.builds), len(old)))
}

// inspect looks at what was built, and at what it was built from.
func (c *cold) inspect(r *rebuilt, before, after string) error {
	r.configs = map[string]bool{}
	for _, ref := range []string{c.runImage[0], c.runImage[1], before, after} {
		image, err := testbed.ReadImage(c.ctx, ref)
		if err != nil {
			return err
		}
		r.configs[image.Manifest.Config.Digest.String()] = true
		r.before, r.after = r.after, image
	}
	if size := r.after.Size(); size < c.least {
		return fmt.Errorf("%s has only %d bytes", after, size)
	}
	return nil
}

// warm asks the frontend what it can be asked for, so that the daemon gets its image, and nothing else of a build.
func (b *bench) warm(f frontend, dir string) error {
	opt, err := b.request(f, dir)
	if err != nil {
		return err
	}
	delete(opt.LocalMounts, "context")
	opt.FrontendAttrs["requestid"] = subrequests.RequestSubrequestsDescribe
	opt.FrontendAttrs["frontend.caps"] = "moby.buildkit.frontend.subrequests"
	_, err = b.solve(opt)
	return err
}
