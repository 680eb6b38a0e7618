package packfile

import "regexp"

// aptInstall matches a line of a script that calls apt-get or apt to install packages, or to look for new ones.
var aptInstall = regexp.MustCompile(`(?m)^(?:[^#\n]*[\s;&|(])?apt(?:-get)?\s(?:[^\n;&|#]*\s)?(install|update)\b`)

// CallsApt reports whether a script calls apt in a way that takes root, and whether it installs packages.
func CallsApt(script []byte) (calls, installs bool) {
	for _, m := range aptInstall.FindAllSubmatch(script, -1) {
		calls, installs = true, installs || string(m[1]) == "install"
	}
	return calls, installs
}

// AptHint is what to do in place of calling apt in a script.
const AptHint = "name the packages in build-packages or run-packages of config: they are installed as root, for steps or for the app"
