package text

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// maxSuggested is the longest word that DidYouMean compares with others, in bytes: a longer one is not mistyped.
const maxSuggested = 128

var simplify = strings.NewReplacer("-", "", "_", "", " ", "")

// DidYouMean returns the hint that suggests the candidate that a mistyped word probably means, "" when none is near. Among
// candidates that are as near it suggests the first. It takes time by the number of candidates.
func DidYouMean(wrong string, candidates []string) string {
	if near := nearest(wrong, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// nearest returns the candidate that a mistyped word probably means, "" when none is near.
func nearest(wrong string, candidates []string) string {
	if len(wrong) > maxSuggested {
		return ""
	}
	simple := simplify.Replace(strings.ToLower(wrong))
	allowed := 3 // two swapped letters count as 2
	switch {
	case len(wrong) < 4:
		allowed = 1
	case len(wrong) < 9:
		allowed = 2
	}
	best, bestDistance := "", allowed+1
	for _, candidate := range candidates {
		if difference := len(candidate) - len(wrong); difference >= bestDistance || -difference >= bestDistance {
			continue
		}
		if simplify.Replace(strings.ToLower(candidate)) == simple {
			return candidate
		}
		if d := levenshtein.Distance(wrong, candidate, nil); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}
