package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionsAreRead(t *testing.T) {
	for text, want := range map[string]Version{"0.10": {0, 10}, "0.9": {0, 9}, "1": {1, 0}, "1.2": {1, 2}, "00.09": {0, 9}} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", ".", "0.", ".1", "0.1.2", "-1.0", "+1.0", "0.-1", "a", "0.a", "v0.9", " 0.9", "0.99999999999999999999"} {
		_, err := Parse(text)
		require.EqualError(t, err, `"`+text+`" is not an API version`)
	}
}

func TestOnlyTheShortestFormWithAMinorPartIsAVersion(t *testing.T) {
	for text, want := range map[string]bool{"0.10": true, "1.0": true, "1": false, "0.010": false, "00.1": false, "0.1.2": false, "": false} {
		require.Equal(t, want, IsVersion(text), text)
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	for _, test := range []struct {
		v, o Version
		want bool
	}{
		{Version{0, 10}, Version{0, 9}, true}, {Version{0, 9}, Version{0, 10}, false}, {Version{0, 10}, Version{0, 10}, true},
		{Version{1, 0}, Version{0, 15}, true}, {Version{0, 15}, Version{1, 0}, false},
	} {
		require.Equal(t, test.want, test.v.AtLeast(test.o), "%s and %s", test.v, test.o)
	}
	require.True(t, Oldest.Within(Oldest, Newest))
	require.True(t, Newest.Within(Oldest, Newest))
	require.False(t, Version{0, 1}.Within(Oldest, Newest))
	require.False(t, Version{0, 13}.Within(Oldest, Newest))
	require.False(t, Version{1, 2}.Within(Oldest, Newest))
}
