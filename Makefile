# The commands of the project. Each sets up what it needs first; nothing is installed outside .venv but
# Debian packages, and those only where this runs as root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench soak lab-up lab-down clean setup

setup: $(VENV)/.ready

$(VENV)/.ready: setup.cfg pyproject.toml docker/python-environment.sh
	@sh docker/python-environment.sh $(PYTHON) $(VENV)
	@touch $@

demo: setup ## real calls on a real Asterisk, with a live timeline
	@$(BIN)/cordboard demo $(if $(KEEP),--keep)

test: setup ## all tests, the live ones on a real Asterisk too; four files at a time, what fails again alone
	@$(BIN)/python -m tests

check: setup ## style, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup ## paired measurements, written to docs/benchmarks.md
	@$(BIN)/python -m tests.bench

soak: setup ## the long runs: a million fuzzed inputs, an hour of killed workers
	@CORDBOARD_FUZZ_EXAMPLES=1000000 $(BIN)/python -m pytest -m "fuzz or soak" --timeout 7200

lab-up: setup ## a standing Asterisk to play with
	@$(BIN)/cordboard lab up

lab-down: setup ## end it, and sweep whatever a lab left behind
	@$(BIN)/cordboard lab down

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
