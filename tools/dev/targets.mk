# Targets beside building and testing. A line `## target: text` is shown by `make help`.

## all: the programs, into build/bin/ (what plain `make` does)
## demo: a private district with live devices; Ctrl-C ends it, or DEMO_SECONDS=60 does
## test: every test, installing what is missing; the last line is `N passed, N failed`
## unit: the unit tests alone, under ASan and UBSan
## year: a year of 3,600 meters, without and with crashes; minutes of both processors
## lint: the rules of the house
## format: clang-format every C file
## clean: forget everything built

## help: this list
.PHONY: help
help:
	@sed -nE 's/^## ([a-z-]+): (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: demo
demo:
	@tools/dev/deps
	@$(MAKE) --no-print-directory -s all
	@BUILD=$(BUILD) tools/dev/demo

# Software of others that tests hold ours against, where npm is there to fetch it.
.PHONY: oracle
oracle:
	@if command -v npm >/dev/null && [ ! -d tests/oracle/node_modules ]; then \
		npm ci --prefix tests/oracle --ignore-scripts --no-audit --no-fund --silent || \
			echo "oracle: not installed, its tests will skip"; fi

test: oracle

## page: the console's page, into build/console/; part of plain `make` where npm is there to fetch its bundler
PAGE := tools/console/web
PAGE_SOURCES := $(shell find $(PAGE)/src -type f 2>/dev/null) $(PAGE)/build.js
$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	@npm ci --prefix $(PAGE) --ignore-scripts --no-audit --no-fund --silent && touch $@ || \
		echo "page: its bundler cannot be fetched, the page is not built"

$(BUILD)/console/index.html: $(PAGE_SOURCES) $(PAGE)/node_modules/.package-lock.json
	$(say)[ ! -e $(PAGE)/node_modules/.package-lock.json ] || node $(PAGE)/build.js $(BUILD)/console

.PHONY: page
page: $(BUILD)/console/index.html
all: $(if $(shell command -v npm),page)

## fuzz: each fuzz target for FUZZ_SECONDS=60 and which lines it reached; FUZZ_ONLY="gt06 h02" chooses, findings into build/fuzz/
FUZZ_SECONDS ?= 60
FUZZ_CHOSEN := $(if $(FUZZ_ONLY),$(filter $(FUZZ_ONLY:%=%_fuzz),$(notdir $(FUZZERS))),$(notdir $(FUZZERS)))
.PHONY: fuzz
fuzz: $(FUZZ_CHOSEN:%=$(BUILD)/fuzz/bin/%) $(FUZZ_CHOSEN:%=$(BUILD)/cover/bin/%)
	@tools/dev/fuzz $(BUILD) $(FUZZ_SECONDS) $(FUZZ_CHOSEN:%_fuzz=%)

# What is documented of the configuration comes from its table.
$(BUILD)/dev/config_docs: $(BUILD)/release/tools/dev/config_docs.o $(BUILD)/release/libbase.a
	@mkdir -p $(@D)
	$(say)$(CC) -pie -o $@ $^ -linih -lm

## docs: write the generated parts of docs/ again, from the tables of the configuration and the database
.PHONY: docs
docs: $(BUILD)/dev/config_docs all
	tools/dev/splice-options docs/man/onekeyd.conf.5 $< >$(BUILD)/dev/onekeyd.conf.5
	mv $(BUILD)/dev/onekeyd.conf.5 docs/man/onekeyd.conf.5
	$< example >docs/onekeyd.conf.example
	tests/db/states.py

## install: into DESTDIR=, below PREFIX=/usr and SYSCONFDIR=/etc
SYSTEMD := $(DESTDIR)$(PREFIX)/lib/systemd/system
MANUAL := $(DESTDIR)$(PREFIX)/share/man
SHARED := $(DESTDIR)$(PREFIX)/share/onekey
DAEMONS := $(filter onekeyd onekey-console,$(PRESENT))
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(SYSTEMD)
	$(if $(DAEMONS),install $(DAEMONS:%=$(BUILD)/bin/%) $(DESTDIR)$(PREFIX)/sbin)
	install $(patsubst %,$(BUILD)/bin/%,$(filter-out $(DAEMONS),$(PRESENT))) $(DESTDIR)$(PREFIX)/bin
	install -m 644 systemd/*.service $(SYSTEMD)
	install -D -m 644 systemd/onekey.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/onekey.conf
	for page in docs/man/*.[1-8]; do \
		install -D -m 644 $$page $(MANUAL)/man$${page##*.}/$${page##*/} || exit 1; done
	for part in migrations functions; do \
		install -d $(SHARED)/db/$$part && install -m 644 db/$$part/*.sql $(SHARED)/db/$$part || exit 1; \
	done
	for file in $(wildcard $(BUILD)/console/*); do \
		install -D -m 644 $$file $(SHARED)/console/$${file##*/} || exit 1; done
	install -d $(DESTDIR)$(SYSCONFDIR)/onekey/conf.d
	test -e $(DESTDIR)$(SYSCONFDIR)/onekey/onekeyd.conf || install -m 644 \
		docs/onekeyd.conf.example $(DESTDIR)$(SYSCONFDIR)/onekey/onekeyd.conf

## bench: the gateway beside its floors; BENCH="panic_ack idle_bytes" chooses rows, BENCH_ROUNDS=5
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/release/tests/bench/%.o $(call archives,release)
	@mkdir -p $(@D)
	$(say)$(CC) -pie -o $@ $< -Wl,--start-group $(call archives,release) -Wl,--end-group $(FOREIGN)
.PHONY: bench
bench:
	@tools/dev/deps
	@$(MAKE) --no-print-directory -s all $(BENCHES)
	@BUILD=$(BUILD) tests/bench/run

# Part of the program, read by the assembler, which make does not see.
$(BUILD)/release/tools/console/spec.o $(BUILD)/check/tools/console/spec.o: tools/console/openapi.json

# The console under the sanitizers, for tests/system/console_api.py.
$(BUILD)/check/bin/onekey-console: $(call objects,check,$(foreach d,tools/console $(ALSO_onekey-console),$(call sources,$(d))) $(BESIDE_onekey-console)) $(call archives,check)
	@mkdir -p $(@D)
	$(say)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,check) -Wl,--end-group $(FOREIGN) $(FOREIGN_onekey-console)
check-programs: $(BUILD)/check/bin/onekey-console
