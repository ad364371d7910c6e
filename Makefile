# make run [ARGS='scenario=… seed=7']   set-up and a simulation
# make test [PYTHON=python3.12]         set-up and every check
# make promises, benchmarks, experiments   the long forms
#
# The environment is built on first use: .venv, or .venv-X.Y for the interpreter named by PYTHON=….

ifdef PYTHON
  VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
  VENV := .venv-$(VERSION)
else
  # The first interpreter found that evsim can use.
  PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
    "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$python" && break; done)
  VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
  VENV := .venv
endif
BIN := $(VENV)/bin
READY := $(VENV)/ready-$(VERSION)

.PHONY: run test lint promises benchmarks experiments clean

run: $(READY)
	@$(BIN)/evsim run $(ARGS)

test: lint
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# What tests try small, at full length: kills, full disks, how often intervals hold the truth.
promises: $(READY)
	EVSIM_KILLS=200 $(BIN)/python -m pytest tests/torture/studies.py $(ARGS)
	PYTHONPATH=tests $(BIN)/python tests/torture/comparisons.py

benchmarks: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

experiments: $(READY)
	@for script in experiments/*.py; do echo "== $$script"; $(BIN)/python "$$script" $(ARGS) || exit 1; done

# Simulations are results, not rubbish: outputs/ stays.
clean:
	rm -rf .venv .venv-3.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find src tests experiments benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@case "$(VERSION)" in 3.11|3.12|3.13) ;; *) \
	  echo "evsim needs Python 3.11, 3.12 or 3.13 (found: '$(PYTHON)' $(VERSION)); name one: make PYTHON=python3.12" >&2; exit 2;; esac
	@echo "Setting up $(VENV) (Python $(VERSION)); the first time takes a minute or two ..."
	@if [ -d $(VENV) ] && [ "$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" != "$(VERSION)" ]; \
	  then rm -rf $(VENV); fi
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'
	@rm -f $(VENV)/ready-*
	@touch $@
