# make run     everything that is missing is set up, then the service starts on demo data
# make test    the same, then style, types and all tests
# make test-dahdi  only the DAHDI driver, on a real DAHDI in a virtual machine, which make test does too
# make setup   only the setting up; make bench: measurements; make lint: style and types; make clean
# make bench-dsp   the detectors against libspandsp and multimon-ng, in five to ten minutes: docs/signals.md;
#                  the first time it downloads 1.1 GB of Debian packages for the recordings in them
# make fuzz        parsers of foreign bytes given what atheris makes up, in five minutes
#
# System packages are installed by root or sudo on Debian and its relatives; elsewhere their names are
# printed. All else lives in .venv and var. A second run finds everything in place and takes a second.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

RUN_PACKAGES := python3 python3-venv python3-dev gcc unixodbc libsqliteodbc odbc-postgresql espeak-ng portaudio19-dev
DSP_PACKAGES := libspandsp-dev multimon-ng gcc espeak-ng
SOUND_PACKAGES := portaudio19-dev pulseaudio pulseaudio-utils libasound2-plugins
DAHDI_PACKAGES := qemu-system-x86 gcc-12 cpio libelf1
TEST_PACKAGES := postgresql chromium fonts-wqy-microhei $(SOUND_PACKAGES) $(DSP_PACKAGES) $(DAHDI_PACKAGES)

# The packages whose types are checked: what ships. Tests are not.
TYPED := config dsp drivers voice daemon desk bench

.PHONY: run setup test test-dahdi lint bench bench-dsp fuzz clean system-run system-test system-dsp
.DELETE_ON_ERROR:
.NOTPARALLEL:

run: setup
	$(BIN)/hotline demo

setup: .venv/installed .venv/sound var/demo/fund.sqlite

test: system-test setup lint
	$(BIN)/pytest -n 2

test-dahdi: system-test setup .venv/tested
	$(BIN)/pytest tests/dahdi tests/drivers/dahdi

# mypy starts below the checkout: started in it, it would take our daemon/ for python-daemon.
lint: .venv/tested .venv/package/hotline
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	cd .venv && bin/mypy --config-file ../pyproject.toml $(TYPED:%=-p hotline.%)

bench: setup
	@for module in $(filter-out __init__,$(basename $(notdir $(wildcard bench/*.py)))); do \
	    echo; echo "# $$module"; $(BIN)/python -P -m hotline.bench.$$module || exit 1; \
	done

# What is missing is installed, or the laboratory says which package it lacks.
bench-dsp: system-dsp setup
	$(BIN)/python -P -m hotline.bench.lab

# Five minutes; where there is no Atheris, a sentence. The tests put the same checks through Hypothesis.
fuzz: setup
	$(BIN)/pip install -q -e '.[fuzz]'
	$(BIN)/python -P -m hotline.bench.fuzz --seconds 25

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "var/ is kept: it holds the demo's records. Remove it yourself if you do not want them."

# What apt-get has to install, and only that; without root, sudo or network the setting up goes on,
# for most of the service runs without most of these.
system-run: PACKAGES := $(RUN_PACKAGES)
system-test: PACKAGES := $(TEST_PACKAGES)
system-dsp: PACKAGES := $(DSP_PACKAGES)
system-run system-test system-dsp:
	@missing=$$(for package in $(PACKAGES); do \
	    [ "$$(dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null)" = installed ] || echo -n " $$package"; \
	done); \
	[ -n "$$missing" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then \
	    echo "!! Not a Debian system. Install what corresponds to these packages:$$missing"; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then sudo=sudo; \
	else echo "!! Neither root nor sudo. Missing; as root: apt-get install$$missing"; exit 0; fi; \
	echo "Installing system packages:$$missing"; \
	{ $$sudo apt-get update -qq && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing >/dev/null; } || \
	echo "!! apt-get failed (see above). Still missing; later, as root: apt-get install$$missing"

.venv/bin/pip: | system-run
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "!! $(PYTHON) must be Python 3.11 or newer, it is: $$($(PYTHON) --version 2>&1)."; \
	    echo "   Install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

# A stamp is older than what it depends on when setup.py names other packages than those installed.
.venv/installed: setup.py | .venv/bin/pip
	@echo "Installing Python packages into .venv"
	$(BIN)/pip install -q -e .
	touch $@

.venv/tested: setup.py | .venv/installed
	$(BIN)/pip install -q -e '.[test]'
	touch $@

# Tried once: most machines have no sound card line, and everything else runs without PyAudio.
.venv/sound: | .venv/installed
	@$(BIN)/pip install -q -e '.[sound]' >.venv/sound.log 2>&1 || \
	    echo "!! PyAudio cannot be installed (.venv/sound.log): there will be no sound card lines, all else runs."
	@touch $@

.venv/package/hotline: | .venv/installed
	mkdir -p $(@D)
	ln -sfn ../.. $@

var/demo/fund.sqlite: | .venv/installed
	$(BIN)/hotline demo --prepare
