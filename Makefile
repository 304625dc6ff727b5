# One command a job; every job sets itself up first. `make` alone lists them.
# Needs: Python >= 3.11 with venv, git, make and the package registries.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The stage to preview alone, for example: make rehearse STAGE=stage-c
STAGE ?=
# Who judges a rehearsal: auto, tables or official (the vendors' plugins, where `pulumi plugin install` put them)
JUDGE ?= auto
# More arguments for the job's command, for example: make rehearse ARGS="--json rehearsal.json"
ARGS ?=
PYTEST_WORKERS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup engine browser rehearse chaos-rehearsal state-rehearsal fidelity mutation images local local-promote local-check local-load local-test local-playbook local-alerts local-surge local-keys local-down chaos drill test monitoring-test policy-test pull-request promotion-test site lint format unit bench bench-autoscaler goldens lock clean

help: ## list the jobs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than Python 3.11. Say which Python to use: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) from requirements.lock (once; about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.installed ## the environment in .venv, from the lock file with hashes (implied by every other job)

engine: setup ## the Pulumi engine: the one on PATH, or built once and cached for this user
	@$(BIN)/python -m rehearsal.toolchain

rehearse: setup ## rehearse all five stages and four promotions; STAGE=stage-c previews one; JUDGE=tables|official says who judges
	@$(BIN)/dreamseed rehearse --judge $(JUDGE) $(if $(STAGE),--stage $(STAGE)) $(ARGS)

chaos-rehearsal: setup ## rehearse C, D and E under faults at every operation (ARGS="--seed 2 --sample 30 --deaths 2")
	@$(BIN)/dreamseed chaos $(ARGS)

state-rehearsal: setup engine ## lose and damage the state of a stage in four ways, rehearsed, and recover it (STAGE=stage-c)
	@$(BIN)/python -m tests.recovery $(or $(STAGE),stage-a) $(ARGS)

fidelity: setup ## hold the rehearsal's tables to the installed SDKs, or to the vendors' plugins (JUDGE=official)
	@$(BIN)/python -m tests.fidelity $(if $(filter official,$(JUDGE)),--judge official)

mutation: setup engine ## how many mutants of stage files and program are told, by which tier (ARGS="--seed 2 --sample 50")
	@$(BIN)/python -m tests.mutation $(ARGS)

images: setup ## build what the servers' tier needs, images and programs, once (Linux, root)
	@$(BIN)/python -m localtier.images

local: setup engine ## bring the containers of a stage up on real Docker Engines: make local STAGE=stage-a
	@$(BIN)/dreamseed local up $(or $(STAGE),stage-a) $(ARGS)

local-promote: setup engine ## bring what `make local` brought up to the next stage
	@$(BIN)/dreamseed local promote

local-check: setup ## ask everything that `make local` brought up whether it is as planned
	@$(BIN)/dreamseed local check

local-load: setup ## play users of the stage that stands with k6, held to its objectives (ARGS="--share 0.1 --seconds 30")
	@$(BIN)/dreamseed local load $(ARGS)

local-test: setup engine ## climb the stages under load on real Docker Engines, and try what is claimed
	@$(BIN)/dreamseed local test $(ARGS)

chaos: setup engine ## the long run of the same: engines killed in every promotion, every claim tried (over an hour)
	@$(BIN)/dreamseed local chaos $(ARGS)

local-playbook: setup engine ## promote by the playbook, killed in each step, under load (ARGS="--last stage-c", "--clean")
	@$(BIN)/dreamseed local playbook $(ARGS)

local-alerts: setup engine ## make faults on a stage that runs, and require exactly the expected alerts (ARGS="--stage stage-c")
	@$(BIN)/dreamseed local alerts $(ARGS)

local-surge: setup engine ## more load than the cards hold: a spot worker comes, serves, drains and goes (ARGS="--whole")
	@$(BIN)/dreamseed local surge $(ARGS)

local-keys: setup engine ## exchange every key that a running stage's containers hold, under load (ARGS="--key redis")
	@$(BIN)/dreamseed local keys $(ARGS)

drill: setup ## lose, damage and restore databases in a sandbox, at B, C, D and E, and fail over (Linux, root)
	@$(BIN)/dreamseed drill every $(ARGS)

local-down: setup ## stop what `make local` started; FORGET=1 removes its data, too
	@$(BIN)/dreamseed local down $(if $(FORGET),--forget)

browser: setup ## a headless Chromium for the tests that look at the report (Debian, root)
	@$(BIN)/python -m tests.report.chromium

test: setup lint engine ## lint, types and every test; those in a browser are skipped where none can be installed
	@$(BIN)/python -m tests.report.chromium || true
	@$(MAKE) --no-print-directory unit

monitoring-test: setup ## prove with promtool that every alert fires, stays silent, and is told from its mutants
	@$(BIN)/python -m tests.monitoring.proof

policy-test: setup engine ## judge the five stages by the policies, break them, and ask the real engine with the pack, too
	@$(BIN)/python -m tests.policy
	@$(MAKE) --no-print-directory unit ARGS="tests/policy" PYTEST_WORKERS=1

pull-request: setup engine ## what this tree changes against BASE (default origin/main), as the comment on a pull request
	@$(BIN)/dreamseed pull-request $(or $(BASE),origin/main) $(ARGS)

promotion-test: setup engine ## gates, forged approvals, and promotions killed at every point: facts to playbook
	@$(MAKE) --no-print-directory unit ARGS="tests/facts tests/gates tests/approvals tests/promotion tests/test_signing.py"

unit: setup ## every test, without lint (ARGS="tests/planning -k layout" for a part)
	@PATH="$$($(BIN)/python -m rehearsal.toolchain):$$PATH" $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup $(ARGS)

site: setup ## the documentation as a static site, in build/site
	@$(BIN)/mkdocs build --quiet
	@echo "written to build/site; to look at it: $(BIN)/python -m http.server --directory build/site"

lint: setup ## style (ruff) and types (mypy --strict)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup ## write the style's formatting and safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## the program's start, previews against the bare engine, growth, five at once; planning and pricing time
	@$(BIN)/python -m bench $(ARGS)

bench-autoscaler: setup ## the autoscaler and four others on real traffic, its speed, a million steps under faults (half an hour)
	@$(BIN)/python -m bench.autoscaler $(ARGS)

goldens: setup ## write the recorded plans and promotions anew, to be reviewed as a diff
	@$(BIN)/python -m tests.goldens $(ARGS)

lock: setup ## requirements.lock from requirements.in
	@$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --only-binary :all: \
	  --no-emit-index-url --custom-compile-command "make lock" requirements.in --output-file requirements.lock
	@cd rehearsal/toolchain && ../../$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	  --only-binary :all: --no-emit-index-url --custom-compile-command "make lock" go.in --output-file go.lock

clean: ## remove the environment and every cache inside the clone (the engine's cache stays: see make engine)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
