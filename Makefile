# `make` alone lists the targets. The environment is .venv; `make run` and `make test` make it.
.DEFAULT_GOAL := help
.PHONY: help setup setup-rivals run test test-data lint type data bench learning reproduce-table1

PYTHON ?= python3
RESULTS_DIR ?= results
ARGS ?=
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CPU_INDEX := https://download.pytorch.org/whl/cpu

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  ARGS="..." is passed on, as in make run ARGS="clf=svm seed=1"; RESULTS_DIR=... says'
	@echo '  where results go, PYTHON=... which Python 3.11 or newer makes the environment, and'
	@echo '  TORCH_INDEX=... which package index torch may come from.'

setup: $(STAMP) ## Make the environment, if it is missing or the requirements have changed

# Of torch, the CPU build (PyTorch's own index) unless there is an NVIDIA GPU: PyPI's build for
# Linux brings several GB of CUDA. An index that is out of reach must not hold up the set-up.
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

# smote-variants requires tensorflow (2 GB), which only its DEAGO uses: it is installed without.
setup-rivals: $(STAMP) ## Add what CTGAN, TVAE, Optuna and the SMOTE variants need (about 1 GB)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,generative,optuna]' \
	  minisom metric-learn seaborn
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps smote-variants

run: $(STAMP) ## Run one configuration; without ARGS the embedded toy data, about a minute
	$(BIN)/python -m autosmote.run $(ARGS) results_dir=$(RESULTS_DIR)

test: $(STAMP) ## Run the tests that need no data set (ARGS="-m slow": the slow ones)
	$(BIN)/python -m pytest -m "not slow and not data" $(ARGS)

test-data: $(STAMP) ## Run the tests on the six data sets in AUTOSMOTE_DATA_DIR (about half an hour)
	$(BIN)/python -m pytest -m data --require-data $(ARGS)

lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(STAMP) ## Check types
	$(BIN)/mypy

data: $(STAMP) ## Fetch the six data sets from OpenML, or check those in AUTOSMOTE_DATA_DIR
	$(BIN)/python scripts/fetch_data.py $(ARGS)

bench: $(STAMP) ## Measure the search against plain scikit-learn and the plain generator, 5 minutes
	$(BIN)/python scripts/bench_search.py --results-dir $(RESULTS_DIR) $(ARGS)
	$(BIN)/python scripts/bench_growth.py --results-dir $(RESULTS_DIR)

learning: $(STAMP) ## Does it learn? Searches on all pairs of dataset and classifier against chance
	$(BIN)/python scripts/learning.py --results-dir $(RESULTS_DIR)/learning $(ARGS)

reproduce-table1: $(STAMP) ## Print Table 1, the paper's counts beside ours
	$(BIN)/python scripts/table1.py --results-dir $(RESULTS_DIR) $(ARGS)
