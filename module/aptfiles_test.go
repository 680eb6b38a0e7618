package module

import "testing"

func TestAddressesWithAUserOrAPasswordAreFoundInSources(t *testing.T) {
	for sources, want := range map[string]int{
		"deb https://packages.example.com/debian bookworm main\n":                                0,
		"deb [trusted=yes signed-by=/x@y.gpg] http://packages.example.com:8080/ ./\n":            0,
		"deb https://packages.example.com/~user@host/ ./\n":                                      0,
		"deb https://user:secret@packages.example.com/debian bookworm main\n":                    1,
		"# a comment\n\ndeb https://token@packages.example.com/ ./\n":                            3,
		"# deb https://user:secret@packages.example.com/ ./\n":                                   1,
		"Types: deb\nURIs: https://one.example.com/ https://u:p@two.example.com/\nSuites: ./\n":  2,
		"Types: deb\nURIs: mirror+https://u:%zz@two.example.com/\nSuites: ./\n":                  2,
		"Types: deb\nURIs:\n https://one.example.com/\n https://u@two.example.com\nSuites: ./\n": 4,
		"Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n user@example.com\n":     0,
		"deb ftp://anonymous@packages.example.com/debian bookworm main":                          1,
	} {
		if got := credentials(sources); got != want {
			t.Errorf("%q: line %d, want %d", sources, got, want)
		}
	}
}
