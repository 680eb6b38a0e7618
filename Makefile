# The doors of the project. Each does its own set-up; the state is in .dev, the steps are in hack/.

MAKEFLAGS += --no-print-directory
SHELL := bash
WITH_ENV := . .dev/env &&

.PHONY: help up down clean demo test test-rootless matrix lint bench fuzz frontend frontend-release

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 26

up: ## start buildkitd and a registry, make the frontend and the images; .dev/env names them
	@hack/up.sh

down: ## stop what up started; what it made stays
	@hack/down.sh

clean: down ## stop it and remove all of it
	@hack/clean.sh

demo: up ## build an example, run it, change it, build it again
	@$(WITH_ENV) hack/demo.sh

MATRIX := $(CURDIR)/.dev/log/matrix.txt

test: up ## every test, the end-to-end ones against the real buildkitd
	@hack/tools.sh oldest
	@hack/tools.sh oracles
	@$(WITH_ENV) PACKFILE_MATRIX=$(MATRIX) go run ./hack/slowest -count=1 -timeout 60m ./...
	@cat $(MATRIX)

test-rootless: up ## the end-to-end tests against a buildkitd of an ordinary user
	@hack/tools.sh oldest
	@hack/tools.sh oracles
	@$(WITH_ENV) hack/test-rootless.sh

matrix: up ## whether images are the same whatever they are built with, as a table
	@$(WITH_ENV) go test -count=1 -timeout 20m -v -run 'TestImageIsAFunctionOfItsInputs$$' ./e2e

lint: ## gofmt, vet, staticcheck; shellcheck; actionlint
	@hack/lint.sh

bench: up ## build times next to the Dockerfile frontend's, as ratios
	@$(WITH_ENV) hack/bench/run.sh

fuzz: ## every fuzz test for a short time: FUZZTIME=10s
	@hack/fuzz.sh

frontend: up ## the frontend image again, from the Go code as it is now

frontend-release: up ## the frontend image as a release makes it, for all platforms, into the registry on loopback
	@$(WITH_ENV) hack/frontend-release.sh
