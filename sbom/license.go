package sbom

import (
	"regexp"
	"slices"
	"strings"
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

var (
	licenseToken = regexp.MustCompile(`\(|\)|[^()\s]+`)
	licenseID    = regexp.MustCompile(`^(DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9.-]+\+?$`)
	operators    = []string{"AND", "OR", "WITH"}
)

// validLicense reports whether a text has the form of an SPDX licence expression (SPDX 2.3, Annex D). It does not check
// the names of licences: their list grows.
func validLicense(text string) bool {
	p := licenseParser{licenseToken.FindAllString(text, -1)}
	return p.expression(0) && len(p.tokens) == 0
}

// maxNesting is the largest depth of parentheses in a licence expression.
const maxNesting = 32

type licenseParser struct{ tokens []string }

// next reads the next token if will accepts it, and reports whether it did.
func (p *licenseParser) next(will func(token string) bool) bool {
	if len(p.tokens) == 0 || !will(p.tokens[0]) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func is(want string) func(string) bool {
	return func(token string) bool { return token == want }
}

// expression reads terms joined by AND or OR, and reports whether it could.
func (p *licenseParser) expression(depth int) bool {
	for {
		if !p.term(depth) {
			return false
		}
		if !p.next(is("AND")) && !p.next(is("OR")) {
			return true
		}
	}
}

func (p *licenseParser) term(depth int) bool {
	if p.next(is("(")) {
		return depth < maxNesting && p.expression(depth+1) && p.next(is(")"))
	}
	isID := func(token string) bool { return licenseID.MatchString(token) && !slices.Contains(operators, token) }
	if !p.next(isID) {
		return false
	}
	return !p.next(is("WITH")) || p.next(isID)
}
