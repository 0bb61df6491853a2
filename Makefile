# Two commands: `make run` re-executes the paper, `make test` checks everything.
# Each builds .venv from requirements.lock when it is missing or older than the lock.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test test-long book lab benchmarks notebooks data lock clean

run: $(READY)
	@$(BIN)/python -m nxp2lib run

# What a change can break, on all cores.
test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# The same tests with many more kills, cohorts, cells and patients.
test-long: $(READY)
	@NXP2_TEST_LONG=1 $(MAKE) --no-print-directory test

# Make the book of the default run, in outputs/book/.
book: run
	@$(BIN)/python -m nxp2lib book

# Open the first notebook in JupyterLab.
lab: $(READY)
	@$(BIN)/jupyter lab notebooks/00_start_here.ipynb

# Print measured times beside the alternatives; see benchmarks/README.md.
benchmarks: $(READY)
	@$(BIN)/python -m pytest benchmarks --quiet

# Store fresh outputs in the notebooks, and in the README, after a change that is meant to move them.
notebooks: $(READY)
	@$(BIN)/jupyter nbconvert --log-level WARN --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False notebooks/*.ipynb
	@$(BIN)/python tests/test_readme.py

# Write the reconstructed cohort again from the printed numbers.
data: $(READY)
	@$(BIN)/python -m nxp2lib reconstruct

# Pin exact versions with hashes for every supported Python and platform (needs uv).
lock:
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements.lock

clean:
	rm -rf .venv

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and '$(PYTHON)' was not found. Install it, or name one: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = ".".join(map(str, sys.version_info[:3])); sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, and $(PYTHON) is " + v + ". Name a newer one: make run PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up .venv from requirements.lock (a few minutes, once) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)
