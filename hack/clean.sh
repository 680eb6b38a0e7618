#!/usr/bin/env bash
# Removes everything that the environment made. The daemons must be down.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/daemon.sh"

if alive buildkitd || alive registry; then die "still running: make down"; fi
# Steps that a killed daemon left may still have mounts there.
{ findmnt -rno TARGET | grep -F -e "$DEV/" -e "$(run_dir)/" || true; } | sort -r | while read -r mount; do as_root umount "$mount"; done
as_root rm -rf --one-file-system "$(run_dir)" "$DEV"
