package launch

import "github.com/packfile/frontend/cnb/api"

// Versions of the Platform API that the launcher supports, and versions of both APIs at which its behaviour changes.
var (
	platformOldest = api.Version{Minor: 7}
	platformNewest = api.Version{Minor: 15}
	platformArgs   = api.Version{Minor: 10} // user's arguments replace those of newer buildpacks
	platformEnvs   = api.Version{Minor: 15} // a process may name the kinds of environments that it runs in

	buildpackArgs     = api.Version{Minor: 4} // arguments of a shell process are words, not positional parameters of a script
	buildpackExecD    = api.Version{Minor: 5} // exec.d; env files without suffix override
	buildpackOverride = api.Version{Minor: 9} // user's arguments replace the process' own
)
