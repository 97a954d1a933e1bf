# `make` alone lists the targets. The environment is .venv; `make run` and `make test` make it.
.DEFAULT_GOAL := help
EXPERIMENTS := table2 table3 table4 figure4 figure5 figure6 figure7 sensitivity \
  class_aware class_aware_confirmation class_aware_ablations class_aware_start \
  table2_confirmation \
  many many_confirmation
REPRODUCE := $(EXPERIMENTS:%=reproduce-%)
.PHONY: help setup setup-rivals setup-ray run test test-rivals test-data lint type fuzz audit data \
  docs picture bench learning learned-start \
  compare-library own-tables notebooks status report \
  reproduce-table1 $(REPRODUCE) reproduce-all

PYTHON ?= python3
RESULTS_DIR ?= results
BUDGET ?= paper
LAUNCHER ?= local
DRY_RUN ?=
ARGS ?=
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RIVALS := $(VENV)/.rivals
RAY := $(VENV)/.ray
DOCS := $(VENV)/.docs
NOTEBOOKS := $(VENV)/.notebooks
AUDIT := build/audit
CPU_INDEX := https://download.pytorch.org/whl/cpu

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@echo '  make reproduce-X        Run what is missing of X, collect, write tables and figures; X is'
	@echo '                          one of $(EXPERIMENTS), all'
	@echo
	@echo '  BUDGET=smoke|quick|paper is how much of a reproduction (the default is all of the'
	@echo '  paper: days), DRY_RUN=1 prints its plan and hours only, LAUNCHER=local|ray|submitit'
	@echo '  is where its runs are done. It is resumable: start it again.'
	@echo '  ARGS="..." is passed on, as in make run ARGS="clf=svm seed=1"; RESULTS_DIR=... is'
	@echo '  where results go, PYTHON=... which Python 3.11 or newer makes the environment, and'
	@echo '  TORCH_INDEX=... which package index torch may come from.'

setup: $(STAMP) ## Make the environment, if it is missing or the requirements have changed

# torch is the CPU build (PyTorch's own index) unless there is an NVIDIA GPU: PyPI's build for Linux
# brings several GB of CUDA packages. An index that is out of reach must not stop the set-up.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "AutoSMOTE needs Python 3.11 or newer; name one: make setup PYTHON=python3.12" >&2; \
	  exit 2; }
	$(PYTHON) -m venv $(VENV)
	@index='$(TORCH_INDEX)'; \
	if [ -z "$$index" ] && ! nvidia-smi -L >/dev/null 2>&1 && $(PYTHON) -c 'import signal; \
	signal.alarm(3); import urllib.request as u; u.urlopen("$(CPU_INDEX)/torch/")' \
	>/dev/null 2>&1; then index=$(CPU_INDEX); fi; \
	set -x; \
	$(BIN)/python -m pip install --quiet $${index:+--extra-index-url $$index} \
	  -c constraints.txt -e '.[dev]'
	@touch $@

setup-rivals: $(RIVALS) ## Add what rivals and the many datasets need: CTGAN, Optuna, ... (about 1 GB)

# smote-variants requires tensorflow (2 GB), which only its DEAGO uses: it is installed without.
$(RIVALS): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,generative,optuna,datasets]' \
	  lightgbm minisom metric-learn seaborn
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps smote-variants
	@touch $@

setup-ray: $(RAY) ## Add Ray, for sweeps over many machines (about 0.5 GB)

$(RAY): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,ray]'
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps hydra-ray-launcher
	@touch $@

run: $(STAMP) ## Run one configuration; without ARGS the embedded toy data, about a minute
	$(BIN)/python -m autosmote.run $(ARGS) results_dir=$(RESULTS_DIR)

test: $(STAMP) ## Run the tests that need no data set (ARGS="-m slow": the slow ones)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not data" $(ARGS)

test-rivals: $(RIVALS) ## Run the tests that need the rivals' packages, 2 minutes
	$(BIN)/python -m pytest -n auto -m "rivals and not slow" --require-rivals $(ARGS)

test-data: $(STAMP) ## Run the tests on the six data sets in AUTOSMOTE_DATA_DIR (about half an hour)
	$(BIN)/python -m pytest -n auto --dist loadfile -m data --require-data $(ARGS)

lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(STAMP) ## Check types
	$(BIN)/mypy

fuzz: $(STAMP) ## Try inputs, most of them valid, and check what must hold, 2 minutes
	$(BIN)/python scripts/fuzz.py --n 25 --seed 0 $(ARGS)

# The auditor has an environment of its own, so that the tested one stays as constraints.txt has it.
# Strict: where the list of vulnerabilities is out of reach, it would pass without having looked.
audit: $(STAMP) ## Look the installed packages up among known vulnerabilities, where that is in reach
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && \
	  $(AUDIT)/bin/python -m pip install --quiet pip-audit; } || \
	  { echo "pip-audit cannot be installed here: nothing was audited." >&2; exit 1; }
	$(BIN)/python -m pip freeze --exclude-editable > $(AUDIT)/installed.txt
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip -r $(AUDIT)/installed.txt $(ARGS)

$(DOCS): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,docs]'
	@touch $@

# MkDocs stays below 2, which has no plugins: without the two variables theme and plugins warn of it.
docs: $(DOCS) ## Build the site of the documentation, build/docs/index.html
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/python -m mkdocs build --strict $(ARGS)
	@echo 'build/docs/index.html; with its search: python -m http.server -d build/docs'

$(NOTEBOOKS): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,notebooks]'
	@touch $@

notebooks: $(NOTEBOOKS) ## Make and execute the notebooks of examples/ from their scripts, some minutes
	$(BIN)/python scripts/make_notebooks.py $(ARGS)

picture: $(STAMP) ## Draw the pictures of README from their records (ARGS=--runs makes those of the first)
	$(BIN)/python scripts/readme_picture.py $(ARGS)
	$(BIN)/python scripts/readme_gains.py

data: $(STAMP) ## Fetch the six data sets from OpenML, or check those in AUTOSMOTE_DATA_DIR
	$(BIN)/python scripts/fetch_data.py $(ARGS)

bench: $(STAMP) ## Measure the search against plain scikit-learn and the plain generator, 5 minutes
	$(BIN)/python scripts/bench_search.py --results-dir $(RESULTS_DIR) $(ARGS)
	$(BIN)/python scripts/bench_growth.py --results-dir $(RESULTS_DIR)

learning: $(STAMP) ## Measure learning: searches on all 24 pairs against random episodes
	$(BIN)/python scripts/learning.py --results-dir $(RESULTS_DIR)/learning $(ARGS)

learned-start: $(STAMP) ## Make the table of learned starts from the records of class_aware
	$(BIN)/python scripts/learned_start.py --results-dir $(RESULTS_DIR) $(ARGS)

compare-library: $(STAMP) ## Compare AutoSMOTE with SMOTE, weights and thresholds, 17 minutes
	$(BIN)/python scripts/compare_library.py --results-dir $(RESULTS_DIR) $(ARGS)

own-tables: $(STAMP) ## Take three made-up tables through the four commands, and check what they write
	$(BIN)/python scripts/own_tables.py --results-dir $(RESULTS_DIR) $(ARGS)

reproduce-table1: $(STAMP) ## Print Table 1, the paper's counts beside ours
	$(BIN)/python scripts/table1.py --results-dir $(RESULTS_DIR) $(ARGS)

status: $(STAMP) ## Show what of the sweeps in results/ is done, failed, running, left, and hours
	$(BIN)/python -m autosmote.status results_dir=$(RESULTS_DIR) $(ARGS)

report: $(STAMP) ## Put all tables and figures on one page, results/report/index.html
	$(BIN)/python -m autosmote.reports results_dir=$(RESULTS_DIR) $(ARGS)

$(REPRODUCE): reproduce-%: $(RIVALS) $(if $(filter ray,$(LAUNCHER)),$(RAY))
	$(BIN)/python -m autosmote.sweep experiment=$* budget=$(BUDGET) results_dir=$(RESULTS_DIR) \
	  imputed_is_ok=true launcher=$(LAUNCHER) $(if $(DRY_RUN),dry_run=true) $(ARGS)

reproduce-all: reproduce-table1 $(REPRODUCE)
