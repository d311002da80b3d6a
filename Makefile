# Every target sets up .venv by itself when it is missing or older than what it is made from.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Files of tests are given to so many processes; 0 is this one.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test check bench chaos lock clean

help:
	@echo "make demo   pretrain, fine-tune and compare on synthetic videos; ends with the results table"
	@echo "make test   every test"
	@echo "make check  format, lint, types, import contracts, then every test"
	@echo "make chaos  kills what runs a study, time and again, and compares with an undisturbed run; 20 minutes"
	@echo "make bench  side-by-side measurements; VIDEOS=<folder> for those of reading videos"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; name another: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/rotnet prepare synthetic data/demo-pool --short-side 36 --videos 600 --seed 1 --unlabelled
	$(BIN)/rotnet prepare synthetic data/demo --short-side 36 --videos 256 --seed 2 --test-fraction 0.8125
	$(BIN)/rotlab run search_spaces/demo.yaml
	$(BIN)/rotlab results demo

test: $(READY)
	$(PYTEST)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST)

bench: $(READY)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/sharing.py
	$(BIN)/python benchmarks/tracking.py
	$(BIN)/python benchmarks/chatter.py
	$(BIN)/python benchmarks/query.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/adaptive.py
	$(BIN)/python benchmarks/search.py
ifdef VIDEOS
	$(BIN)/python benchmarks/decode.py $(VIDEOS) --cold
	$(BIN)/python benchmarks/loader.py $(VIDEOS)
else
	@echo "for decode.py and loader.py: make bench VIDEOS=<folder of videos>"
endif

chaos: $(READY)
	$(BIN)/python -m tests.chaos.long --log chaos.log
	$(BIN)/python -m tests.chaos.drivers --log drivers.log
	$(BIN)/python -m tests.chaos.searching --log searching.log

lock: $(READY)
	@{ sed -n 1p requirements.lock; $(BIN)/pip freeze --exclude-editable | sort -f \
		| sed -E '/^(nvidia-|triton|cuda-)/ s/$$/ ; sys_platform == "linux"/'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
