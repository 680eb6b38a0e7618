package run

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/packfile/frontend/layer"
	"github.com/packfile/frontend/metadata"
	"github.com/packfile/frontend/pattern"
	"github.com/packfile/frontend/step"
)

// match writes a result for each tree, with the tree's digest as version.
func (r *runner) match(task step.Match) error {
	for i, tree := range task.Trees {
		result, err := matchTree(filepath.Join(r.matched, strconv.Itoa(i)), tree.Selected)
		if err != nil {
			return fmt.Errorf("layer %q: %w", tree.Name, err)
		}
		if err := r.reportTree(i, result); err != nil {
			return err
		}
	}
	return nil
}

// matchTree returns the result for one tree.
func matchTree(dir string, sel step.Selection) (step.Result, error) {
	tree, err := layer.DigestTree(dir, step.MaxFileDigests)
	if err != nil {
		return step.Result{}, err
	}
	result := step.Result{
		Metadata: metadata.Table{"version": tree.Digest},
		Matched:  step.Matched{Files: tree.Files, FileDigests: tree.FileDigests},
	}
	unmatched := map[int]*pattern.Matcher{}
	for i, patterns := range sel.Patterns {
		if pattern.Excludes(patterns) {
			continue // what it takes away is not here
		}
		if unmatched[i], err = pattern.New(patterns); err != nil {
			return step.Result{}, err
		}
	}
	covered, err := pattern.New(pattern.WithTargets(sel.Patterns, sel.Targets))
	if err != nil {
		return step.Result{}, err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		for i, m := range unmatched {
			switch ok, err := m.Selects(rel); {
			case err != nil:
				return err
			case ok:
				delete(unmatched, i)
			}
		}
		if entry.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		leads, err := leadsOn(dir, path, rel, covered)
		if !leads || err != nil {
			return err
		}
		if len(result.Links) == step.MaxLinks {
			return fmt.Errorf("more than %d symlinks lead to other files of the app", step.MaxLinks)
		}
		text, err := os.Readlink(path)
		result.Links = append(result.Links, step.Symlink{Path: rel, Text: text})
		return err
	})
	for i := range sel.Patterns {
		if unmatched[i] != nil {
			result.Unmatched = append(result.Unmatched, i)
		}
	}
	return result, err
}

// leadsOn reports whether a symlink that counts leads to something that is not completely in the tree. A folder is
// complete when a pattern covers it.
func leadsOn(dir, path, rel string, covered *pattern.Matcher) (bool, error) {
	if counts, err := covered.Selects(rel); !counts || err != nil {
		return false, err
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return true, nil // part of the way is not here, or nowhere
	}
	info, err := os.Lstat(real)
	if err != nil || !info.IsDir() {
		return false, err
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	folder, err := filepath.Rel(root, real)
	if err != nil {
		return false, err
	}
	whole, err := covered.Selects(folder)
	return !whole, err
}
