#!/usr/bin/env bash
# Runs a buildkitd that has never built anything, for as long as its standard input is held open, and leaves nothing of it:
#   daemon.sh KIND DIR
# KIND is a snapshotter, overlayfs or native; with "rootless-" before it an ordinary user runs the daemon, with "oldest-"
# before that it is the oldest BuildKit that the frontend supports. With "proxy-" before all it looks into what steps fetch
# (--proxy-network). DIR is an empty folder with a short path, in one that
# every user can reach. The socket is DIR/sock, the log DIR/log.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/rootless.sh"

kind=${1#proxy-} dir=$2
network=()
if [ "$kind" != "$1" ]; then network=(--proxy-network); fi
program=$BIN/buildkitd
if [ "${kind#oldest-}" != "$kind" ]; then program+=-oldest; fi
kind=${kind#oldest-}
unset SOURCE_DATE_EPOCH
PATH=$PATH:/usr/sbin
chmod 0755 "$dir"
# The one in .dev is perhaps where the user of a rootless daemon may not go.
install -m 0755 "$program" "$dir/buildkitd"

# run COMMAND...: with the rights of the daemon.   signal NAME: to the daemon.
case $kind in
rootless-*)
	user=$(rootless_user)
	run=(env -i PATH="$PATH" HOME="$dir" XDG_RUNTIME_DIR="$dir" TMPDIR="$dir" rootlesskit --net=host)
	options=()
	signal() { kill -s "$1" "$daemon"; }
	if [ "$(id -un)" != "$user" ]; then
		run=(setpriv --reuid "$user" --regid "$user" --clear-groups "${run[@]}")
		chown "$user:" "$dir"
	fi
	;;
*)
	run=(env)
	options=(--group "$(id -g)")
	signal() { as_root kill -s "$1" "$daemon"; }
	if [ "$(id -u)" != 0 ]; then run=(sudo); fi
	;;
esac

alive() { [ -d "/proc/$daemon" ]; }
leave() {
	local tries=150
	if alive; then signal TERM || true; fi
	while alive && [ "$tries" -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	if alive; then signal KILL || true; fi
	kill "$holder" 2>/dev/null || true
	# Steps that a killed daemon left may still have mounts there. Those of a rootless one ended with its namespace.
	{ findmnt -rno TARGET | grep -F -e "$dir/" || true; } | sort -r | while read -r mount; do as_root umount "$mount"; done
	"${run[@]}" rm -rf --one-file-system "$dir/root"
	rm -rf "$dir"
}

exec 3<&0
"${run[@]}" "$dir/buildkitd" --root "$dir/root" --addr "unix://$dir/sock" --otel-socket-path "$dir/otel" \
	--containerd-worker=false --oci-worker-binary runc --oci-worker-snapshotter "${kind#rootless-}" "${options[@]}" "${network[@]}" \
	>"$dir/log" 2>&1 </dev/null 3<&- &
daemon=$!
cat <&3 >/dev/null &
holder=$!
trap leave EXIT
trap 'exit 143' TERM INT HUP
wait -n || true
