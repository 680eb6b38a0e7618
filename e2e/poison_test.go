package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	cachetypes "github.com/moby/buildkit/cache/remotecache/v1/types"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/packfile/frontend/internal/testbed"
	"github.com/packfile/frontend/layerkey"
	"github.com/packfile/frontend/llb"
)

// Attacks of whoever can push to the repository of the previous image: on the build that names it, on its builder, and on
// what other projects build there.

// arm64 is a platform that no build of these tests is for.
var arm64 = ocispecs.Platform{OS: "linux", Architecture: "arm64"}

// evilLauncher is what an attacker wants to have started in place of the launcher.
const evilLauncher = "#!/bin/sh\necho evil\n"

// evilLayer uploads a layer that has another launcher, and returns its descriptor and diff id.
func (p pushed) evilLayer(t *testing.T) (ocispecs.Descriptor, digest.Digest) {
	t.Helper()
	var raw, zipped bytes.Buffer
	tw := tar.NewWriter(&raw)
	if err := tw.WriteHeader(&tar.Header{Name: "cnb/lifecycle/launcher", Mode: 0o755, Size: int64(len(evilLauncher))}); err != nil {
		t.Fatal(err)
	}
	tw.Write([]byte(evilLauncher))
	tw.Close()
	zw := gzip.NewWriter(&zipped)
	zw.Write(raw.Bytes())
	zw.Close()
	return p.upload(t, ocispecs.MediaTypeImageLayerGzip, zipped.Bytes()), digest.FromBytes(raw.Bytes())
}

// upload puts a blob into the image's repository.
func (p pushed) upload(t *testing.T, mediaType string, data []byte) ocispecs.Descriptor {
	t.Helper()
	d := ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	at := send(t, http.MethodPost, p.repository()+"/blobs/uploads/", "", nil).Header.Get("Location")
	send(t, http.MethodPut, at+"&digest="+d.Digest.String(), "application/octet-stream", data)
	return d
}

// put puts a manifest or an index into the image's repository, under a tag.
func (p pushed) put(t *testing.T, tag, mediaType string, manifest any) ocispecs.Descriptor {
	t.Helper()
	data := marshal(t, manifest)
	send(t, http.MethodPut, p.repository()+"/manifests/"+tag, mediaType, data)
	return ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// tagged is the name of another tag of the image's repository.
func (p pushed) tagged(tag string) string { return strings.TrimSuffix(p.name, "latest") + tag }

// entry is the image in an index.
func (p pushed) entry(t *testing.T) ocispecs.Descriptor {
	t.Helper()
	d := p.descriptor(t)
	d.Platform = &ocispecs.Platform{OS: "linux", Architecture: p.Architecture}
	return d
}

// descriptor is that of the image's own manifest.
func (p pushed) descriptor(t *testing.T) ocispecs.Descriptor {
	t.Helper()
	data := raw(t, p.name)
	return ocispecs.Descriptor{MediaType: p.manifest.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exportedCache is what a cache in the registry says.
func exportedCache(t *testing.T, name string) (cache cachetypes.CacheConfig) {
	t.Helper()
	p := pushed{name: name}
	var manifest ocispecs.Manifest
	decode(t, raw(t, name), &manifest)
	decode(t, p.blobData(t, manifest.Config.Digest), &cache)
	return cache
}

// poison is an inline cache that has one layer, the first, as the result of every operation of some cache that has one, and as
// every layer of the image that can be named.
func (p pushed) poison(t *testing.T, cache cachetypes.CacheConfig) []cachetypes.CacheRecord {
	t.Helper()
	references, err := llb.References(p.RootFS.DiffIDs, 0)
	if err != nil {
		t.Fatal(err)
	}
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(references, &records); err != nil {
		t.Fatal(err)
	}
	evil := []cachetypes.ChainedResult{{LayerIndexes: []int{0}, CreatedAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for i := range records {
		if i > 0 {
			records[i].ChainedResults = evil
		}
	}
	launcher, first, poisoned := p.blob(t, "launcher").Digest, len(records), false
	for _, r := range cache.Records {
		for _, res := range r.Results {
			poisoned = poisoned || cache.Layers[res.LayerIndex].Blob == launcher
			r.ChainedResults = evil
		}
		r.Results = nil
		for _, inputs := range r.Inputs {
			for i := range inputs {
				inputs[i].LinkIndex += first
			}
		}
		records = append(records, r)
	}
	if !poisoned {
		t.Fatal("no record of the cache has the launcher as its result: this test attacks nothing")
	}
	return records
}

// evilImage pushes an image for arm64 with an inline cache and one layer, the evil one.
func (p pushed) evilImage(t *testing.T, tag string, records []cachetypes.CacheRecord) ocispecs.Descriptor {
	t.Helper()
	layer, diffID := p.evilLayer(t)
	created := time.Unix(epoch, 0).UTC()
	config := p.upload(t, ocispecs.MediaTypeImageConfig, marshal(t, map[string]any{
		"os": arm64.OS, "architecture": arm64.Architecture, "config": struct{}{},
		"rootfs":             ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{diffID}},
		"history":            []ocispecs.History{{Created: &created, CreatedBy: tag}},
		llb.InlineCacheField: marshal(t, records),
	}))
	d := p.put(t, tag, ocispecs.MediaTypeImageManifest, ocispecs.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest,
		Config: config, Layers: []ocispecs.Descriptor{layer},
	})
	d.Platform = &arm64
	return d
}

// index pushes an index under a tag, and returns its name.
func (p pushed) index(t *testing.T, tag, mediaType string, manifests ...ocispecs.Descriptor) string {
	t.Helper()
	p.put(t, tag, mediaType, ocispecs.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: mediaType, Manifests: manifests,
	})
	return p.tagged(tag)
}

const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"

// victims is an image that can be attacked, with a cache of everything that its build did.
func victims(t *testing.T, dir, runImg string) (pushed, cachetypes.CacheConfig) {
	t.Helper()
	cache := imageName(t)
	_, img := request{dir: dir, runImg: runImg, args: []string{"--export-cache", "type=registry,mode=max,ref=" + cache}}.pushTo(t, imageName(t))
	return img, exportedCache(t, cache)
}

// bystander builds another project, which has no previous image, and fails if its image is not that of a builder that was never
// attacked.
func bystander(t *testing.T, host string) {
	t.Helper()
	dir := app(t, testbed.Packfile(testbed.Layer("x").Export().Version("STAMP").Run("echo x > $LAYER/x")))
	_, clean := request{dir: dir}.pushTo(t, imageName(t))
	_, attacked := request{dir: dir, host: host}.pushTo(t, imageName(t))
	equal(t, "launcher of another project", attacked.blob(t, "launcher").Digest, clean.blob(t, "launcher").Digest)
	equal(t, "image of another project", attacked.digest, clean.digest)
}

func TestAnIndexAsPreviousImagePoisonsNothing(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	first, cache := victims(t, dir, "")
	own := first.entry(t)
	evil := first.evilImage(t, "evil", first.poison(t, cache))
	for name, index := range map[string]string{
		"of another platform":     first.index(t, "other", ocispecs.MediaTypeImageIndex, own, evil),
		"in a list of Docker's":   first.index(t, "docker", dockerList, own, evil),
		"as an attestation":       first.index(t, "attested", ocispecs.MediaTypeImageIndex, own, attestation(evil, own)),
		"before the image itself": first.index(t, "before", ocispecs.MediaTypeImageIndex, evil, own),
	} {
		t.Run(name, func(t *testing.T) {
			host := secondDaemon(t)
			b, second := request{dir: dir, host: host, previous: index}.pushTo(t, imageName(t))
			b.wantRuns(t, layersOfThree)
			contains(t, b.log, "[tool] reused from the previous image")
			if name != "as an attestation" {
				contains(t, b.log, "[warning] previous image: its index has an image for linux/arm64 with a build cache that the packfile frontend did not make")
			}
			equal(t, "image", second.digest, first.digest)
			bystander(t, host)
		})
	}
}

// The oldest BuildKit cannot read an index for us: its images are copied.
func TestAnIndexPoisonsNothingOnTheOldestBuildKit(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	first, cache := victims(t, dir, "")
	own := first.entry(t)
	evil := first.evilImage(t, "evil", first.poison(t, cache))
	anywhere := own
	anywhere.Platform = nil // what is for no platform is not for one that nobody has heard of
	for name, index := range map[string]string{
		"of another platform": first.index(t, "other", ocispecs.MediaTypeImageIndex, own, evil),
		"of any platform":     first.index(t, "any", ocispecs.MediaTypeImageIndex, anywhere, evil),
	} {
		t.Run(name, func(t *testing.T) {
			host := newDaemon(t, "oldest-"+daemonKind())
			b, second := request{dir: dir, host: host, previous: index}.pushTo(t, imageName(t))
			b.wantRuns(t, layersOfThree)
			contains(t, b.log, "[warning] previous image: it is an index of images")
			for _, l := range layersOfThree {
				equal(t, "layer "+l, second.blob(t, "layer "+l).Digest, first.blob(t, "layer "+l).Digest)
			}
			if launcher := second.tree(t, "launcher"); strings.Contains(fmt.Sprint(launcher), "evil") {
				t.Error("the launcher is the attacker's")
			}
		})
	}
}

// attestation makes a manifest one that is said to be about another.
func attestation(d, about ocispecs.Descriptor) ocispecs.Descriptor {
	d.Platform = &ocispecs.Platform{OS: "unknown", Architecture: "unknown"}
	d.Annotations = map[string]string{
		"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about.Digest.String(),
	}
	return d
}

func TestAnIndexPoisonsNoRebase(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	run := patched(t, env.busybox, "")
	_, cache := victims(t, dir, run)
	_, first := request{dir: dir, runImg: env.busybox}.pushTo(t, imageName(t))
	own := first.entry(t)
	// BuildKit takes the record of any image in an index: with so many, that of the image itself is hardly ever taken.
	manifests := []ocispecs.Descriptor{own}
	for i := range 3 {
		manifests = append(manifests, first.evilImage(t, fmt.Sprint("evil", i), first.poison(t, cache)))
	}
	index := first.index(t, "other", ocispecs.MediaTypeImageIndex, manifests...)
	host := secondDaemon(t)
	_, clean := rebased(t, request{runImg: run, previous: first.name})
	_, attacked := rebased(t, request{runImg: run, previous: index, host: host})
	equal(t, "layers", attacked.manifest.Layers, clean.manifest.Layers)
	equal(t, "image", attacked.digest, clean.digest)
	bystander(t, host)
}

func TestTheCacheOfAPreviousImagePoisonsNothing(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	first, cache := victims(t, dir, "")
	poison := marshal(t, first.poison(t, cache))
	own := func(config map[string]any) string { return config[llb.InlineCacheField].(string) }
	// BuildKit looks for names of fields as Go does, for which the Kelvin sign is a k. The last one counts.
	const nearly = "moby.build\u212ait.cache.v0"
	for name, change := range map[string]func(config map[string]any){
		"records of a cache":            func(c map[string]any) { c[llb.InlineCacheField] = poison },
		"a field of nearly that name":   func(c map[string]any) { c[nearly] = poison },
		"nothing else, in such a field": func(c map[string]any) { delete(c, llb.InlineCacheField); c[nearly] = poison },
		"a layer of the future": func(c map[string]any) {
			c[llb.InlineCacheField] = rewritten(t, own(c), func(r *[]cachetypes.CacheRecord) {
				(*r)[1].ChainedResults[0].CreatedAt = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
			})
		},
		// BuildKit v0.34.2 ends when it imports the cache of such an image.
		"less history than layers": func(c map[string]any) { c["history"] = c["history"].([]any)[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			host := secondDaemon(t)
			b, second := request{dir: dir, host: host, previous: first.recast(t, change)}.pushTo(t, imageName(t))
			contains(t, b.log, "[warning] previous image: ")
			equal(t, "launcher", second.blob(t, "launcher").Digest, first.blob(t, "launcher").Digest)
			bystander(t, host)
		})
	}
	t.Run("a manifest that gives the config another size", func(t *testing.T) {
		host := secondDaemon(t)
		request{dir: dir, host: host, previous: first.name}.pushTo(t, imageName(t)) // from here on the daemon has the config
		manifest := first.manifest
		manifest.Config.Size = 1 << 50
		first.put(t, "size", manifest.MediaType, manifest)
		b, second := request{dir: dir, host: host, previous: first.tagged("size")}.pushTo(t, imageName(t))
		contains(t, b.log, "[warning] previous image: its manifest gives its config another size")
		equal(t, "image", second.digest, first.digest)
	})
}

// rewritten is an inline cache, as a config has it, with other records.
func rewritten(t *testing.T, inlineCache string, change func(*[]cachetypes.CacheRecord)) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(inlineCache)
	if err != nil {
		t.Fatal(err)
	}
	var records []cachetypes.CacheRecord
	if err := json.Unmarshal(data, &records); err != nil {
		t.Fatal(err)
	}
	change(&records)
	return marshal(t, records)
}

// What docker buildx pushes by default is an index, with the image and what is attested of it.
func TestLayersOfAnAttestedImageAreTakenByReference(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	_, first := request{dir: dir, opts: map[string]string{"attest:provenance": "mode=max"}}.attest(t)
	own := pull(t, strings.TrimSuffix(first.name, ":latest")+"@"+first.images["linux/amd64"].Digest.String())
	p := newProxy(t)
	b, second := request{dir: dir, host: secondDaemon(t), previous: p.Image(first.name)}.pushTo(t, p.Image(imageName(t)))
	b.wantRuns(t, layersOfThree)
	equal(t, "image", second.digest, own.digest)
	for _, l := range layersOfThree {
		if n := pulled(p, own.blob(t, "layer "+l).Digest.String()); n > 0 {
			t.Errorf("%d bytes of layer %s were pulled", n, l)
		}
	}
	if strings.Contains(b.log, "[warning]") {
		t.Errorf("there is a warning:\n%s", b.log)
	}
}

// Images of one build may come from several hands.
func TestThePreviousImageOfOnePlatformIsNoCacheForAnother(t *testing.T) {
	t.Parallel()
	dir := app(t, three)
	platforms := strings.Split(os.Getenv("PACKFILE_NATIVE_PLATFORMS"), ",")
	all := map[string]string{"platform": os.Getenv("PACKFILE_NATIVE_PLATFORMS")}
	_, both := request{dir: dir, opts: all}.pushTo(t, imageName(t))
	_, first := request{dir: dir}.pushTo(t, imageName(t))
	// The first platform's image says that it has a layer of the second's as well, and gives another for it.
	other := both.of(t, platforms[1])
	claimed := other.label.Layers[2].DiffID
	evil := first.recast(t, func(c map[string]any) {
		labels := c["config"].(map[string]any)["Labels"].(map[string]any)
		first.label.Layers[2].DiffID = claimed
		labels[layerkey.LabelName] = string(marshal(t, first.label))
		stray, err := llb.References([]digest.Digest{digest.Digest(claimed)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var added []cachetypes.CacheRecord
		if err := json.Unmarshal(stray, &added); err != nil {
			t.Fatal(err)
		}
		c[llb.InlineCacheField] = rewritten(t, c[llb.InlineCacheField].(string), func(r *[]cachetypes.CacheRecord) { *r = append(*r, added[1]) })
	})
	all["context:previous::"+platforms[0]] = "docker-image://" + evil
	all["context:previous::"+platforms[1]] = "docker-image://" + both.name
	b, second := request{dir: dir, opts: all, host: secondDaemon(t)}.pushTo(t, imageName(t))
	contains(t, b.log, "[warning] previous image: it was changed after it was built")
	equal(t, "layers of the other platform", second.of(t, platforms[1]).manifest.Layers, other.manifest.Layers)
}
