# The two commands of the README, and what a contributor needs besides.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# measured is what users install: what only tests need takes time to import
BENCH = $(VENV)-bench/bin
# dbt wants older versions of what mypy uses
ALL = $(VENV)-all/bin
# what MART_EXTRAS of deploy/.env may name
IMAGE_EXTRAS = page metrics xlsx postgres storage ingest dbt fivetran census s3 gs az

.PHONY: engines deploy-check deploy-lint platform platform-verify build test test-all test-oldest test-newest lint types format dev docs sample lock ui ui-page pictures site bench bench-quick scaling bench-changes bench-automation bench-daemon bench-edits fuzz faults kills soak wheel-check

$(BIN)/consumption-datamart: pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-virtualenv -r requirements-dev.lock -e '.[dev]'
	touch $@

$(BENCH)/consumption-datamart: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)-bench
	$(BENCH)/pip install --quiet --require-virtualenv -r requirements.lock -e '.[bench]'
	touch $@

build: $(BIN)/consumption-datamart  ## builds the mart from source_data/ and shows the report
	$(BIN)/consumption-datamart build && $(BIN)/consumption-datamart report

test: $(BIN)/consumption-datamart  ## passes the tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

$(ALL)/consumption-datamart: pyproject.toml requirements-all.lock
	$(PYTHON) -m venv $(VENV)-all
	$(ALL)/pip install --quiet --require-virtualenv -r requirements-all.lock -e '.[dev,dbt]'
	touch $@

engines: $(BIN)/consumption-datamart  ## makes the environment of Snowflake's emulator, for tests
	$(BIN)/python -m consumption_datamart_tests.fakesnow_server

test-all: $(ALL)/consumption-datamart engines  ## passes all of them, each on every engine, and with dbt
	$(ALL)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m 'not ui and not deploy'

# the oldest versions that pyproject.toml allows, all at once, and the newest that there are
test-oldest: RESOLUTION = lowest-direct
test-newest: RESOLUTION = highest
test-oldest test-newest:  ## passes the tests on other versions of the dependencies
	$(PYTHON) -m venv $(VENV)-$(RESOLUTION)
	$(VENV)-$(RESOLUTION)/bin/pip install --quiet uv
	$(VENV)-$(RESOLUTION)/bin/uv pip install --quiet --python $(VENV)-$(RESOLUTION) --upgrade --resolution $(RESOLUTION) -e '.[dev]'
	$(VENV)-$(RESOLUTION)/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(BIN)/consumption-datamart
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(BIN)/consumption-datamart
	$(BIN)/mypy

format: $(BIN)/consumption-datamart
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

dev: $(BIN)/consumption-datamart  ## Dagster's UI on http://localhost:3000
	$(BIN)/dagster dev

platform: $(ALL)/consumption-datamart  ## a whole platform on this machine, see docs/platform.md
	$(ALL)/python -m examples.platform start

platform-verify: $(ALL)/consumption-datamart  ## sees it work, and its parts misbehave
	$(ALL)/python -m examples.platform verify

docs: $(BIN)/consumption-datamart  ## writes the pages that are generated from the code
	$(BIN)/python -m consumption_datamart.cli.reference

sample: $(BIN)/consumption-datamart  ## writes source_data/ anew
	rm -rf source_data && $(BIN)/python -m consumption_datamart.simulation.sample source_data

lock: $(BIN)/consumption-datamart  ## resolves the dependencies anew
	$(BIN)/pip install --quiet uv
	for extra in "" -dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--no-emit-index-url --no-header $${extra:+--extra dev} \
		--output-file requirements$$extra.lock pyproject.toml; done
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
		--extra dev --extra dbt --output-file requirements-all.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header \
		$(IMAGE_EXTRAS:%=--extra %) --output-file requirements-image.lock pyproject.toml

ui-page: $(BIN)/consumption-datamart  ## looks at the page in a headless browser; needs chromium and npm
	$(BIN)/pip install --quiet -e '.[ui]'
	npm install --silent --no-save --prefix .datamart axe-core@4.14
	$(BIN)/python -m pytest -m ui consumption_datamart_tests/test_page_ui.py

ui: ui-page  ## looks at Dagster's UI, too
	$(BIN)/python -m pytest -m ui consumption_datamart_tests/test_ui.py

pictures: $(BIN)/consumption-datamart  ## takes the pictures of docs/page.md; needs chromium
	$(BIN)/pip install --quiet -e '.[ui]'
	$(BIN)/consumption-datamart build --warehouse duckdb://$(CURDIR)/.datamart/pictures.duckdb
	$(BIN)/consumption-datamart page --warehouse duckdb://$(CURDIR)/.datamart/pictures.duckdb --out .datamart/page
	$(BIN)/python -m consumption_datamart_tests.page_pictures .datamart/page docs

bench: $(BENCH)/consumption-datamart  ## measures the build against its peers, writes docs/benchmarks.md
	$(BENCH)/python -m benchmarks compare $(ARGS)

scaling: $(BENCH)/consumption-datamart  ## measures the build of ever larger lakes, writes docs/scaling.md
	$(BENCH)/python -m benchmarks scaling $(ARGS)

bench-changes: $(BENCH)/consumption-datamart  ## measures what a change costs, writes docs/changes.md
	$(BENCH)/python -m benchmarks changes $(ARGS)

bench-automation: $(BENCH)/consumption-datamart  ## measures observation and ticks over 3,650 days
	$(BENCH)/python -m benchmarks automation $(ARGS)

bench-edits: $(BIN)/consumption-datamart  ## measures how long `dagster dev` takes to a first mart, and to answer an edit
	$(BIN)/python -m benchmarks edits $(ARGS)

bench-quick: $(BIN)/consumption-datamart  ## compares the build to that of an earlier commit: make bench-quick BASE=v0.1.0
	$(BIN)/python -m benchmarks quick --base $(BASE)

bench-daemon: $(BIN)/consumption-datamart  ## builds seven years by `build` and by the daemon, and compares
	$(BIN)/python -m benchmarks daemon $(ARGS)

site: $(BIN)/consumption-datamart  ## writes the docs as a site, build/site/index.html; fails where a link leads nowhere
	$(BIN)/pip install --quiet -e '.[site]'
	$(BIN)/python docs_site.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build  # quiet it would not be strict

fuzz: $(BIN)/consumption-datamart  ## loads 10,000 damaged dumps, and builds some of them
	$(BIN)/python -m consumption_datamart_tests.fuzz --mutations 10000 --builds 20 $(ARGS)

faults: $(BIN)/consumption-datamart  ## lets each call of a build to a file or the database fail
	$(BIN)/python -m consumption_datamart_tests.faults $(ARGS)

deploy-check: $(BIN)/consumption-datamart  ## runs the deployment as processes, which takes minutes; needs nginx
	$(BIN)/python -m pytest -m '' consumption_datamart_tests/test_deploy*.py $(ARGS)

deploy-lint:  ## compose file, image, scripts, Kubernetes and workflows by the linters of their kinds
	.ci/deploy-lint

kills: $(BIN)/consumption-datamart  ## kills 200 builds, and takes the disk from some
	$(BIN)/python -m consumption_datamart_tests.kills $(ARGS)

soak: $(BIN)/consumption-datamart  ## ninety days pass through the deployment in half an hour
	$(BIN)/python -m consumption_datamart_tests.soak $(ARGS)

wheel-check:  ## the wheel in an empty environment, without the clone
	PYTHON=$(PYTHON) .ci/wheel
