package sbom

import (
	"regexp"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"
)

// licenses returns one SPDX licence expression for a list of them, joined by AND. It returns "" when one of them is not
// valid: leaving that one out would claim that there are no other terms.
func licenses(list []string) string {
	for i, text := range list {
		switch {
		case text == "NONE" || text == noAssertion:
			if len(list) == 1 {
				return text
			}
			return ""
		case !validLicense(text):
			return ""
		case len(list) > 1 && strings.ContainsAny(text, " \t"):
			list[i] = "(" + text + ")"
		}
	}
	return strings.Join(list, " AND ")
}

// maxExpression is the size of the largest licence expression, in bytes: checking one takes time by the square of its size.
const maxExpression = 4 << 10

var (
	licenseToken = regexp.MustCompile(`[()]|[^()\s]+`)
	licenseID    = regexp.MustCompile(`^(DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9.-]+\+?$`)
	operators    = []string{"(", ")", "AND", "OR", "WITH"}
)

// validLicense reports whether a text has the form of an SPDX licence expression (SPDX 2.3, Annex D). It does not check
// the names of licences and exceptions: their list grows. So go-spdx, which has a list, gets other names in their place.
func validLicense(text string) bool {
	if len(text) > maxExpression {
		return false
	}
	tokens := licenseToken.FindAllString(text, -1)
	for i, token := range tokens {
		switch {
		case slices.Contains(operators, token):
		case !licenseID.MatchString(token):
			return false
		case i > 0 && tokens[i-1] == "WITH":
			tokens[i] = "Classpath-exception-2.0"
		default:
			tokens[i] = "MIT"
		}
	}
	valid, _ := spdxexp.ValidateLicenses([]string{strings.Join(tokens, " ")})
	return valid
}
