# Every target does all set-up it needs: a virtual environment in .venv, made once and reused.
# `make PYTHON=python3.12 test` chooses the interpreter.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { echo "$$name"; exit; }; done; echo python3)

VENV := .venv
RUN := $(VENV)/bin/python -m
# Holds the hash of what was installed, written last: no stamp, no finished installation.
STAMP := $(VENV)/.mgptn-installed
# Holds the process id of an installation under way; left behind by one that was interrupted.
UNDER_WAY := $(VENV)/.mgptn-installing

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: setup ## evolve 8 agents for 6 generations on the CPU, and say where the report is
	@$(VENV)/bin/mgptn run experiments/configs/quickstart.yaml \
		--out "runs/demo-$$(date +%Y%m%d-%H%M%S)-$$$$"

test: setup ## all tests but the slow ones
	@$(RUN) pytest

test-slow: setup ## the slow tests
	@$(RUN) pytest -m slow --timeout 3600

lint: setup ## ruff, formatting and types
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

bench: setup ## how fast the engine is on this machine
	@$(VENV)/bin/mgptn bench engine

clean: ## remove .venv and caches; runs/ stays
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name .git -prune -o -name runs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

setup: # make .venv what pyproject.toml and constraints.txt say, unless it already is
	@version=$$("$(PYTHON)" -c 'import sys; print(sys.version)' 2>/dev/null) || { \
		echo "mgptn needs Python 3.11 or newer; '$(PYTHON)' does not run. Try make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "mgptn needs Python 3.11 or newer; '$(PYTHON)' is $$version. Try make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }; \
	key=$$({ cat pyproject.toml constraints.txt && echo "$$version" "$(CURDIR)"; } | cksum) || exit 1; \
	if [ -x $(VENV)/bin/python ] && [ "$$(cat $(STAMP) 2>/dev/null)" = "$$key" ]; then exit 0; fi; \
	if [ -f $(UNDER_WAY) ]; then \
		if kill -0 "$$(cat $(UNDER_WAY))" 2>/dev/null; then \
			echo "Another make is installing into $(VENV); wait for it to end, or remove $(VENV) if none is." >&2; exit 1; fi; \
		echo "The last installation into $(VENV) was interrupted: starting it afresh."; \
		rm -rf $(VENV) || exit 1; \
	fi; \
	if [ -d $(VENV) ] && [ "$$($(VENV)/bin/python -c 'import sys; print(sys.version)' 2>/dev/null)" != "$$version" ]; then \
		echo "$(VENV) is of another Python: making it anew."; \
		rm -rf $(VENV) || exit 1; \
	fi; \
	mkdir -p $(VENV) && echo $$$$ > $(UNDER_WAY) && rm -f $(STAMP) || exit 1; \
	echo "Installing mgptn into $(VENV) (minutes the first time, for PyTorch and Ray) ..."; \
	[ -x $(VENV)/bin/python ] || "$(PYTHON)" -m venv $(VENV) || exit 1; \
	$(RUN) pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]' || { \
		echo "The installation failed; the next make starts it afresh." >&2; exit 1; }; \
	$(RUN) pip install -qq --disable-pip-version-check -c constraints.txt -e '.[tasks]' 2>/dev/null || \
		echo "Without tasks from reasoning-gym: its libraries did not install (pycosat needs a C compiler)."; \
	echo "$$key" > $(STAMP) && rm -f $(UNDER_WAY)
