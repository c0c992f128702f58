# Needs only Python 3.11 or newer and make; everything that is installed goes into .venv. Installed scripts are not
# called: their first line has the path of the checkout, which may contain a space, a quote or a dollar sign.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fuzz lint docs headline bundle deb roots clean

demo: $(VENV)/installed
	$(BIN)/python -m realtime_matte demo $(DEMO_ARGS)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -rs

# Damaged inputs by the thousand: FUZZ inputs of each kind, and the named ones. "make fuzz FUZZ_ARGS=images-17" tries one
# again.
FUZZ ?= 1000
FUZZ_ARGS ?= --named --count $(FUZZ)
fuzz: $(VENV)/installed-test
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ_ARGS)

lint: $(VENV)/installed-lint
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy examples/*.py
	$(BIN)/python -m mypy benchmarks/*.py

# The documentation site, into site/. --strict: a broken link or an unknown name fails.
docs: $(VENV)/installed-docs
	$(BIN)/python scripts/options_reference.py
	$(BIN)/python -m zensical build --clean --strict

# Measures quality against cost again and draws the figure of README.md. MediaPipe installs an OpenCV of its own, so use
# a separate environment: make headline VENV=.venv-benchmark
MODEL ?= small
PEERS ?= ../shared/peers
DATA ?= ../shared/data
headline: $(VENV)/installed-benchmark
	$(BIN)/python benchmarks/peers.py --ours $(MODEL) --peers $(PEERS) --model $(PEERS)/rvm_mobilenetv3.onnx \
		--json $(VENV)/peers.json
	$(BIN)/python benchmarks/quality.py --model "$(MODEL)?quality=low" --model $(MODEL) --model "$(MODEL)?quality=high" \
		--model "$(MODEL)?quality=best" --model "large?quality=low" --model large --peers $(PEERS) \
		--data $(DATA) --json $(VENV)/quality.json
	$(BIN)/python benchmarks/quality_cost_plot.py $(VENV)/quality.json $(VENV)/peers.json docs/quality-against-cost.png

# A folder that runs without an installed Python, and its archive, in dist/: docs/install/bundle.md. As root, since its
# Python and its OpenCV are built in a root of an old Debian. BUNDLE_ARGS=--own-use: with OpenCV's own wheel, for yourself
# only; then BUNDLE_PYTHON may also be another one that can be moved, such as one of uv.
BUNDLE_ROOT ?= /var/tmp/rtmatte-bundle-root
BUNDLE_PYTHON ?= $(BUNDLE_ROOT)/opt/python
BUNDLE_OUT ?= dist
BUNDLE_ARGS ?= --opencv "$(BUNDLE_ROOT)/opt/opencv/cv2.abi3.so"
bundle: $(VENV)/pip
	[ "$(BUNDLE_PYTHON)" != "$(BUNDLE_ROOT)/opt/python" ] || packaging/old_python.sh "$(BUNDLE_ROOT)"
	case '$(BUNDLE_ARGS)' in *--opencv*) packaging/opencv.sh "$(BUNDLE_ROOT)" ;; esac
	$(BIN)/python packaging/bundle.py --python "$(BUNDLE_PYTHON)" --out "$(BUNDLE_OUT)" $(BUNDLE_ARGS)

# A Debian package of the bundle: docs/install/debian.md. Needs dpkg-deb; checked by lintian where that is installed.
deb:
	$(PYTHON) packaging/deb.py --bundles "$(BUNDLE_OUT)"

# The fast tests under the Pythons of other Debians, in roots, and with the oldest libraries: docs/install/tested.md.
ROOTS ?= /var/tmp/rtmatte-roots
ROOTS_ARGS ?= stable testing lowest
roots:
	packaging/pythons.sh "$(ROOTS)" $(ROOTS_ARGS)

# What the system lacks is named, with the command that installs it, before anything is installed.
$(VENV)/pip:
	@sh scripts/check_system.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	touch $@

# pip shows what it downloads: that is most of the time at the first call.
$(VENV)/installed: $(VENV)/pip pyproject.toml
	@echo "installing rtmatte's libraries into $(VENV): about 450 MB to download, 1 GB on the disk"
	$(BIN)/python -m pip install --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	@sh scripts/check_system.sh $(BIN)/python git
	$(BIN)/python -m pip install --disable-pip-version-check --group test
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

$(VENV)/installed-benchmark: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group benchmark
	touch $@

clean:
	rm -rf $(VENV) demo dist site .cache
