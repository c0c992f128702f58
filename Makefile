# `make demo` and `make test` need only Python 3.11+ and make; everything they install goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint headline clean

demo: $(VENV)/installed
	$(BIN)/rtmatte demo $(DEMO_ARGS)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -rs

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Quality against cost, everybody on one picture, measured anew. MediaPipe brings an OpenCV of its own, which is not to be
# tested with: make headline VENV=.venv-benchmark
MODEL ?= small
PEERS ?= ../shared/peers
DATA ?= ../shared/data
headline: $(VENV)/installed-benchmark
	$(BIN)/python benchmarks/peers.py --ours $(MODEL) --peers $(PEERS) --model $(PEERS)/rvm_mobilenetv3.onnx \
		--json $(VENV)/peers.json
	$(BIN)/python benchmarks/quality.py --model $(MODEL) --model "$(MODEL)?quality=high" --peers $(PEERS) \
		--data $(DATA) --json $(VENV)/quality.json
	$(BIN)/python benchmarks/headline.py $(VENV)/quality.json $(VENV)/peers.json docs/quality-against-cost.png

$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

$(VENV)/installed: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

$(VENV)/installed-benchmark: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group benchmark
	touch $@

clean:
	rm -rf $(VENV) demo
