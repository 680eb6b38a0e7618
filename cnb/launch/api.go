package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// version is an API version, MAJOR.MINOR or MAJOR.
type version struct{ major, minor int }

func (v version) less(o version) bool {
	return v.major < o.major || v.major == o.major && v.minor < o.minor
}

func parseVersion(text string) (version, error) {
	major, minor, dotted := strings.Cut(text, ".")
	if !dotted {
		minor = "0"
	}
	var v version
	var errMajor, errMinor error
	v.major, errMajor = strconv.Atoi(major)
	v.minor, errMinor = strconv.Atoi(minor)
	if errMajor != nil || errMinor != nil || v.major < 0 || v.minor < 0 {
		return version{}, fmt.Errorf("%q is not an API version", text)
	}
	return v, nil
}

// Versions that the launcher can work with, and those at which something changed for it.
var (
	platformOldest = version{0, 7}
	platformNewest = version{0, 15}
	platformArgs   = version{0, 10} // user's arguments replace those of newer buildpacks
	platformEnvs   = version{0, 15} // a process may be for some kinds of environments only

	buildpackOldest   = version{0, 2}
	buildpackNewest   = version{0, 12}
	buildpackArgs     = version{0, 4} // arguments of a shell process are words, not positional parameters of a script
	buildpackExecD    = version{0, 5} // exec.d; env files without suffix override
	buildpackOverride = version{0, 9} // user's arguments replace the process' own
)

func within(v, oldest, newest version) bool { return !v.less(oldest) && !newest.less(v) }
