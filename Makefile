# watchfloor: `make demo` shows it, `make test` proves it; both set everything up by themselves.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

PEERS := bench/out/peers
FUNDUS := bench/out/fundus
FUZZ := bench/out/fuzz

export WATCHFLOOR_CHROMIUM WATCHFLOOR_NO_BROWSER
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv demo test screenshots faults fuzz hostile audit resolutions sbom kills check lint docs format lock refresh peers bench bench-clean profile clean

help: ## what can be made here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

venv: $(READY) ## the project's own Python environment, in .venv

$(READY): requirements/dev.txt pyproject.toml tools/venv.sh tools/need.sh
	@sh tools/venv.sh $(VENV)

demo: $(READY) ## crawl the bundled news site and show what came of it
	@$(VENV)/bin/watchfloor demo

test: $(READY) ## the whole test suite, the web pages in Chromium too
	@sh tools/chromium.sh
	@$(PY) -m pytest

screenshots: $(READY) ## the pictures of README and docs anew, from the demo's data
	@sh tools/chromium.sh pictures
	@PYTHONPATH=tests $(PY) -m tools.screenshots

lint: $(READY) ## formatting, lint, types, architecture
	@$(VENV)/bin/ruff format --check --quiet . || { echo 'run: make format'; exit 1; }
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

docs: $(READY) ## write the generated parts of the documents anew
	@$(PY) -m cogapp -r docs/*.md README.md

check: lint ## all that must hold before a change lands
	@$(PY) -m cogapp --check --diff docs/*.md README.md || { echo 'run: make docs'; exit 1; }
	@$(MAKE) --no-print-directory test

faults: $(READY) ## the fault plan at full length; hostile exports in LibreOffice
	@WATCHFLOOR_FAULTS=1 WATCHFLOOR_KILLS=50 $(PY) -m pytest -rsP tests/test_faults_*.py tests/test_crawl_killed.py

fuzz: $(READY) ## every target for SECONDS=600, or TARGET=name alone, guided by coverage where atheris has a wheel
	@[ -d $(FUZZ)/atheris ] || $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --only-binary :all: --target $(FUZZ) -r tests/fuzz/atheris.txt || echo 'atheris is not here: mutations alone'
	@PYTHONPATH=tests:$(FUZZ) $(PY) -m fuzz.run --seconds $(or $(SECONDS),600) $(TARGET)

audit: $(READY) ## is there a known vulnerability in what is locked? Asks OSV; never green without an answer
	@$(PY) -m tools.audit

resolutions: $(READY) ## the suite with the lowest and the newest dependencies (needs uv); ONLY=lowest, ON=3.13, QUICK=1
	@$(PY) -m tools.resolutions $(if $(ONLY),--only $(ONLY)) $(if $(ON),--python $(ON)) $(if $(QUICK),--quick)

sbom: $(READY) ## what a release is made of, in watchfloor.cdx.json; STAMP=1 with time and serial number
	@$(PY) -m tools.sbom --out watchfloor.cdx.json $(if $(STAMP),--stamp)

hostile: $(READY) ## a crawl of a hostile site, judged, for each thing its robots.txt can be
	@PYTHONPATH=. $(PY) -m tools.hostile

kills: $(READY) ## a crawl killed at 50 moments, each time mended by the next
	@WATCHFLOOR_KILLS=50 $(PY) -m pytest -rP tests/test_crawl_killed.py

$(PEERS)/.ready: bench/peers.txt
	@python3.11 -m venv $(PEERS) && $(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

$(FUNDUS)/.ready: bench/peers-fundus.txt
	@python3.11 -m venv $(FUNDUS) && $(FUNDUS)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

peers: $(PEERS)/.ready $(FUNDUS)/.ready ## the programs that the benchmarks run beside watchfloor

bench: $(READY) peers ## all measurements, into docs/benchmarks.md; ONLY="crawl again", QUICK=1, DB=file, ARTICLES=100000
	@$(PY) -m bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(if $(DB),--db $(DB)) \
	  $(if $(ARTICLES),--articles $(ARTICLES))

profile: $(READY) ## where the CPU of a crawl goes, by part of the house and by function
	@$(PY) -m bench.profile

bench-clean: $(READY) $(PEERS)/.ready ## accuracy and time of cleaning beside trafilatura
	@$(PY) bench/clean.py $(PEERS)/bin/python

refresh: $(READY) ## the public suffixes anew; CONFUSABLES=file and PAGES=folder for the other tables
	@$(PY) -m tools.tables $(if $(CONFUSABLES),--confusables $(CONFUSABLES)) $(if $(PAGES),--pages $(PAGES))

format: $(READY) ## put code into its one form
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lock: ## choose versions anew and lock them with hashes (needs uv)
	uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --upgrade --quiet -o requirements/run.txt
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --upgrade --quiet --constraint requirements/run.txt -o requirements/dev.txt

clean: ## remove everything that was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info watchfloor-demo.db*
