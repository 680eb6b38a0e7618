package packfile

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASignalHasOneName(t *testing.T) {
	for text, want := range map[string]string{
		"SIGTERM": "SIGTERM", "TERM": "SIGTERM", "15": "SIGTERM", "015": "SIGTERM", "1": "SIGHUP", "31": "SIGSYS",
		"SIGRTMIN": "SIGRTMIN", "RTMIN+3": "SIGRTMIN+3", "SIGRTMIN+0": "SIGRTMIN", "34": "SIGRTMIN", "37": "SIGRTMIN+3",
		"SIGRTMAX": "SIGRTMIN+30", "SIGRTMAX-30": "SIGRTMIN", "64": "SIGRTMIN+30",
		"": "", "SIG": "", "0": "", "32": "", "33": "", "65": "", "-1": "", "SIGSIGTERM": "", "RTMIN+31": "", "RTMIN-1": "", "RTMAX+1": "",
		"RTMAX-31": "", "RTMIN+": "", "RTMIN++1": "", "999999999999999999999": "", "term": "",
	} {
		require.Equal(t, want, signalName(text), text)
	}
	seen := map[string]bool{}
	for n := range 65 {
		if name := signalName(strconv.Itoa(n)); name != "" {
			require.False(t, seen[name], name)
			seen[name] = true
		}
	}
	require.Len(t, seen, 31+31)
}

func TestPortsOfARangeAreWrittenOut(t *testing.T) {
	for text, want := range map[string][]string{
		"80": {"80/tcp"}, "53/udp": {"53/udp"}, "1-3/sctp": {"1/sctp", "2/sctp", "3/sctp"}, "65535-65535": {"65535/tcp"}, "80-79": nil,
	} {
		got, problem, _ := parsePorts(text)
		require.Equal(t, want, got, text)
		require.Equal(t, want == nil, problem != "", text)
	}
}

func TestAModuleThatSpeaksOfTheImageIsNotIdle(t *testing.T) {
	for _, said := range []string{"image = { expose = ['80'] }", "env.launch = [{ name = 'A', value = 'a' }]"} {
		_, warnings, err := Parse("packfile.toml", []byte("[config]\nid = 'a'\n"+said))
		require.NoError(t, err)
		require.Empty(t, warnings)
	}
	_, warnings, err := Parse("packfile.toml", []byte("[config]\nid = 'a'\nenv = {}\n"))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
}
