package packfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/packfile/frontend/node"
	"github.com/packfile/frontend/node/nodetest"
)

func TestErrorsSayWhatIsWrongAndWhere(t *testing.T) {
	const layer = "[[layers]]\nname = \"a\"\n"
	for _, test := range []struct {
		name, filename, text string
		want                 []string // all errors, without the file name; a part of each is enough
	}{
		{"broken TOML", "a.toml", "api = \"0.10\"\n[config\nid = 1\n", []string{"2:8: invalid TOML: "}},
		{"TOML that ends early", "a.toml", "api = ", []string{"1:6: invalid TOML: "}},
		{"TOML that is not UTF-8", "a.toml", "api = \"\xff\"", []string{"1:8: invalid TOML: "}},
		{"a key twice", "a.toml", "api = \"0.10\"\n\napi = \"0.9\"\n", []string{`3:1: invalid TOML: "api" is already defined on line 1`}},
		{"a table twice", "a.toml", "[config]\n[config]\n", []string{`2:2: invalid TOML: "config" is already defined on line 1`}},
		{"a table that is an array", "a.toml", "[[layers]]\nname = \"a\"\nbuild = {}\n[layers]\n",
			[]string{`4:2: invalid TOML: "layers" is an array of tables since line 1 (write [[…]])`}},
		{"a number that is too large", "a.toml", layer + "metadata.n = 99999999999999999999\nbuild = {}", []string{"3:14: invalid TOML: "}},
		{"a date that does not exist", "a.toml", layer + "metadata.n = 2024-02-31\nbuild = {}", []string{"3:14: invalid TOML: "}},
		{"TOML nested too deep", "a.toml", "a" + strings.Repeat(".a", 40) + " = 1", []string{"1:1: unknown key", "1:63: tables nest"}},
		{"TOML arrays nested too deep", "a.toml", "api = " + strings.Repeat("[", 40) + strings.Repeat("]", 40),
			[]string{"1:7: values nest more", "1:7: api: expected a string"}},

		{"broken YAML", "a.yaml", "config:\n  id: [a\n", []string{"2:1: invalid YAML: "}},
		{"YAML that is not UTF-8", "a.yaml", "config:\n  id: \xff\n", []string{"2:7: invalid YAML: the file is not UTF-8"}},
		{"YAML with control characters", "a.yaml", "config:\n  id: \x01\n", []string{"2:7: invalid YAML: control character 0x01"}},
		{"two YAML documents", "a.yaml", "api: \"0.10\"\n---\napi: \"0.10\"\n", []string{"2:1: a packfile is one YAML document"}},
		{"a YAML tag", "a.yaml", "api: !mine \"0.10\"\n", []string{`1:6: tag "!mine" is not supported`}},
		{"a YAML directive", "a.yaml", "%YAML 1.2\n---\napi: \"0.10\"\n", []string{"1:1: invalid YAML: directives"}},
		{"a YAML key twice", "a.yaml", "api: \"0.10\"\napi: \"0.9\"\n", []string{`2:1: "api" is already defined on line 1`}},
		{"a YAML key that is a list", "a.yaml", "[a]: b\n", []string{"1:1: a key is a plain word"}},
		{"a YAML merge key", "a.yaml", "config: &c {id: a}\nslices:\n- <<: *c\n",
			[]string{"3:3: merge keys (<<) are not supported", "3:3: a slice needs"}},
		{"a YAML alias that contains itself", "a.yaml", "config: &c\n  id: *c\n",
			[]string{`2:7: alias "*c" contains itself`, "2:7: id: expected a string, found a table"}},
		{"a YAML list", "a.yaml", "- a\n", []string{"1:1: a packfile is a table, found an array"}},
		{"a kebab-case key in YAML", "a.yaml", "config:\n  build-image: x\n", []string{`2:3: unknown key "build-image" in config (did you mean "buildImage"?)`}},

		{"a camel-case key in TOML", "a.toml", "config.buildImage = \"x\"", []string{`1:8: unknown key "buildImage" in config (did you mean "build-image"?)`}},
		{"an unknown key that is like no other", "a.toml", "[[slices]]\npaths = [\"x\"]\nabcdefgh = 1",
			[]string{`3:1: unknown key "abcdefgh" in a slice (keys of a slice: paths)`}},
		{"an API that is too new", "a.toml", `api = "0.13"`, []string{`1:7: api: "0.13" is not a Buildpack API version known here (known are 0.2 to 0.12)`}},
		{"an API of another major version", "a.toml", `api = "1.2"`, []string{`1:7: api: "1.2" is not`}},
		{"a NUL byte", "a.toml", `config.shell = "a\u0000b"`, []string{`1:16: shell: "a\x00b" holds a NUL byte`}},
		{"a test that asks nothing", "a.toml", "[[tests]]\nname = 'a'", []string{`1:3: a test needs "command", "process" or "files"`}},
		{"a test without a name", "a.toml", "[[tests]]\nfiles = []", []string{`1:3: a test needs "name"`, "2:9: files: an empty list asks nothing"}},
		{"a test of two things", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nprocess = 'b'\nargs = ['x']",
			[]string{`4:11: a test has either "command" or "process"`}},
		{"arguments of a command", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nargs = ['x']",
			[]string{"4:8: args: they are those of a process (write them in the command)"}},
		{"a process that is direct", "a.toml", "[[tests]]\nname = 'a'\nprocess = 'a'\ndirect = true", []string{"4:10: direct: the process says it itself"}},
		{"a test that runs nothing", "a.toml", "tests = [{ name = 'a', files = [{ path = 'a' }], timeout = '3s', exit-code = 1, read-only = true, env = { A = 'b' } }]",
			[]string{"1:60: timeout: the test runs nothing", "1:78: exit-code: the test", "1:93: read-only: the test", "1:105: env: the test"}},
		{"a test that runs nothing, in YAML", "a.yaml", "tests: [{ name: a, files: [{ path: a }], exitCode: 1 }]", []string{"1:52: exitCode: the test runs nothing"}},
		{"a test of no time", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\ntimeout = '5ms'\nexit-code = 256",
			[]string{`4:11: timeout: "5ms" is not a duration of at least a second (as in "30s" or "1m30s")`, "5:13: exit-code: 256 is not between 0 and 255"}},
		{"a test of no text", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nstdout = {}\nstderr = 'a'",
			[]string{`4:10: a text needs "equal", "contains" or "matches"`, "5:10: a text is a table, found a string"}},
		{"a text that every text has", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nstdout = { contains = [''], matches = ['', '(', '(a)\\1'] }\nstderr.contains = []",
			[]string{`4:24: contains: "" is empty, and in every text`, `4:40: matches: "" is empty`, `4:44: matches: "(" is not a regular expression (missing closing ): ` + "`(`;",
				`4:49: matches: "(a)\\1" is not a regular expression`, "5:19: contains: an empty list asks nothing"}},
		{"variables of a test", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nenv = { 'a b' = 'c', D = 1 }",
			[]string{`4:9: variable "a b" is not the name of a variable`, "4:26: D: expected a string, found an integer"}},
		{"variables in a list", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\nenv = ['A=b']", []string{`4:7: env: expected a table, found an array (write env = { NAME = "value" })`}},
		{"files of a test", "a.toml", "[[tests]]\nname = \"a\\u0007b\"\nfiles = [{}, { path = '/a/../b' }, { path = '/dev/null' }, { path = '' }, { path = 'a', type = 'socket' }, { path = 'a', owner = 'a b' }]",
			[]string{`2:8: name: "a\ab" holds a control character`, `3:10: a file of a test needs "path"`, `3:23: path: "/a/../b" goes up (write "/b")`,
				`3:45: path: "/dev/null" is not the image's`, `3:69: path: "" is empty`, `3:96: type: "socket" is not one of its values (one of file, directory, symlink)`,
				`3:117: file "a" is already defined on line 3`, `3:130: owner: "a b" is not a user (write uid, uid:gid, or names that the image knows)`}},
		{"what is asked of a file that has none", "a.toml", "[[tests]]\nname = 'a'\nfiles = [{ path = 'a', exists = false, owner = '0' }, { path = 'b', type = 'directory', content.equal = '' }, { path = 'c', type = 'symlink', mode = '755' }]",
			[]string{`3:48: owner: the file does not exist, by "exists" on line 3`, "3:89: content: a directory has none", "3:150: mode: a symbolic link has none of its own"}},
		{"two tests of one name", "a.toml", "[[tests]]\nname = 'a'\ncommand = 'a'\n[[tests]]\nname = 'a'\ncommand = 'b'", []string{`5:8: test "a" is already defined on line 2`}},
		{"a user out of range", "a.toml", `config.user = "4294967296:0"`, []string{`1:15: user: "4294967296:0" is out of range`}},
		{"a module id that leaves its folder", "a.toml", `config.id = "../x"`, []string{`1:13: id: "../x" leaves`}},

		{"a label without quotes", "a.toml", "[config.labels]\norg.opencontainers.image.source = 'x'",
			[]string{`2:1: org: expected a string, found a table (a name with dots needs quotes: "org.opencontainers.image.source")`}},
		{"a label that is a number", "a.toml", "config.labels.a = 1.10",
			[]string{`1:19: a: expected a string, found a float (write a = "1.10")`}},
		{"an element that is a number", "a.toml", "config.licenses = [0]",
			[]string{`1:20: licenses: expected an array of strings, found an integer (write "0")`}},
		{"a number for a list", "a.toml", "config.licenses = 2.0",
			[]string{`1:19: licenses: expected an array of strings, found a float (write licenses = ["2.0"])`}},
		{"a command that is a number", "a.toml", "processes = [{ type = 'a', command = 7 }]",
			[]string{`1:38: command: expected a string or an array of strings, found an integer (write command = "7")`}},
		{"a date", "a.toml", "config.name = 2020-01-01", []string{`1:15: name: expected a string, found a date or time (write name = "2020-01-01")`}},
		{"nothing for a string", "a.yaml", "config: { name: ~, version: null }",
			[]string{"1:17: name: expected a string, found nothing", "1:29: version: expected a string, found nothing"}},
		{"nothing in a list", "a.yaml", "config: { licenses: [~] }", []string{"1:22: licenses: expected an array of strings, found nothing"}},
		{"a label that is a list", "a.toml", "config.labels.a = ['x']", []string{"1:19: a: expected a string, found an array"}},
		{"labels that are no table", "a.toml", "config.labels = ['a=b']", []string{"1:17: labels: expected a table, found an array"}},
		{"a label without a name", "a.toml", "config.labels = { '' = 'x' }", []string{`1:19: label "" is not the name of a label`}},
		{"a label with a blank", "a.toml", "config.labels = { 'a b' = 'x' }", []string{`1:19: label "a b" is not the name of a label (letters,`}},
		{"a label of the build", "a.toml", "config.labels = { 'io.buildpacks.lifecycle.metadata' = '{}', 'io.packfile.x' = 'x' }",
			[]string{`1:19: label "io.buildpacks.lifecycle.metadata" is written by the build (reserved: names that begin with io.buildpacks. or io.packfile.)`,
				`1:62: label "io.packfile.x" is written`}},
		{"a license that is none", "a.toml", "config.licenses = ['MIT', 'all/mine']",
			[]string{`1:27: licenses: "all/mine" is not an SPDX license expression (as in "MIT" or "Apache-2.0 OR MIT")`}},
		{"packages that are none", "a.toml", "config.run-packages = ['', '-y', '--foo', 'curl git', 'Curl', 'curl-', 'libc6:i386', 'libm6:i386=2.36-9', 'curl=', 'gitl=a b', 'c', 'curl/stable', \"cu\\nrl\"]", []string{
			`1:24: run-packages: "" is empty (as in curl or curl=7.88.1-10: a name is lower case letters, digits and + - .)`,
			`1:28: run-packages: "-y" is an option and no package`, `1:34: run-packages: "--foo" is an option and no package`,
			`1:43: run-packages: "curl git" is not the name of a package (write each package as an entry of its own: ["curl", "git"])`,
			`1:55: run-packages: "Curl" is not the name of a package (names are in lower case: write "curl")`,
			`1:63: run-packages: "curl-" is not the name of a package (apt would remove it: nothing of an image can be removed)`,
			`1:72: run-packages: "libc6:i386" names an architecture (packages are those of the platform that is built for: write "libc6")`,
			`1:86: run-packages: "libm6:i386=2.36-9" names an architecture (packages are those of the platform that is built for: write "libm6=2.36-9")`,
			`1:107: run-packages: "curl=" has a version that is none (as in curl=7.88.1-10+deb12u5)`, `1:116: run-packages: "gitl=a b" has a version that is none`,
			`1:128: run-packages: "c" is not the name of a package`, `1:133: run-packages: "curl/stable" is not the name of a package`,
			`1:148: run-packages: "cu\nrl" is not the name of a package`}},
		{"a package twice", "a.toml", "config.build-packages = ['gcc', 'g++', 'gcc=4:12.2.0-3']", []string{`1:40: package "gcc" is already defined on line 1`}},
		{"packages without a network", "a.yaml", "config:\n  network: none\n  buildPackages: [gcc]\n  runPackages: []\n",
			[]string{`3:18: buildPackages: packages come over the network, and network is "none" on line 2`}},
		{"files of config.apt that are none", "a.toml", "config.apt = { sources = ['../a.list', 'a.txt', 'a.list', './a.list'], keys = ['a.key', '/a.gpg', 'apt/'], refresh = '7 days' }", []string{
			`1:27: sources: "../a.list"`, `1:40: sources: "a.txt" is not the name of a file of sources (apt knows a file of sources by its ending: .list or .sources)`,
			`1:59: file "a.list" is already defined on line 1`, `1:80: keys: "a.key" is not the name of a file of keys (apt knows a file of keys by its ending: .asc or .gpg)`,
			`1:89: keys: "/a.gpg"`, `1:99: keys: "apt/" is a folder`, `1:118: refresh: "7 days" is not a duration of at least a second (as in "24h", "7d" or "1d12h")`}},
		{"a homepage that is none", "a.toml", "config.homepage = 'example.com'", []string{`1:19: homepage: "example.com" is not a web address`}},
		{"an image that is a name", "a.yaml", "config: { image: debian }", []string{"1:18: image: expected a table, found a string (images are named by buildImage and runImage)"}},
		{"ports that are none", "a.toml", "config.image.expose = ['0', '65536', '080', 'http', '80/icmp', '9-8', '1-2000', '80/', '-1', '1-2-3']", []string{
			`1:24: expose: "0" is not a port (as in "8080", "53/udp" or "7000-7010"; a port is 1 to 65535)`,
			`1:29: expose: "65536" is not a port`, `1:38: expose: "080" is not`, `1:45: expose: "http" is not`,
			`1:53: expose: "80/icmp" has an unknown protocol (one of tcp, udp, sctp)`, `1:64: expose: "9-8" is a range that goes down`,
			`1:71: expose: "1-2000" is a range of more than 1000 ports`, `1:81: expose: "80/" has an unknown protocol`,
			`1:88: expose: "-1" is not a port`, `1:94: expose: "1-2-3" is not a port`}},
		{"more ports than an image has room for", "a.toml", "config.image.expose = ['1', '1-1000', '2']", []string{"1:29: expose: more than 1000 ports"}},
		{"a port that is a number", "a.toml", "config.image.expose = [80]", []string{`1:24: expose: expected an array of strings, found an integer (write "80")`}},
		{"volumes that are none", "a.toml", "config.image.volumes = ['', 'data', '/a/../b', '/a/', '/', '/workspace', '/layers/x', '/cnb', '/proc/x', \"/\\n\"]", []string{
			`1:25: volumes: "" is empty`, `1:29: volumes: "data" is not absolute (write "/workspace/data" for a folder of the app)`,
			`1:37: volumes: "/a/../b" is not the short form of a path (write "/b")`, `1:48: volumes: "/a/" is not the short form of a path (write "/a")`,
			`1:55: volumes: "/" would hide the whole image`, `1:60: volumes: "/workspace" would hide the app (name the folder in it that the app writes to)`,
			`1:74: volumes: "/layers/x" would hide layers`, `1:87: volumes: "/cnb" would hide the launcher`, `1:95: volumes: "/proc/x" is made by the container runtime`,
			`1:106: volumes: "/\n" holds a control character`}},
		{"signals that are none", "a.toml", "config.image.stop-signal = 'SIGSTERM'", []string{`1:28: stop-signal: "SIGSTERM" is not a signal (as in "SIGTERM", "SIGQUIT", "SIGRTMIN+3" or "15")`}},
		{"a signal in lower case", "a.toml", "config.image.stop-signal = 'sigint'", []string{`1:28: stop-signal: "sigint" is not a signal (did you mean "SIGINT"?)`}},
		{"a signal that is a number", "a.toml", "config.image.stop-signal = 15", []string{`1:28: stop-signal: expected a string, found an integer (write stop-signal = "15")`}},
		{"a healthcheck that is a list", "a.toml", "config.image.healthcheck = ['curl', '-f']",
			[]string{`1:28: healthcheck: expected a table or "none", found an array (a table with the command as a list: command = ["curl", "-f"])`}},
		{"a healthcheck that is a line", "a.yaml", "config: { image: { healthcheck: curl -f } }",
			[]string{`1:33: healthcheck: expected a table or "none", found a string (a table with the command as a list: command: ["curl", "-f"])`}},
		{"a healthcheck that is off", "a.yaml", "config: { image: { healthcheck: false } }",
			[]string{`1:33: healthcheck: expected a table or "none", found a boolean (write healthcheck: "none" for none)`}},
		{"a healthcheck whose command is no list", "a.toml", "config.image.healthcheck.command = 'curl -f localhost'", []string{
			`1:36: command: expected an array of strings, found a string (write command = ["curl", "-f", "localhost"], or ["curl -f localhost"] and direct = false to run it through a shell)`}},
		{"a healthcheck whose command is a word", "a.yaml", "config: { image: { healthcheck: { command: check } } }",
			[]string{`1:44: command: expected an array of strings, found a string (write command: ["check"])`}},
		{"a healthcheck with a line for a shell", "a.toml", "config.image.healthcheck.command = ['curl -f localhost']", []string{
			`1:36: command: a direct healthcheck runs one program, and "curl -f localhost" holds white space (write command = ["curl", "-f", "localhost"], or direct = false to run it through a shell)`}},
		{"a healthcheck with words for a shell", "a.toml", "config.image.healthcheck = { command = ['curl', '-f'], direct = false }", []string{
			`1:40: command: a healthcheck that is not direct runs one line in a shell (write command = ["curl -f"], or direct = true)`}},
		{"a healthcheck without a command", "a.toml", "config.image.healthcheck = { interval = '1s' }", []string{`1:28: a healthcheck needs "command"`}},
		{"a healthcheck of nothing", "a.toml", "config.image.healthcheck.command = []", []string{`1:36: command names no program`}},
		{"times and numbers of a healthcheck", "a.toml",
			"config.image.healthcheck = { command = ['x'], interval = '1ms', timeout = 5, start-interval = '2s', retries = 0 }", []string{
				`1:58: interval: "1ms" is not a duration of at least a second (as in "30s" or "1m30s")`,
				`1:75: timeout: expected a string, found an integer (write timeout = "5")`,
				`1:95: start-interval: there is no start-period that it is for`, `1:111: retries: 0 is not between 1 and 1000`}},
		{"retries that are a text", "a.toml", "config.image.healthcheck = { command = ['x'], retries = '3' }", []string{`1:57: retries: expected an integer, found a string (write retries = 3)`}},
		{"variables of steps for the app", "a.toml", "config.env.build = []\nconfig.env.both = []", []string{
			`1:12: config.env is for the app, and has no "build" (steps see build arguments, and env.build of layers that they link)`, `2:12: config.env is for the app, and has no "both"`}},
		{"variables as a list", "a.toml", "[[config.env]]\nname = 'A'\nvalue = 'a'", []string{`1:3: env: expected a table, found an array (the variables are the list launch in it)`}},
		{"variables as keys", "a.toml", "config.env = { PORT = '80' }", []string{`1:16: unknown key "PORT" in config.env (each variable is an entry of launch, with its name and value)`}},
		{"variables of the app", "a.toml", "config.env.launch = [{ name = 'A', value = '{{.Layer}}' }, { name = 'A', value = '' }, { name = 'A', value = '', process = 'a/b' }, { value = '' }]", []string{
			`1:44: value: "{{.Layer}}" is not a valid template: there is no ".Layer": known are .App, .Args.NAME, .TARGETPLATFORM`, `1:69: variable "A" is already defined on line 1`,
			`1:124: process: "a/b" is not a process type`, `1:133: a variable of the app needs "name"`}},
		{"a launcher with a blank", "a.toml", "config.launcher = 'a b'", []string{`1:19: launcher: "a b" holds white space`}},

		{"an app of nothing", "a.toml", "config.app = []", []string{"1:14: app: an empty list would leave nothing of the app in the image"}},
		{"an app that is a string", "a.toml", "config.app = 'dist'", []string{`1:14: app: expected an array of strings, found a string (write app = ["dist"])`}},
		{"an app outside of the app", "a.yaml", "config: { app: [ '!', /x ] }", []string{`1:18: app: "!" is not an exclusion`, `1:23: app: "/x" is absolute`}},
		{"inputs that are exclusions", "a.toml", layer + "build.inputs = ['!x', '!y']",
			[]string{`3:16: inputs: exclusions alone select no file (begin with what they are taken from, as in "**")`}},
		{"a match of exclusions", "a.toml", layer + "build.test.match = ['!x']", []string{"3:20: match: exclusions alone select no file"}},
		{"a slice of exclusions", "a.toml", "slices = [{ paths = ['!x'] }]", []string{"1:21: paths: exclusions alone select no file"}},
		{"arguments of another kind", "a.toml", "config.args = 'A'", []string{`1:15: args: expected an array of strings, found a string (write args = ["A"])`}},
		{"an argument that no variable can hold", "a.toml", "config.args = ['A-B']", []string{`1:16: args: "A-B" is not the name of a variable`}},
		{"an argument twice", "a.toml", layer + "build.args = ['A', 'B', 'A']", []string{`3:25: build argument "A" is already defined on line 3`}},
		{"options as arguments", "a.toml", "config.args = ['PACKFILE_APP', 'BUILDKIT_SYNTAX', 'SOURCE_DATE_EPOCH']",
			[]string{`1:16: args: "PACKFILE_APP" is an option of the build (no step sees it)`, `1:32: args: "BUILDKIT_SYNTAX" is an option`,
				`1:51: args: "SOURCE_DATE_EPOCH" is an option`}},
		{"a proxy as argument", "a.toml", layer + "require.args = ['https_proxy']\nrequire.inline = 'x'\nprovide = {}",
			[]string{`3:17: args: "https_proxy" is a proxy (steps use it without being told)`}},
		{"arguments without a script", "a.toml", layer + "build.test = { match = ['x'], args = ['A'] }\nbuild.inputs = ['x']\nrequire = { args = [] }",
			[]string{"3:38: args: test has no script that this is for", "5:20: args: require has no script that this is for"}},
		{"an argument that the section does not see", "a.toml", "config = { args = ['A'] }\n" + layer + "build.args = ['B']\nbuild.env.launch = [\n" +
			"{ name = 'X', value = '{{.Args.A}}{{.Args.B}}' },\n{ name = 'Y', value = '{{or .Args.C \"\"}}' }]",
			[]string{`7:23: build argument "C" is not among those that the section sees (add "C" to args of the section, or to those of config)`}},
		{"an argument in a dep that the section does not see", "a.toml", layer + "build.args = []\nbuild.deps = [{ name = 'x', uri = 'https://a.example/{{$.Args.V}}', sha = '{{.s}}', metadata.a.b = '{{.Args.W}}' }]",
			[]string{`4:35: build argument "V" is not among`, `4:85: build argument "W" is not among`}},
		{"all arguments in a variable", "a.toml", layer + "build.env.both = [{ name = 'X', value = '{{.Args}}' }]",
			[]string{`3:41: value: "{{.Args}}" is not a valid template: a build argument is written .Args.NAME`}},
		{"what is below an argument", "a.toml", "config.labels.a = '{{.Args.A.b}}'", []string{`1:19: a: "{{.Args.A.b}}" is not a valid template: a build argument is written .Args.NAME`}},
		{"a label that needs more than arguments", "a.toml", "config.labels.a = '{{.version}}'",
			[]string{`1:19: a: "{{.version}}" is not a valid template: there is no ".version": known are .Args.NAME`}},
		{"contexts of the frontend", "a.toml", "buildpacks = [{ id = 'a', contexts = ['certs', 'run-image', 'Certs', 'certs'] }]",
			[]string{`1:48: contexts: "run-image" is a named context of the frontend itself (choose another name)`,
				`1:61: contexts: "Certs" names no context (lower case letters and digits, with . _ - / between them)`, `1:70: named context "certs" is already defined`}},

		{"no name", "a.toml", "[[layers]]\nbuild = {}", []string{`1:3: a layer needs "name"`}},
		{"both forms of a script", "a.toml", layer + "build.run = { inline = \"a\", path = \"b\" }", []string{"3:36: a script has inline and path (keep one)"}},
		{"neither form of a script", "a.toml", layer + "build.run = {}", []string{`3:13: a script needs "inline" or "path"`}},
		{"an empty script", "a.toml", layer + "build.run.inline = ' '", []string{`3:20: inline: " " is empty`}},
		{"a script that is a folder", "a.toml", layer + "build.run.path = './'", []string{`3:18: path: "./" is a folder`}},
		{"a test with match and a script", "a.toml", layer + "build.test = { match = ['x'], path = 'a' }", []string{"3:24: test has a script and match"}},
		{"refresh without a script", "a.toml", layer + "build = { inputs = ['x'], test = { match = ['x'], refresh = '1h' } }",
			[]string{"3:61: refresh: test has no script that this is for"}},
		{"provide and build", "a.toml", layer + "build = {}\nprovide = {}", []string{"3:9: a layer has provide or build, not both"}},
		{"a version in two places", "a.toml", layer + "version = '1'\nmetadata.version = '2'\nbuild = {}", []string{"3:11: the version is also given in metadata (keep one)"}},
		{"a version that is a table", "a.toml", layer + "metadata.version.a = '2'\nbuild = {}", []string{"3:1: metadata: version is a string, not a table"}},
		{"a password in a uri", "a.toml", layer + "[[layers.build.deps]]\nname = 'x'\nuri = 'https://u:p@x.example/x'\nsha = '{{.s}}'",
			[]string{`5:7: uri: "https://u:p@x.example/x" holds a user or password`}},
		{"a cache that is shared with somebody", "a.toml", "[[caches]]\nname = 'c'\nshared = 'yes'\n" + layer + "build.links = [{ name = 'c' }]",
			[]string{"3:10: shared: expected a boolean, found a string (write shared = true)"}},
		{"symbolic links that are no table", "a.toml", layer + "build.app-symlinks = ['node_modules']",
			[]string{"3:22: app-symlinks: expected a table, found an array (a path in the app, and behind it the path in the layer that it leads to)"}},
		{"symbolic links that leave the app or the layer", "a.toml", layer + "[layers.build.app-symlinks]\n" +
			"'../x' = 'x'\n'a/../../x' = 'x'\n'/x' = 'x'\n'' = 'x'\n'.' = 'x'\n'a\\b' = 'x'\nb = '../x'\nc = '/x'\nd = ''\ne = 1\nf.g = 'x'\n",
			[]string{
				`4:1: app-symlinks: "../x" leaves the app (paths go down only)`, `5:1: app-symlinks: "a/../../x" leaves the app`,
				`6:1: app-symlinks: "/x" is absolute (write a relative path)`, `7:1: app-symlinks: "" is empty`,
				`8:1: app-symlinks: "." is the app itself (name a place in it)`, `9:1: app-symlinks: "a\\b" holds a backslash`,
				`10:5: b: "../x" leaves the layer (paths go down only)`, `11:5: c: "/x" is absolute`, `12:5: d: "" is empty (for the layer's own folder write ".")`,
				`13:5: e: expected a string, found an integer`, `14:1: f: expected a string, found a table (a path with dots needs quotes: "f.g")`,
			}},
		{"a symbolic link inside of another", "a.yaml", "layers:\n- name: a\n  build:\n    appSymlinks:\n      a/b: x\n      a: y\n      a/b/c/: z\n",
			[]string{`5:7: appSymlinks: layer "a" already has a link at "a" (a link cannot be inside of another)`,
				`7:7: appSymlinks: layer "a" already has a link at "a" (a link`}},
		{"symbolic links of the image at one place", "a.toml", layer + "export = true\nbuild.app-symlinks.x = '.'\n[[layers]]\nname = 'b'\nexport = true\nbuild.app-symlinks.x = 'y'",
			[]string{`8:20: app-symlinks: layer "a" already has a link at "x" (both layers are in the image)`}},
		{"volumes where the image has symbolic links", "a.toml", "config.image.volumes = ['/workspace/x', '/workspace/y/z', '/workspace/a', '/workspace/xy', '/workspace/b']\n" + layer +
			"export = true\nbuild.app-symlinks.x = '.'\nbuild.app-symlinks.y = '.'\nbuild.app-symlinks.'a/b' = '.'\n[[layers]]\nname = 'b'\nbuild.app-symlinks.b = '.'",
			[]string{`1:25: volumes: "/workspace/x" is where layer "a" has a link, at "x"`, `1:41: volumes: "/workspace/y/z" is where layer "a" has a link, at "y"`,
				`1:59: volumes: "/workspace/a" is where layer "a" has a link, at "a/b"`}},
		{"symbolic links of linked layers at one place", "a.toml", layer + "build.app-symlinks.'x/y' = '.'\n[[layers]]\nname = 'b'\nbuild.app-symlinks.'x' = 'y'\n" +
			"[[layers]]\nname = 'c'\nbuild.links = [{ name = 'a' }, { name = 'b' }]",
			[]string{`6:20: app-symlinks: layer "a" already has a link at "x/y" (layer "c" links both)`}},
		{"a variable that two links set", "a.toml", layer + "build = {}\n[[caches]]\nname = \"c\"\n[[layers]]\nname = \"b\"\n" +
			"build.links = [{ name = 'a', path-as = 'X' }, { name = 'c', path-as = 'X' }]",
			[]string{`8:71: variable "X" is already defined on line 8`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			pf, _, err := Parse(test.filename, []byte(test.text))
			require.Error(t, err)
			require.Nil(t, pf)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(test.want), "%s", err)
			for i, want := range test.want {
				require.True(t, strings.HasPrefix(lines[i], test.filename+":"+want), "got  %s\nwant %s", lines[i], want)
			}
		})
	}
}

func TestAPackfileThatIsTooLargeIsRefused(t *testing.T) {
	for _, filename := range []string{"a.toml", "a.yaml"} {
		_, _, err := Parse(filename, make([]byte, node.MaxSize+1))
		require.EqualError(t, err, filename+":1:1: a packfile has at most 4 MiB, this one has 4194305 bytes")
	}
}

func TestHostilePackfilesEndWithAnErrorAndTakeLittleMemory(t *testing.T) {
	const size = node.MaxSize - 1024
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	for name, text := range map[string]string{
		"TOML of nested arrays.toml":       "a = " + fill("["),
		"TOML of nested tables.toml":       "a = " + fill("{a="),
		"TOML of dotted keys.toml":         "a" + fill(".a") + " = 1",
		"TOML of dotted headers.toml":      "[a" + fill(".a") + "]",
		"TOML of one array.toml":           "a = [" + fill("1,") + "]",
		"TOML of one array of tables.toml": "a = [" + fill("{},") + "]",
		"TOML of headers.toml":             fill("[[layers]]\n"),
		"TOML of keys.toml":                fill("k=1\n"),
		"TOML of keys in strings.toml":     "a = \"\"\"\n\\\"\"\"\"\"\na = [" + fill("[],"),
		"a template of nested ifs.toml":    "[[layers]]\nname = 'a'\n[[layers.build.deps]]\nuri = '" + fill("{{if .a}}") + "'",
		"a pattern without end.toml":       "[[slices]]\npaths = ['" + fill("[a]**") + "']",
		"YAML of nested lists.yaml":        fill("["),
		"YAML of nested mappings.yaml":     fill("{a: "),
		"YAML of nested blocks.yaml":       fill("- "),
		"YAML of complex keys.yaml":        fill("? "),
		"YAML of documents.yaml":           fill("---\n"),
		"YAML of directives.yaml":          fill("%TAG !a! !\n"),
		"YAML of one list.yaml":            "a: [" + fill("a,") + "]",
		"YAML of a list in lines.yaml":     "a:\n" + fill("- a\n"),
		"YAML of one mapping.yaml":         "a: {" + fill("a,") + "}",
		"YAML of keys.yaml":                fill("a:\n"),
		"YAML of keys with tabs.yaml":      fill("a:\ta\n"),
		"YAML of quoted keys.yaml":         "{" + fill("\"a\":a,") + "}",
		"YAML of comments.yaml":            "a: 1\n" + fill("#a\n\n"),
		"YAML of anchors.yaml":             "a: [" + fill("&a a,") + "]",
		"YAML of tags.yaml":                "a: [" + fill("!!str a,") + "]",
		"YAML of aliases of aliases.yaml":  bomb.String(),
		"YAML of aliases in one line.yaml": "a: &a [x]\nb: [" + fill("*a, ") + "]",
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			spent := nodetest.Allocated(func() { _, _, err = Parse(name, []byte(text)) })
			require.Error(t, err)
			require.Less(t, len(err.Error()), 1<<20)
			require.Less(t, spent, uint64(80<<20))
		})
	}
}
