package e2e

import (
	"path/filepath"
	"testing"
	"time"
)

// Docker's frontend asks for the times of commits as soon as there is a SOURCE_DATE_EPOCH.
func TestSourceDateEpochAsksGitForNothing(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	repo := filepath.Join(base, "repo.git")
	write(t, repo, map[string]string{"sub/packfile.toml": oneLayer, "sub/deeper/app.txt": "in a sub folder"})
	gitIn(t, repo, "init", "-q")
	gitIn(t, repo, "add", ".")
	gitIn(t, repo, "commit", "-qm", "one")
	url := serveGit(t, base) + "/repo.git#main:sub"
	onEachBuildKit(t, func(t *testing.T, host string) {
		_, img := request{host: host, opts: map[string]string{"context": url, "build-arg:SOURCE_DATE_EPOCH": "1700000000"}}.pushTo(t, imageName(t))
		if want := time.Unix(1700000000, 0); !img.Created.Equal(want) {
			t.Errorf("the image is of %v, want %v", img.Created, want)
		}
		if f, ok := img.files(t, "layer a")["deeper/app.txt"]; !ok {
			t.Error("the sub folder is not in the layer")
		} else if !f.ModTime.Equal(time.Unix(1700000000, 0)) {
			t.Errorf("the file is of %v", f.ModTime)
		}
	})
}
