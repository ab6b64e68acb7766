# Everything a developer calls, on a machine with git, make and Python 3.11 or later.
# Each target sets up only what it needs, once; a second call costs nothing.

PYTHON ?= python3
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
UV := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# What the linters read: each file as soon as it exists, whether it is committed yet or not.
FILES = git ls-files --cached --others --exclude-standard --deduplicate --
WORKFLOWS = $(shell $(FILES) '.github/workflows/*.yml' 'examples/workflows/*.yml')
ACTIONS = $(wildcard action.yml host/action.yml)
SCRIPTS = $(shell $(FILES) '*.sh' .ci/run .ci/install .ci/release)
DOCKERFILES = $(wildcard Dockerfile)

# GNU make 4 keeps the output of parallel steps apart; the 3.81 of macOS cannot.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
STEPS := check-format check-ruff check-types check-imports check-actions check-scripts check-unit

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check fix golden host assets fuzz killloop rgw bench image dist lock clean $(STEPS)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

# What the servers inside of the tests' processes let go of goes back to the system; glibc would keep a gigabyte of it.
test check-unit: export MALLOC_MMAP_THRESHOLD_ := 1000000

demo: $(VENV)/stamp-demo ## Tell the whole story on real data, in a temporary folder
	@$(BIN)/python examples/digits/demo.py

test: $(VENV)/stamp-test $(VENV)/stamp-lint $(VENV)/stamp-demo $(VENV)/stamp-npm ## Run every test
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(VENV)/stamp-lint $(VENV)/stamp-test $(VENV)/stamp-npm ## Lint, types, walls, and the fast tests: under a minute
	@$(MAKE) --no-print-directory --keep-going -j 2 $(SYNC) $(STEPS)
	@echo 'check: all good'

fix: $(VENV)/stamp-lint ## Format, and repair what ruff can repair
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

golden: $(VENV)/stamp-test ## Write the expected reports anew; read the difference before committing it
	$(BIN)/python tests/golden/regenerate.py

host: ## Write host/action.yml anew from action.yml
	$(PYTHON) -m tests.support.host_action

assets: $(VENV)/stamp-test ## Bundle anew what the page draws its plots with
	$(BIN)/python tests/support/vega_bundle.py

fuzz: $(VENV)/stamp-test ## Compare N random projects with real dvc (N=200 FROM=1000)
	RETRAIN_FUZZ=$(or $(N),200) RETRAIN_FUZZ_FROM=$(FROM) $(BIN)/python -m pytest --quiet -n $(WORKERS) \
		tests/interop/test_random.py tests/interop/test_collection.py $(ARGS)

killloop: $(VENV)/stamp-test ## Kill runs at N points each, and go on (without N: at every point)
	RETRAIN_KILLS=$(or $(N),0) $(BIN)/python -m pytest --quiet -n $(WORKERS) tests/e2e/test_kill.py $(ARGS)

rgw: $(VENV)/stamp-test ## Hold what is asked of S3 against Ceph's gateway (apt: ceph-mon ceph-osd radosgw ceph-common)
	RETRAIN_RGW=1 $(BIN)/python -m pytest --quiet tests/contract \
		-k 'moto or boto3 or test_versions or test_s3_obstore or test_large' $(ARGS)

bench: $(VENV)/stamp-test $(VENV)/stamp-bench ## Measure against real dvc, and write docs/performance.md: up to two hours
	$(BIN)/python benchmarks/engine.py $(ARGS)
	$(BIN)/python benchmarks/parallel.py $(ARGS)
	$(BIN)/python benchmarks/resolve.py $(ARGS)
	$(BIN)/python benchmarks/whole.py $(ARGS)
	$(BIN)/python benchmarks/storage.py $(ARGS)
	$(BIN)/python benchmarks/report.py

image: ## Build the action's image and run it as GitHub does (needs root and Debian's container tools)
	tests/image/build.sh

dist: $(VENV)/stamp-lock ## Build the wheel and the source distribution into dist/
	$(BIN)/uv build --quiet --out-dir dist

lock: $(VENV)/stamp-lock ## Pin the image's packages anew in requirements.lock
	@mkdir -p build
	$(UV) --extra azure --extra gitlab --extra ssh --group test --output-file build/test.txt
	$(UV) --extra azure --extra gitlab --extra ssh --constraints build/test.txt --generate-hashes --output-file build/runner.txt
	@{ echo '# What the image holds, and the tests run on. Written by `make lock`; never by hand.'; cat build/runner.txt; } > requirements.lock

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist demo-out tests/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# The steps of `make check`.

check-format:
	$(BIN)/ruff format --check .

check-ruff:
	$(BIN)/ruff check --quiet .

check-types:
	$(BIN)/mypy

check-imports:
	$(BIN)/lint-imports --no-cache > $(VENV)/imports.txt 2>&1 || { cat $(VENV)/imports.txt; exit 1; }

check-actions:
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck $(WORKFLOWS)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(if $(ACTIONS),$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions $(ACTIONS))
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms $(wildcard .github/ISSUE_TEMPLATE/*.yml)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci examples/gitlab/.gitlab-ci.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --quiet --offline --no-progress --persona pedantic $(WORKFLOWS) $(ACTIONS) .github/dependabot.yml

check-scripts:
	$(BIN)/shellcheck $(SCRIPTS)
	$(if $(DOCKERFILES),$(BIN)/hadolint $(DOCKERFILES))

check-unit:
	$(BIN)/python -m pytest --quiet -n $(WORKERS) -m 'not slow' --hypothesis-profile quick tests/unit tests/contract

# Set-up. A stamp is older than what it was made from exactly when it has to be made again.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or later is needed, this is {v.major}.{v.minor}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'

# The runner's own packages are those of requirements.lock, so that the tests run on what the image holds.
$(VENV)/constraints.txt: requirements.lock | $(BIN)/python
	@sed -n 's/ *\\$$//; /^[a-z]/p' requirements.lock > $@

$(VENV)/stamp-%: pyproject.toml $(VENV)/constraints.txt
	$(PIP) install --constraint $(VENV)/constraints.txt --editable '.[azure,gitlab,ssh]' --group $*
	@touch $@

$(VENV)/stamp-npm: tests/package-lock.json | $(BIN)/python
	@if command -v npm > /dev/null; then npm ci --prefix tests --no-audit --no-fund --no-update-notifier --loglevel=error && touch $@; \
	else echo 'npm is not installed: tests that need the API description of GitHub will be skipped'; fi
