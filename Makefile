# `make run` and `make test` do everything on a fresh machine; see README.md.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
OUT ?= out

.PHONY: run test check bench eval clients shots dist dist-test bundle-test weights environment test-environment dist-environment bundle-environment lock

run: environment
	@$(BIN)/hearth fetch --if-none || true
	@# 2: there is no display, which has been said.
	@$(BIN)/hearth || [ $$? -eq 2 ]

# OpenMP's threads sleep early: on a machine that others use too, spinning ones keep each other from working.
# What keeps one core busy shares the cores; what runs models and voices has the machine to itself.
test: test-environment weights
	GOMP_SPINCOUNT=1000 $(BIN)/python -m pytest -n 2 --dist loadfile -m beside
	GOMP_SPINCOUNT=1000 $(BIN)/python -m pytest -m "not beside"

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
	$(BIN)/python -m tests.evaluation.refusals --out $(OUT)/eval
	$(BIN)/python -m tests.evaluation.injection --out $(OUT)/eval

# Programs that people have, against the local API; they bring an environment of their own.
clients: test-environment weights
	$(BIN)/python -m tests.api_clients

shots: test-environment weights
	$(BIN)/python packaging/make_shots.py $(OUT)/shots

# What can be installed on machines like this one, in dist/.
dist: dist-environment
	.venv-dist/bin/python packaging/make_dist.py

# The same, and then its own test, on a display of its own and without this machine's Python.
dist-test: dist
	.venv-dist/bin/python packaging/try_dist.py --out $(OUT)/dist

# The installed program, made with the llama.cpp that this machine's tests run, tries itself: minutes instead of a half hour.
bundle-test: bundle-environment
	.venv-bundle/bin/python packaging/make_bundle.py
	.venv-bundle/bin/python packaging/try_dist.py --bundle --out $(OUT)/bundle

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

dist-environment:
	@$(PYTHON) packaging/setup_environment.py dist

bundle-environment:
	@$(PYTHON) packaging/setup_environment.py bundle

# For whoever changes a dependency: write the hash-pinned locks anew.
lock:
	$(PYTHON) packaging/make_locks.py
