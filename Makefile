# `make run` and `make test` do everything on a fresh machine; see README.md.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
OUT ?= out

.PHONY: run test check bench eval shots dist weights environment test-environment lock

run: environment
	@$(BIN)/hearth fetch --if-none || true
	@# 2: there is no display, which has been said.
	@$(BIN)/hearth || [ $$? -eq 2 ]

# OpenMP's threads sleep early: on a machine that others use too, spinning ones keep each other from working.
test: test-environment weights
	GOMP_SPINCOUNT=1000 $(BIN)/python -m pytest

check: test-environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: test-environment weights
	$(BIN)/python -m tests.benchmarks --out $(OUT)/bench

eval: test-environment weights
	$(BIN)/python -m tests.evaluation --out $(OUT)/eval
	$(BIN)/python -m tests.evaluation.documents --only ""
	$(BIN)/python -m tests.evaluation.answers --out $(OUT)/eval

shots: test-environment weights
	$(BIN)/python packaging/make_shots.py $(OUT)/shots

dist: test-environment
	$(BIN)/python packaging/make_dist.py

# The three models that tests and benchmarks run, and an embedding model's weights for the tests.
weights: test-environment
	@$(BIN)/hearth fetch smollm2-135m-instruct qwen2.5-coder-0.5b-instruct qwen2.5-coder-1.5b-instruct
	@$(BIN)/python -m tests.minilm_weights
	@$(BIN)/python -m tests.voice_audio_weights
	@$(BIN)/python -m tests.voice_weights

environment:
	@$(PYTHON) packaging/setup_environment.py run

test-environment:
	@$(PYTHON) packaging/setup_environment.py test

# For whoever changes a dependency: write the hash-pinned locks anew.
lock:
	$(PYTHON) packaging/make_locks.py
