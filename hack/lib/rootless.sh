# shellcheck shell=bash
# The ordinary user that runs rootless daemons: whoever runs the scripts, or for root one that is made for it.

# rootless_user: its name. It exists afterwards, and has subordinate ids.
rootless_user() {
	(
		flock 8
		local user=packfile-rootless
		if [ "$(id -u)" != 0 ]; then
			user=$(id -un)
		elif ! id "$user" >/dev/null 2>&1; then
			useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
		fi
		subordinate_ids "$user" /etc/subuid --add-subuids
		subordinate_ids "$user" /etc/subgid --add-subgids
		printf '%s\n' "$user"
	) 8>"$DEV/run/rootless.lock"
}

# subordinate_ids USER FILE OPTION: gives the user 65536 ids behind all that are in FILE, unless it has some there.
subordinate_ids() {
	as_root touch "$2"
	if grep -q "^$1:" "$2"; then return; fi
	local first
	first=$(awk -F: 'BEGIN { free = 100000 } $2 + $3 > free { free = $2 + $3 } END { print free }' "$2")
	as_root /usr/sbin/usermod "$3" "$first-$((first + 65535))" "$1"
}
