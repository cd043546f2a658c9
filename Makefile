# Targets are what a person types; each says what it does. `make` alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
LAB ?= lab
# Temporary files of the tests go into a directory of their own, which goes with the run.
PYTEST = dir=$$(mktemp -d -t gpufleet-tests-XXXXXX) && trap 'rm -rf "$$dir"' EXIT && $(BIN)/pytest --basetemp="$$dir/t"
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast lint format docs lock lab-up lab-down clean

help: ## Print the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with the gpufleet command, every dependency pinned by hash.

# The stamp is written last, so that an interrupted setup starts over.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "--> installing python3-venv (this Python has no ensurepip)"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; }
	@echo "--> making $(VENV) from requirements/dev.txt (hashes checked)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Two container hosts get a real NVIDIA driver, verified; a second run changes nothing.
	@$(BIN)/gpufleet demo

test: setup ## Every test, container hosts included (under 45 minutes on 2 cores).
	@$(BIN)/gpufleet lab prepare
	@$(PYTEST) --numprocesses=2 -m "not lab" tests
	@$(PYTEST) --numprocesses=2 --dist=loadscope --no-loadscope-reorder --durations=25 -m lab tests

test-fast: setup ## The tests that need no container (under two minutes).
	@$(PYTEST) --numprocesses=2 -m "not lab" tests

lint: setup ## ruff, mypy (strict), generated role documentation.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m gpufleet.docs --check

format: setup ## Reformat the Python files.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## Regenerate the role READMEs from their options.
	@$(BIN)/python -m gpufleet.docs

lock: ## Resolve the dependencies anew into requirements/ (needs uv; names, versions and hashes only).
	@for kind in runtime dev; do \
	  extra=; [ $$kind = dev ] && extra="--extra dev --constraint requirements/runtime.txt"; \
	  uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    --no-annotate --python-version 3.11 --extra build $$extra pyproject.toml --output-file requirements/$$kind.txt; \
	done

lab-up: setup ## Start the lab's container hosts (LAB=name).
	@$(BIN)/gpufleet lab prepare
	@$(BIN)/gpufleet lab up --lab $(LAB)

lab-down: setup ## Remove the lab's hosts, network, processes and state (LAB=name).
	@$(BIN)/gpufleet lab down --lab $(LAB)

clean: ## Remove .venv and caches of the checkout; labs and downloads stay (see lab-down).
	rm -rf $(VENV) *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
