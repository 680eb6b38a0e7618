#!/usr/bin/env bash
# Builds examples/node through its `# syntax=` line, runs the image and asks it something; then changes a source file and
# does it again; and once more with another builder, which is empty but is told of the image. It says which steps ran each
# time. `make demo` brings up what it needs first.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/daemon.sh"

app=$DEV/demo/node
ref=$PACKFILE_REGISTRY/demo/node:latest
container=
trap 'if [ -n "$container" ]; then kill "$container"; wait "$container" || true; fi; leave_empty_builder' EXIT

docker=(buildx)
if command -v docker >/dev/null; then docker=(docker buildx); fi

# empty_builder: a buildkitd that has never built anything, as every CI runner starts with, and a builder of buildx for it.
empty_builder() {
	leave_empty_builder
	local address
	address=unix://$(socket demo-builder)
	start demo-builder "$BIN/buildkitd" --root "$DEV/demo/builder" --addr "$address" \
		--otel-socket-path "$(socket demo-otel)" --group "$(id -g)" --containerd-worker=false \
		--oci-worker-binary "$(PATH=$PATH:/usr/sbin command -v runc)"
	await demo-builder 30 "$BIN/buildctl" --addr "$address" debug workers
	"${docker[@]}" create --name packfile-demo --driver remote "$address" >/dev/null
}

leave_empty_builder() {
	stop demo-builder >/dev/null
	"${docker[@]}" rm packfile-demo >/dev/null 2>&1 || true
	as_root rm -rf --one-file-system "$DEV/demo/builder"
}

# build NAME ARGUMENT...
build() {
	local name=$1
	shift
	local arguments=(
		build -f "$app/packfile.toml" --tag "$ref" --push --progress=plain
		--build-context "build-image=docker-image://$PACKFILE_BUILD_IMAGE"
		--build-context "run-image=docker-image://$PACKFILE_RUN_IMAGE"
	)
	if [ -n "$PACKFILE_CA_CERTIFICATES" ]; then arguments+=(--secret "id=ca-certificates,src=$PACKFILE_CA_CERTIFICATES"); fi
	say "${docker[*]} build -f packfile.toml --push --tag $ref $* …"
	local from=$EPOCHREALTIME
	"${docker[@]}" "${arguments[@]}" "$@" "$app" 2>&1 | tee "$DEV/demo/$name.log"
	awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s\n", to - from }' >"$DEV/demo/$name.time"
}

# steps BUILD: the packfile's own steps in it, and whether and how long each ran.
steps() {
	awk '
		$2 ~ /^\[[^]]+\]$/ && $3 ~ /^(require|test|run|setup|layer)$/ && NF == 3 { name[$1] = $2 " " $3 }
		$2 == "CACHED" { state[$1] = "cached" }
		$2 == "DONE" && !($1 in state) { state[$1] = "ran " $3 }
		$1 in name && $1 in state && !($1 in said) { said[$1]; printf "    %-12s %s\n", state[$1], name[$1] }
	' "$DEV/demo/$1.log"
}

ask() {
	local port=8080 tries=300
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
	say "run $ref and ask it: curl http://127.0.0.1:$port/"
	"$ROOT/hack/run-image.sh" -e PORT="$port" "$ref" &
	container=$!
	until curl -fsS "http://127.0.0.1:$port/" 2>/dev/null; do
		tries=$((tries - 1))
		if [ "$tries" -le 0 ] || ! kill -0 "$container" 2>/dev/null; then die "the app does not answer"; fi
		sleep 0.1
	done
	kill "$container"
	wait "$container" || true
	container=
}

rm -rf "$app"
mkdir -p "$DEV/demo"
cp -R "$ROOT/examples/node" "$app"
sed -i "1s|^# syntax=.*|# syntax=$PACKFILE_FRONTEND|" "$app/packfile.toml"
say "examples/node/packfile.toml:"
sed 's/^/    /' "$app/packfile.toml"

build first
ask

say "change server.js"
sed -i "s/Hello/Hello, at $(date +%T),/" "$app/server.js"
build second
ask

say "change server.js again, and build with a builder that is empty, but is told of the image"
sed -i "s/Hello/Hello again/" "$app/server.js"
empty_builder
build third --builder packfile-demo --build-context "previous=docker-image://$ref"
ask

say "the first build took $(cat "$DEV/demo/first.time"):"
steps first
say "the second, after a change to server.js, took $(cat "$DEV/demo/second.time"):"
steps second
say "the third, with an empty builder, took $(cat "$DEV/demo/third.time"):"
steps third
sed -n 's/^#[0-9]* \(\[[^]]*\]\) reused from the previous image.*/    reused       \1/p' "$DEV/demo/third.log" | sort -u
