# Two commands on a fresh machine (Python 3.11 and make): `make run`, `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
HPARAMS ?= hparams/sparsemax.yaml
ARGS ?=
# Test files run on two processes; fixtures of a file are made once.
SIDE_BY_SIDE := -n 2 --dist loadfile

.PHONY: run test test-all lint bench oracle-abx clean

run: $(VENV)/run.stamp
	$(BIN)/python train.py $(HPARAMS) $(ARGS)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-all: $(VENV)/dev.stamp
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m ""

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint .

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.workers
	$(BIN)/python -m benchmarks.selection

# zerospeech-libriabx needs numpy < 2, hence an environment of its own. Writes
# the numbers anew that tests/evaluation/test_abx.py compares with.
oracle-abx: $(VENV)/dev.stamp .oracle/abx.stamp
	$(BIN)/python -m benchmarks.abx --goldens

.oracle/abx.stamp:
	$(PYTHON) -m venv .oracle
	.oracle/bin/pip install --quiet 'numpy<2' torch==2.11.0 torchaudio==2.11.0 zerospeech-libriabx==1.0.5
	touch $@

clean:
	rm -rf results .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +

# A stamp is renewed only when the requirements change, so a second `make` installs nothing.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
