package packfile

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/step"
)

// protocols are those of ports. The first one is that of a port that names none.
var protocols = []string{"tcp", "udp", "sctp"}

// portRange checks an entry of expose.
func portRange(s string) (problem, hint string) {
	_, problem, hint = parsePorts(s)
	return problem, hint
}

// parsePorts reads PORT, PORT/PROTOCOL, or a range of ports in place of the port. It returns each port with its protocol.
func parsePorts(s string) (ports []string, problem, hint string) {
	numbers, protocol, named := strings.Cut(s, "/")
	if !named {
		protocol = protocols[0]
	}
	first, last, isRange := strings.Cut(numbers, "-")
	if !isRange {
		last = first
	}
	from, ok := port(first)
	to, alsoOK := port(last)
	switch {
	case !ok || !alsoOK:
		return nil, "is not a port", `as in "8080", "53/udp" or "7000-7010"; a port is 1 to 65535`
	case from > to:
		return nil, "is a range that goes down", ""
	case !slices.Contains(protocols, protocol):
		return nil, "has an unknown protocol", "one of " + strings.Join(protocols, ", ")
	case to-from >= node.MaxEntries:
		return nil, "is a range of more than " + strconv.Itoa(node.MaxEntries) + " ports", ""
	}
	for n := from; n <= to; n++ {
		ports = append(ports, strconv.Itoa(n)+"/"+protocol)
	}
	return ports, "", ""
}

// port reads the number of a port, in the one form that it has.
func port(s string) (number int, ok bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}

// launcherFolders is the folder of an image that has its launcher and its process types.
const launcherFolders = "/cnb"

// runtimeFolders are folders that a container runtime makes.
var runtimeFolders = []string{"/proc", "/sys", "/dev"}

// volume checks an entry of volumes. A volume hides what the image has in its place.
func volume(s string) (problem, hint string) {
	clean := path.Clean(s)
	is := func(dir string) bool { return clean == dir || strings.HasPrefix(clean, dir+"/") }
	switch {
	case strings.TrimSpace(s) == "":
		return "is empty", ""
	case len(s) > maxVolume:
		return "is " + strconv.Itoa(len(s)) + " bytes long", "a volume has at most " + strconv.Itoa(maxVolume) + " bytes"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character", ""
	case !strings.HasPrefix(s, "/"):
		return "is not absolute", "write " + node.Quote(path.Join(step.AppDir, s)) + " for a folder of the app"
	case clean != s:
		return "is not the short form of a path", "write " + node.Quote(clean)
	case clean == "/":
		return "would hide the whole image", "name the folder that the app writes to"
	case clean == step.AppDir:
		return "would hide the app", "name the folder in it that the app writes to"
	case is(step.LayersDir):
		return "would hide layers", "name another folder"
	case is(launcherFolders):
		return "would hide the launcher", "name another folder"
	case slices.ContainsFunc(runtimeFolders, is):
		return "is made by the container runtime", "name another folder"
	}
	return "", ""
}

// maxVolume bounds the path of a volume, in bytes.
const maxVolume = 1024
