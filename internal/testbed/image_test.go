package testbed

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
)

// stock serves the manifests and blobs of a repository by their paths behind it.
func stock(t *testing.T, contents map[string]string) (host string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := contents[strings.TrimPrefix(r.URL.Path, "/v2/my/app/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestAnImageIsReadFromAnIndexForThisMachine(t *testing.T) {
	t.Parallel()
	config := `{"architecture": "mine", "config": {"User": "me"}}`
	manifest := fmt.Sprintf(`{"config": {"digest": %q}, "layers": [{"size": 3}, {"size": 4}]}`, digest.FromString(config))
	index := fmt.Sprintf(`{"manifests": [{"digest": "sha256:other", "platform": {"os": "linux", "architecture": "other"}},
		{"digest": %q, "platform": {"os": "linux", "architecture": %q}}]}`, digest.FromString(manifest), runtime.GOARCH)
	contents := map[string]string{
		"manifests/v1": index, "manifests/" + digest.FromString(index).String(): index, "manifests/" + digest.FromString(manifest).String(): manifest,
		"manifests/alone": manifest, "blobs/" + digest.FromString(config).String(): config,
		"manifests/foreign": `{"manifests": [{"digest": "sha256:other", "platform": {"os": "linux", "architecture": "other"}}]}`,
	}
	host := stock(t, contents)
	p, err := NewProxy(host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	for name, want := range map[string]string{"/my/app:v1": index, "/my/app:alone": manifest, "/my/app@" + digest.FromString(index).String(): index} {
		image, err := ReadImage(t.Context(), p.Image(host+name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if image.Digest != digest.FromString(want) || image.Size() != 7 || image.Config.Config.User != "me" {
			t.Errorf("%s is %+v", name, image)
		}
	}
	traffic := p.Traffic.Take()
	blobs := traffic.Sum(func(i Item) bool { return i.Repository == "my/app" && i.Kind == "blobs" })
	if blobs != (Moved{Pulled: int64(3 * len(config))}) {
		t.Errorf("of the config moved: %+v", blobs)
	}
	if left := p.Traffic.SoFar(); len(left) != 0 {
		t.Errorf("what was taken is still there: %v", left)
	}
	for _, name := range []string{"/my/app:foreign", "/my/app:none", "/my/other:v1"} {
		if _, err := ReadImage(t.Context(), host+name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
