#!/usr/bin/env bash
# Puts a public app into an empty folder, by the ordinary client of its registry:
#   get-app.sh go MODULE@VERSION FOLDER OUT       a folder of a Go module's repository ("." is all of it)
#   get-app.sh npm PACKAGE@VERSION FOLDER OUT     a folder of an npm package
#   get-app.sh deb PACKAGE FOLDER OUT             a folder of a Debian package
#   get-app.sh deb-src PACKAGE FOLDER OUT         a folder of what a Debian package is made from
set -euo pipefail

kind=$1 name=$2 folder=$3 out=$(cd "$4" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt downloads as another user
cd "$work"
case $kind in
go) root=$(go mod download -json "$name" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p') ;;
npm)
	npm pack --silent "$name" >/dev/null
	tar -xzf ./*.tgz
	root=package
	;;
deb)
	apt-get -qq download "$name"
	dpkg -x ./*.deb root
	root=root
	;;
deb-src)
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
		awk -F'|' '$1 == "Packages" && $2 ~ /^Debian/ { print "deb-src", $3, $4, $5 }' | sort -u >sources.list
	mkdir -p lists/partial
	apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists")
	"${apt[@]}" update
	"${apt[@]}" source --download-only "$name"
	dpkg-source --no-check -x ./*.dsc root >/dev/null
	root=root
	;;
esac
cp -R "$root/$folder/." "$out"
chmod -R u+w "$out"
