#!/usr/bin/env bash
# Starts the registry on loopback. Its address is in .dev/run/registry.addr: 5005, or the next port that is free, and then
# the same one every time.
source "$(dirname "$0")/lib/place.sh"
source "$ROOT/hack/lib/daemon.sh"

if alive registry; then exit 0; fi

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

port=$(sed 's/.*://' "$DEV/run/registry.addr" 2>/dev/null || echo 5005)
while taken "$port"; do port=$((port + 1)); done
addr=127.0.0.1:$port

mkdir -p "$DEV/registry"
cat >"$DEV/registry/config.yml" <<EOF
version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: $DEV/registry }
  delete: { enabled: true }
http: { addr: $addr }
EOF
start registry docker-registry serve "$DEV/registry/config.yml"
await registry 20 curl -fsS "http://$addr/v2/"
printf '%s\n' "$addr" >"$DEV/run/registry.addr"
say "registry on $addr"
