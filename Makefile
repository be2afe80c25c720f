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

# Of pip's lines, as they come: packages of 10 MB and more, that all are being unpacked, and errors.
PIP := $(RUN) pip install --disable-pip-version-check --root-user-action ignore -c constraints.txt
PROGRESS := status=0; while IFS= read -r line; do case "$$line" in \
	FAILED) status=1 ;; \
	*Downloading*" ("[0-9][0-9]*" MB)" | *Downloading*" GB)" | *cached*" ("[0-9][0-9]*" MB)" | *cached*" GB)") \
		size="$${line\#\#*(}"; name="$${line\#\#*/}"; name="$${name\#\#*Downloading }"; name="$${name\#\#*cached }"; \
		printf '  %-28s %s\n' "$${name%%-[0-9]*}" "$${size%)}" ;; \
	"Installing collected"*) echo "  ... all are here: unpacking them" ;; \
	ERROR* | *error:*) echo "$$line" >&2 ;; \
	esac; done; exit $$status

# Processes that run tests, a module after the other in the order of their names; 0 is none but
# pytest itself. Each is to have one core: threads of torch and BLAS would only wait for each other,
# and cost a test several times its time.
WORKERS ?= 2
TEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo words test test-unit test-slow lint docs bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: setup ## evolve 8 agents for 6 generations on the CPU, and say where the report is
	@$(VENV)/bin/mgptn run experiments/configs/quickstart.yaml \
		--out "runs/demo-$$(date +%Y%m%d-%H%M%S)-$$$$"

words: setup ## the same with a small instruct model that is fetched: real questions, real words
	@$(VENV)/bin/mgptn models fetch
	@$(VENV)/bin/mgptn run experiments/configs/words.yaml \
		--out "runs/words-$$(date +%Y%m%d-%H%M%S)-$$$$"

test: setup ## all tests but the slow ones, WORKERS at a time (2), and which ten took longest
	@$(TEST) --durations=10

test-unit: setup ## the tests that start neither Ray nor commands
	@$(TEST) tests --ignore tests/integration

test-slow: setup ## the slow tests
	@$(RUN) pytest -m slow --timeout 3600

lint: setup ## ruff, formatting and types
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

docs: setup ## the documentation as a site, every link checked: build/site/index.html
	@$(PIP) -q -e '.[docs]'
	@$(RUN) tests.reference_pages
	@NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build
	@echo "build/site/index.html"

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
	echo "Setting up $(VENV), once: some 110 packages, PyTorch and Ray among them. That is 1 GB, or"; \
	echo "several with PyTorch's CUDA libraries, and takes 4 to 10 minutes. The larger ones:"; \
	[ -x $(VENV)/bin/python ] || "$(PYTHON)" -m venv $(VENV) || exit 1; \
	{ $(PIP) -e '.[dev]' 2>&1 || echo FAILED; } | { $(PROGRESS); } || { \
		echo "The installation failed; the next make starts it afresh." >&2; exit 1; }; \
	echo "Tasks from reasoning-gym, and answers compared as mathematics:"; \
	{ $(PIP) -e '.[tasks]' 2>/dev/null || echo FAILED; } | { $(PROGRESS); } || \
		echo "Without tasks from reasoning-gym: its libraries did not install (pycosat needs a C compiler)."; \
	echo "Set up."; \
	echo "$$key" > $(STAMP) && rm -f $(UNDER_WAY)
