# `make` lists the targets. Each is one line of shell, so that a machine without make loses nothing.
.DEFAULT_GOAL := help
.PHONY: help venv demo test hunt check format bench bench-linking bench-relevance bench-reliability clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 20

venv: ## private environment in .venv, from requirements.lock
	@sh .ci/venv

demo: venv ## try it: an IMAP server on loopback, a year of invented mail, the main job
	@.venv/bin/python -m demo $(ARGS)

test: ## all tests, on every core (ARGS="-k word" goes to pytest)
	@sh .ci/test $(ARGS)

hunt: venv ## look for bugs: property tests with 30 times the examples, an hour or so (TIMES=100 ARGS="-k query")
	@sh .ci/hunt $(ARGS)

check: ## formatting, lint, types, direction of imports
	@sh .ci/check

format: venv ## put the formatting right
	@.venv/bin/ruff format archiver tests benchmarks demo
	@.venv/bin/ruff check --fix archiver tests benchmarks demo

bench: ## list the benchmarks; each runs by itself, and says what it needs
	@for file in benchmarks/[a-z]*.py; do \
	    printf '.venv/bin/python -m benchmarks.%s\n    ' "$$(basename "$$file" .py)"; \
	    sed -n '1s/^"""\([^"]*\).*/\1/p' "$$file"; \
	done

bench-linking: venv ## precision and recall of linking per kind of situation; its speed with ARCHIVER_CORPUS (ARGS="--each 60")
	@.venv/bin/python -m benchmarks.linking $(ARGS)

bench-relevance: venv ## recall@10 and MRR over questions that a support desk asks (ARGS="--misses" shows each miss)
	@.venv/bin/python -m benchmarks.relevance $(ARGS)

bench-reliability: venv ## kills, power cuts, bad disks and lines, changed bytes, a soak (ARGS="--quick --write docs/reliability.md")
	@.venv/bin/python -m benchmarks.reliability $(ARGS)

clean: ## remove the environment, the demo's archive and caches
	rm -rf .venv demo-archive .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
