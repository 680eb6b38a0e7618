# shellcheck shell=bash
# containers COMMAND...: podman, as root, with all of its storage under .dev.
containers() {
	as_root podman --root "$DEV/podman" --runroot "$DEV/run/podman" --tmpdir "$DEV/run/libpod" \
		--cgroup-manager cgroupfs --runtime runc --events-backend file "$@"
}
