package packfile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/packfile/frontend/text"
)

// signals are the names of Linux' signals by their number on amd64 and arm64, without SIG. The number 0 is none.
var signals = []string{
	"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
	"CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
}

// Numbers of real-time signals, as container runtimes count them.
const (
	firstRealTime = 34
	lastRealTime  = 64
)

// stopSignal checks stop-signal.
func stopSignal(s string) (problem, hint string) {
	if signalName(s) != "" {
		return "", ""
	}
	hint = `as in "SIGTERM", "SIGQUIT", "SIGRTMIN+3" or "15"`
	if upper := signalName(strings.ToUpper(s)); upper != "" {
		hint = text.DidYouMean(s, []string{upper})
	}
	return "is not a signal", hint
}

// signalName returns the name of a signal that is given by name, with or without SIG, or by number; "" when there is no such
// signal. Real-time signals count from the first (OCI image specification, "StopSignal": SIGRTMIN+3).
func signalName(s string) string {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		switch {
		case n > 0 && int(n) < len(signals):
			return "SIG" + signals[n]
		case n >= firstRealTime && n <= lastRealTime:
			return realTime(int(n))
		}
		return ""
	}
	name := strings.TrimPrefix(s, "SIG")
	if name != "" && slices.Contains(signals, name) {
		return "SIG" + name
	}
	if rest, ok := strings.CutPrefix(name, "RTMIN"); ok {
		return realTimeFrom(firstRealTime, rest, "+")
	}
	if rest, ok := strings.CutPrefix(name, "RTMAX"); ok {
		return realTimeFrom(lastRealTime, rest, "-")
	}
	return ""
}

// realTimeFrom returns the name of the real-time signal at a distance, which is written with a sign, from the first or last one.
func realTimeFrom(n int, distance, sign string) string {
	if distance != "" {
		digits, ok := strings.CutPrefix(distance, sign)
		by, err := strconv.ParseUint(digits, 10, 8)
		if !ok || err != nil {
			return ""
		}
		if n += int(by); sign == "-" {
			n -= 2 * int(by)
		}
	}
	if n < firstRealTime || n > lastRealTime {
		return ""
	}
	return realTime(n)
}

// realTime returns the name of a real-time signal.
func realTime(n int) string {
	if n == firstRealTime {
		return "SIGRTMIN"
	}
	return "SIGRTMIN+" + strconv.Itoa(n-firstRealTime)
}
