# shellcheck shell=bash
# containers COMMAND...: podman, as root, with all of its storage ours.
containers() {
	local run
	run=$(run_dir)
	as_root podman --root "$DEV/podman" --runroot "$run/podman" --tmpdir "$run/libpod" \
		--cgroup-manager cgroupfs --runtime runc --events-backend file "$@"
}
