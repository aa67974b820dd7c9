# Yujing (预警). `make` alone prints the verbs.
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev parts run run-kafka cluster-parts test fast check simulate reference eval air kill bench bench-year bench-kafka schemas clean

help: ## print the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the program (.venv/bin/yujing)
	@sh scripts/setup.sh run

setup-dev:
	@sh scripts/setup.sh dev

parts:
	@sh scripts/install_parts.sh && sh scripts/install_kafka.sh && sh scripts/install_deploy_tools.sh

run: setup ## play the story of 2020-2022 in one process and go on serving
	@$(PY) -m services story

run-kafka: setup cluster-parts ## the same story on Kafka, Faust and PostgreSQL, all started here
	@$(PY) -m services story --cluster --data $${YUJING_DATA:-var/story-kafka}

cluster-parts:
	@sh scripts/install_parts.sh cluster && sh scripts/install_kafka.sh

test: setup-dev parts ## everything: unit, property, contract, scenario, simulation, system
	@$(PY) -m tests

fast: setup-dev ## unit, property and contract tests in memory, < 60 s
	@$(PY) -m pytest -q -n 2 -m "not kafka" tests/unit tests/contract

check: setup-dev ## format, lint, types, import laws, schemas
	@$(PY) -m ruff format --check . && $(PY) -m ruff check . && $(PY) -m mypy && .venv/bin/lint-imports && $(PY) -m shared.config.schemas --check && $(PY) -m shared.config.packs_page --check

simulate: setup-dev ## seeds of the simulation: make simulate SEEDS=1000 START=0
	@$(PY) -m tests.endtoend --seeds $(or $(SEEDS),100) --start $(or $(START),0)

reference: setup-dev ## engine against the reference evaluator: make reference CASES=10000
	@$(PY) -m tests.reference $(or $(CASES),1000)
	@$(PY) -m tests.reference.amended $(or $(CASES),1000)

kill: setup-dev parts ## kill -9 at random moments: make kill ROUNDS=200
	@ROUNDS=$(or $(ROUNDS),20) $(PY) -m pytest -q tests/system/test_kill.py

bench: setup-dev ## speeds beside their limits, into docs/bench.md
	@$(PY) -m tests.bench

bench-year: setup-dev ## a year of minutes of 1,000 stations through a backtest, about an hour: make bench-year DAYS=10
	@$(PY) -m tests.bench.year $(or $(DAYS),365)

bench-kafka: setup-dev cluster-parts ## the same on Kafka and PostgreSQL, into docs/bench-kafka.md
	@$(PY) -m tests.bench_kafka

eval: setup-dev ## score the anomaly conditions on labelled series: make eval DATA=PATH
	@$(PY) -m tests.eval $(DATA)

air: setup-dev ## judge years of hourly air, and faults put into them: make air DATA=PATH
	@$(PY) -m tests.air $(DATA)

schemas: setup-dev ## write docs/schemas and docs/packs.md from the configuration model
	@$(PY) -m shared.config.schemas --write && $(PY) -m shared.config.packs_page --write

clean: ## remove .venv, caches and the story's data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis var
