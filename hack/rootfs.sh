#!/usr/bin/env bash
# Makes a root file system from Debian packages, as a tar.
#   rootfs.sh OUT.tar ARCH VARIANT PACKAGE,PACKAGE...    (ARCH as Debian calls it, VARIANT of mmdebstrap)
# The packages come from wherever this machine's apt has Debian's; where it has none, from mmdebstrap's own default.
source "$(dirname "$0")/lib/place.sh"

out=$1 arch=$2 variant=$3 packages=$4
suite=bookworm
work=$out.work
mkdir -p "$work"

# The release alone: third parties' lists stay out, and so do updates, which come and go and are of no use to a test.
debian_sources() {
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
		awk -F'|' -v suite="$suite" '$1 == "Packages" && $2 ~ /^Debian/ && $3 == suite { print "deb", $4, $5, $6 }' | sort -u
}
debian_sources >"$work/sources.list"
if [ ! -s "$work/sources.list" ]; then
	quietly "$DEV/log/apt.log" as_root apt-get update
	debian_sources >"$work/sources.list"
fi
sources=()
if [ -s "$work/sources.list" ]; then sources=("$work/sources.list"); fi

# How apt gets out of here (proxies, checks) is the machine's to say, for this download alone.
apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries|ForceIPv)' >"$work/apt.conf" || true

cat >"$work/finish" <<'EOF'
#!/bin/sh -e
# Leaves nothing of this machine or of this day in the root file system but where apt finds packages, and adds the user of the images.
cd "$1"
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/apt/sources.list.d/* etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/hostname etc/resolv.conf
rm -rf var/log/* var/cache/ldconfig/aux-cache var/cache/debconf/*-old var/lib/dpkg/*-old
[ -f etc/passwd ] || exit 0
if [ -s "$WORK/sources.list" ]; then cp "$WORK/sources.list" etc/apt/sources.list; fi
if [ -s "$WORK/apt.conf" ]; then cp "$WORK/apt.conf" etc/apt/apt.conf.d/90machine; fi
if [ "$(basename "$OUT")" = debian.tar ]; then exit 0; fi # as Debian has it
echo 'cnb:x:1000:' >>etc/group
echo 'cnb:x:1000:1000:cnb:/home/cnb:/bin/bash' >>etc/passwd
mkdir -p home/cnb
chown 1000:1000 home/cnb
EOF
chmod +x "$work/finish"

# It needs root, to chroot. Its temporary directory may be a small tmpfs; ours is not.
quietly "$DEV/log/$(basename "$out").log" as_root env TMPDIR="$work" WORK="$work" OUT="$out" mmdebstrap \
	--mode=root --format=tar --skip=output/dev --variant="$variant" --architectures="$arch" --include="$packages" \
	--aptopt="$work/apt.conf" \
	--dpkgopt=force-unsafe-io \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--customize-hook="$work/finish" \
	"$suite" "$work/rootfs.tar" "${sources[@]}"
mv "$work/rootfs.tar" "$out"
rm -rf "$work"
