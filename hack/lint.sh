#!/usr/bin/env bash
# Checks everything that a tool can check: Go, module files, shell, workflows.
source "$(dirname "$0")/lib/place.sh"

"$ROOT/hack/packages.sh"
"$ROOT/hack/tools.sh" linters
cd "$ROOT"
mapfile -t go_files < <(git ls-files --cached --others --exclude-standard '*.go')
mapfile -t shell_files < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)

say "gofmt"
unformatted=$(gofmt -l "${go_files[@]}")
[ -z "$unformatted" ] || die "gofmt -w these: $unformatted"

say "go mod tidy"
for module in . hack/tools hack/oldest hack/oracles hack/linters; do (cd "$module" && go mod tidy -diff); done

say "go vet"
go vet ./...

say "staticcheck"
"$BIN/staticcheck" ./...

say "shellcheck"
shellcheck --external-sources --source-path=SCRIPTDIR --source-path="$ROOT" "${shell_files[@]}"

say "actionlint"
"$BIN/actionlint"
