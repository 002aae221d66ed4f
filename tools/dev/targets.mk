# Targets beside building and testing. A line `## target: text` is shown by `make help`.

## all: the programs, into build/bin/ (what plain `make` does)
## demo: a private district with live devices; Ctrl-C ends it, or DEMO_SECONDS=60 does
## test: every test, installing what is missing; the last line is `N passed, N failed`
## unit: the unit tests alone, under ASan and UBSan
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

## fuzz: each fuzz target for FUZZ_SECONDS (60); findings into build/fuzz/
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: $(FUZZ)
	@for target in $(notdir $(FUZZ)); do \
		corpus=corpus/$${target%_fuzz}; \
		mkdir -p $(BUILD)/fuzz/$$corpus tests/fuzz/$$corpus; \
		echo "$$target for $(FUZZ_SECONDS) s"; \
		$(BUILD)/fuzz/bin/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=5 -print_final_stats=1 \
			-verbosity=0 -artifact_prefix=$(BUILD)/fuzz/ \
			$(BUILD)/fuzz/$$corpus tests/fuzz/$$corpus || exit 1; \
	done
