# Everything that make installs stays in .venv and .cache; `make clean` undoes it. (As root, `shop up` also keeps
# a copy of the PostgreSQL binaries in /var/cache, because PostgreSQL never runs as root.)
# The only things asked of the machine are Python 3.11 or newer, pip and make.

.DEFAULT_GOAL := help
.PHONY: help run demo test prove bench bench-long bench-peers check check-pages audit-deps format docs screenshots lock clean FORCE

UV_VERSION := 0.13.9
UV    := .cache/uv/bin/uv
READY := .venv/.ready
# Not .venv/bin/shop: its first line names the folder, and some characters in that name break it.
SHOP  := .venv/bin/python -P -m shop

export UV_CACHE_DIR := $(CURDIR)/.cache/uv-cache
export UV_PYTHON_DOWNLOADS := never
# The certificates that uv brings along do not include the one of a company's proxy.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

# Some build servers set it; then every process of the suite would compile all of the source again.
unexport PYTHONDONTWRITEBYTECODE

# Building packages puts this folder into PATH, which separates folders by colons.
$(if $(findstring :,$(CURDIR)),$(error Please move the shop: it cannot be installed in a folder with a colon in its name))

# The stamp holds the folder it was made for, because a copied or moved tree carries a .venv whose
# scripts still point to the old place; and a .venv outlives the Python that it was made from.
SOUND := $(shell [ -x .venv/bin/python ] && [ "$$(cat $(READY) 2>/dev/null)" = "$$(pwd -P)" ] && echo yes)

# Sets $python to the path of a Python that answers and has pip (a pyenv shim on the PATH may not answer). Not that
# of a virtual environment, which may vanish and often has no pip, but the one that it was made from. The system's
# comes first: most distributions optimize theirs by profile; one that pyenv built takes 1.4 times as long.
find_python = \
	for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
		python=$$($$candidate -c 'import os, sys; sys.version_info < (3, 11) and sys.exit(1); \
			print(os.path.realpath(sys._base_executable))' 2>/dev/null) && \
			"$$python" -c 'import pip' 2>/dev/null && break; \
		python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo 'The shop needs Python 3.11 or newer with pip, and none was found: please install it' \
			'(on Debian and Ubuntu: apt-get install python3-pip).' >&2; \
		exit 1; \
	fi

may_write = [ -w . ] || { echo 'The shop is installed into its own folder, where you may not write.' >&2; exit 1; }

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /make \1#/p' Makefile | awk -F'#' '{ printf "%-16s %s\n", $$1, $$2 }'

# exec: shop itself is the child that make forwards SIGTERM to and waits for. With setpriv (Linux) it
# also gets SIGTERM when make is killed with -9 and can forward nothing any more.
run: $(READY)  ## start the whole shop in the foreground; Ctrl-C stops it
	@exec $$(setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM) $(SHOP) up

demo: $(READY)  ## show what the shop does, on a running one or on one of its own
	@exec $(SHOP) demo

# Three workers for two cores: most specs wait for servers most of their time.
test: $(READY)  ## run the whole suite; ARGS="-k name" narrows it
	@.venv/bin/pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

prove: $(READY)  ## simulate and attack the shop; PROVE_MINUTES=10 bounds it, PROVE_SEED replays
	@exec .venv/bin/python -m tests.chaos

bench: $(READY)  ## measure the shop against its floors; writes bench/results
	@.venv/bin/python -m bench $(ARGS)

bench-long: $(READY)  ## measure what work costs as it grows, and a soak; writes bench/results/long.json
	@.venv/bin/python -m bench.long $(ARGS)

bench-peers: $(READY) .cache/peers/.ready  ## measure the same order the usual ways, beside the shop; writes bench/results/peers.json
	@.venv/bin/python -m bench.peers $(ARGS)

check: $(READY)  ## check formatting, lint, the rules of ARCHITECTURE.md, types and generated documents
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/python -m tests.architecture.rules
	.venv/bin/lint-imports
	.venv/bin/mypy
	$(SHOP) openapi --check
	@$(SHOP) broker definitions | diff deploy/rabbitmq/definitions.json -
	@$(MAKE) --no-print-directory check-pages

# Types, lint and format of the pages' scripts and styles. `#gateway` are the types of the gateway's document, so
# a page that asks for what the document does not offer is an error.
check-pages: .cache/pages/.ready
	@$(NODE) $(MODULES)/openapi-typescript/bin/cli.js docs/openapi/gateway.json --default-non-nullable=false \
		-o .cache/pages/gateway.d.ts >.cache/pages/types.log 2>&1 || { cat .cache/pages/types.log; exit 1; }
	$(NODE) $(MODULES)/typescript/bin/tsc -p tests/pages/tsconfig.json
	$(NODE) $(MODULES)/@biomejs/biome/bin/biome ci --colors=off --error-on-warnings --config-path=tests/pages \
		src/gateway/adapters/inbound/pages/static

# --strict: an index that does not know a package does not say that the package is sound.
AUDIT := .cache/audit/bin/python -m pip_audit --require-hashes --disable-pip --strict --progress-spinner off \
	--cache-dir .cache/audit/http
unaudited = { echo "No index that knows of vulnerabilities answers: $$(tail -n 1 .cache/audit.log | sed 's/^ERROR:[^:]*://')" \
	>&2; exit 1; }

audit-deps: .cache/audit/.ready  ## look for known vulnerabilities in requirements; writes .cache/sbom.json
	@found=0; rm -f .cache/sbom.json; \
	$(AUDIT) -r requirements/dev.txt $(ARGS) 2>.cache/audit.log || found=1; \
	if grep -Eq '^(Traceback|ERROR)' .cache/audit.log; then $(unaudited); fi; \
	grep -v '^WARNING' .cache/audit.log; \
	$(AUDIT) -r requirements/runtime.txt -f cyclonedx-json -o .cache/sbom.json $(ARGS) 2>.cache/audit.log; \
	[ -s .cache/sbom.json ] || $(unaudited); \
	exit $$found

format: $(READY) .cache/pages/.ready  ## format the code and apply the safe fixes
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format
	@$(NODE) $(MODULES)/@biomejs/biome/bin/biome check --write --config-path=tests/pages \
		src/gateway/adapters/inbound/pages/static

docs: $(READY)  ## write what is generated: OpenAPI, AsyncAPI, the tables of exactly-once.md, the broker's users
	@$(SHOP) openapi
	@$(SHOP) broker definitions > deploy/rabbitmq/definitions.json
	@.venv/bin/python -m tests.simulation.page

COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--custom-compile-command 'make lock' $(ARGS)

screenshots: $(READY)  ## take the pictures of the pages that README shows; needs Chromium
	@.venv/bin/python -m tests.pages.screenshots

lock: $(UV)  ## write requirements/*.txt anew from pyproject.toml; ARGS=--upgrade takes newer versions
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra embedded --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(COMPILE) --group client -o requirements/client.txt
	$(COMPILE) --group pages -o requirements/pages.txt
	$(COMPILE) --group audit -o requirements/audit.txt
	$(COMPILE) --group peers -c requirements/runtime.txt -o requirements/peers.txt

clean:  ## remove what make installed and every cache; the data in .data stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name .git -prune -o -name .data -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Moved into place when complete, so that an interrupted download leaves no half of a uv behind.
# A plain `pip install uv` is refused where the system manages its Python (Debian); --target is not.
$(UV):
	@$(may_write); \
	$(find_python); \
	echo 'Installing uv into .cache'; \
	rm -rf .cache/uv .cache/uv.part && \
	PIP_USER=no PIP_REQUIRE_VIRTUALENV=no "$$python" -m pip install --quiet --no-cache-dir --no-input \
		--disable-pip-version-check --root-user-action=ignore --target .cache/uv.part uv==$(UV_VERSION) && \
	mv .cache/uv.part .cache/uv

# What generates clients from docs/openapi is no part of ours: its own pins would fight with ours.
.cache/client/.ready: requirements/client.txt | $(UV)
	@$(UV) venv --quiet --clear --no-project --python .venv/bin/python .cache/client
	@$(UV) pip sync --quiet --python .cache/client --require-hashes requirements/client.txt
	@touch $@

# Nor is pip-audit.
.cache/audit/.ready: requirements/audit.txt | $(UV) $(READY)
	@$(UV) venv --quiet --clear --no-project --python .venv/bin/python .cache/audit
	@$(UV) pip sync --quiet --python .cache/audit --require-hashes requirements/audit.txt 2>.cache/audit.log \
		|| $(unaudited)
	@touch $@

# Nor are the peers, which are measured from outside.
.cache/peers/.ready: requirements/peers.txt | $(UV) $(READY)
	@echo 'Installing the peers into .cache/peers'
	@$(UV) venv --quiet --clear --no-project --python .venv/bin/python .cache/peers
	@$(UV) pip sync --quiet --python .cache/peers --require-hashes --compile-bytecode requirements/peers.txt
	@touch $@

# Node comes as a wheel, and from npm what the check of the pages needs.
NODE := .cache/pages/bin/node
MODULES := .cache/pages/node_modules

.cache/pages/.ready: requirements/pages.txt tests/pages/package-lock.json | $(UV) $(READY)
	@echo 'Installing what checks the pages into .cache/pages'
	@$(UV) venv --quiet --clear --no-project --python .venv/bin/python .cache/pages
	@$(UV) pip sync --quiet --python .cache/pages --require-hashes requirements/pages.txt
	@cp tests/pages/package.json tests/pages/package-lock.json .cache/pages/
	@cd .cache/pages && bin/npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# The stamp goes first and comes last: without it the .venv is in an unknown state and is made anew.
$(READY): requirements/dev.txt pyproject.toml $(if $(SOUND),,FORCE) | $(UV)
	@set -e; \
	$(may_write); \
	rm -f $(READY); \
	if [ -z "$(SOUND)" ]; then \
		$(find_python); \
		$(UV) venv --quiet --clear --no-project --python "$$python" .venv; \
	fi; \
	echo "Installing $$(grep -c '^[a-z].*==' requirements/dev.txt) packages into .venv"; \
	$(UV) pip sync --quiet --python .venv --require-hashes --compile-bytecode requirements/dev.txt; \
	$(UV) pip install --quiet --python .venv --no-deps --build-constraints requirements/dev.txt --editable .; \
	pwd -P > $(READY); \
	echo 'Installed.'
