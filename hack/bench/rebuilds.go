package main

import (
	"fmt"
	"strings"

	"github.com/packfile/frontend/internal/testbed"
)

// repeat builds after the same change, again and again: ours always, theirs in the first rounds only if that takes long.
func (c *cold) repeat(ch change, theirs int, theirWays ...way) (rebuilds, error) {
	const ours = 3
	all := rebuilds{}
	for round := range ours {
		turn := []way{previousImage}
		if round < theirs {
			turn = append(turn, theirWays...)
		}
		for _, w := range turn {
			r, err := c.rebuild(w, ch)
			if err != nil {
				return nil, fmt.Errorf("with %s: %w", w, err)
			}
			all[w] = append(all[w], r)
		}
	}
	return all, nil
}

// rebuilds are builds after the same change, by the way they were made.
type rebuilds map[way][]rebuilt

// median is that of a quantity.
func (all rebuilds) median(w way, of func(rebuilt) float64) float64 {
	var values []float64
	for _, r := range all[w] {
		values = append(values, of(r))
	}
	return median(values)
}

// steps is how many steps ran in a build; "1-2" if they are not the same in each.
func (all rebuilds) steps(w way) string { return all.count(w, func(r rebuilt) int { return r.steps }) }

// installs is how many operations of a build installed packages.
func (all rebuilds) installs(w way) string {
	return all.count(w, func(r rebuilt) int { return r.installs() })
}

func (all rebuilds) count(w way, of func(rebuilt) int) string {
	least, most := of(all[w][0]), of(all[w][0])
	for _, r := range all[w] {
		least, most = min(least, of(r)), max(most, of(r))
	}
	if least != most {
		return fmt.Sprintf("%d-%d", least, most)
	}
	return fmt.Sprint(least)
}

func took(r rebuilt) float64 { return r.time }

// pulled and pushed are all bytes but those of the frontend's own image.
func pulled(r rebuilt) float64 { return float64(r.traffic.Sum(ofBuild).Pulled) }
func pushed(r rebuilt) float64 { return float64(r.traffic.Sum(ofBuild).Pushed) }

func ofFrontend(i testbed.Item) bool { return strings.HasPrefix(i.Repository, frontendRepository) }
func ofBuild(i testbed.Item) bool    { return !ofFrontend(i) }

// pulledFrontend is the size of what is downloaded of the frontend's own image.
func pulledFrontend(r rebuilt) float64 { return float64(r.traffic.Sum(ofFrontend).Pulled) }

// layersMoved is what moves in either direction of layers: blobs that are no image's config.
func layersMoved(r rebuilt) float64 {
	m := r.traffic.Sum(func(i testbed.Item) bool { return ofBuild(i) && i.Kind == "blobs" && !r.configs[i.Digest] })
	return float64(m.Pulled + m.Pushed)
}

// pushedBeside is what is pushed beside the largest layer that the image before has not.
func pushedBeside(r rebuilt) float64 {
	return pushed(r) - float64(largestBeside(r.before, r.after))
}
