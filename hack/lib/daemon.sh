# shellcheck shell=bash
# Daemons: started once, known by a pid file, stopped by it. A pid counts only while its process still has this tree's
# .dev among its arguments, so a recycled pid or a copied tree never makes us signal a stranger.

# alive NAME: whether our daemon runs.
alive() {
	local pid
	pid=$(cat "$DEV/run/$1.pid" 2>/dev/null) || return 1
	tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DEV/"
}

# start NAME COMMAND...: runs it in a session of its own, as root, output to .dev/log/NAME.log.
start() {
	local name=$1
	shift
	: >"$DEV/log/$name.log"
	# The lock of up.sh (fd 9) must not outlive it in a daemon.
	# shellcheck disable=SC2016  # expanded by the inner shell
	as_root bash -c 'log=$1 pid=$2; shift 2; setsid "$@" >"$log" 2>&1 </dev/null 9>&- & echo $! >"$pid"' \
		start "$DEV/log/$name.log" "$DEV/run/$name.pid" "$@"
}

# await NAME SECONDS COMMAND...: polls until COMMAND succeeds; gives up when the daemon has died or time is up.
await() {
	local name=$1 tries=$(($2 * 10))
	shift 2
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		if [ "$tries" -le 0 ] || ! alive "$name"; then
			tail -n 20 "$DEV/log/$name.log" >&2
			die "$name did not come up; its log: $DEV/log/$name.log"
		fi
		sleep 0.1
	done
}

# stop NAME: ends it, gently for ten seconds.
stop() {
	if alive "$1"; then
		local pid tries=100
		pid=$(cat "$DEV/run/$1.pid")
		as_root kill "$pid"
		while alive "$1" && [ "$tries" -gt 0 ]; do
			tries=$((tries - 1))
			sleep 0.1
		done
		if alive "$1"; then as_root kill -KILL "$pid"; fi
		say "stopped $1"
	fi
	as_root rm -f "$DEV/run/$1.pid"
}
