# One non-recursive Makefile. Sources are found by folder: a new .c file in a library's folder, a new
# tests/unit/NAME_test.c or a new tests/fuzz/NAME_fuzz.c needs no line here.
#
#   make            the programs, into build/bin/
#   make help       every target

CC ?= gcc
BUILD ?= build
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
PREFIX ?= /usr
SYSCONFDIR ?= /etc

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wswitch-enum -Werror
HARDENING := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
PG_INCLUDE := $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
CPPFLAGS += -I. -isystem $(PG_INCLUDE) -D_GNU_SOURCE -DONEKEY_VERSION='"$(VERSION)"'
CFLAGS += -std=gnu11 -g $(WARNINGS)

# Libraries of our own, from the bottom up: each may use those before it (tests/lint holds it).
LIBRARIES := protocol base core journal db edge http password
DIR_protocol := protocol
DIR_base := daemon/base
DIR_core := daemon/core
DIR_journal := daemon/journal
DIR_db := db
DIR_edge := daemon/edge
DIR_http := tools/console/http
DIR_password := tools/password
# Link order: users before what they use.
LINK_ORDER := http password edge db journal core base protocol

# Programs: the folder each is made of and the foreign libraries it needs.
PROGRAMS := onekeyd onekeyctl onekey-report onekey-sim onekey-console
DIR_onekeyd := daemon
DIR_onekeyctl := tools/onekeyctl
DIR_onekey-report := tools/report
DIR_onekey-sim := tools/sim
DIR_onekey-console := tools/console
# What programs have in common.
ALSO_onekeyctl := tools/common
ALSO_onekey-report := tools/common
ALSO_onekey-sim := tools/common
# The files of a report are the same from both programs.
BESIDE_onekey-console := tools/report/csv.c tools/report/text.c tools/report/xlsx.c
FOREIGN_onekey-report := -lxlsxwriter
FOREIGN_onekey-console := -lxlsxwriter
FOREIGN := -levent_openssl -levent_core -levent_extra -lpq -lmosquitto -lcurl -lssl -lcrypto -ljansson \
	-linih -lz -lsystemd -lcrypt -lpthread -lm

# $(call sources,DIR): the C files of one folder.
sources = $(sort $(wildcard $(1)/*.c))
# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(2))

PRESENT := $(foreach p,$(PROGRAMS),$(if $(call sources,$(DIR_$(p))),$(p)))
BINARIES := $(PRESENT:%=$(BUILD)/bin/%)

.PHONY: all
all: $(BINARIES)

# Says what is made; V=1 shows the commands.
say = $(if $(V),,@echo '  $@'; )

# --- compiling: three variants of every object, release, check (ASan + UBSan) and fuzz (libFuzzer) ---
$(BUILD)/release/%.o: %.c
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDENING) -MMD -MP -c -o $@ $<

$(BUILD)/check/%.o: %.c
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(say)clang-14 $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# For `make fuzz`: which lines the inputs reach.
$(BUILD)/cover/%.o: %.c
	@mkdir -p $(@D)
	$(say)$(CC) $(CPPFLAGS) $(CFLAGS) -O0 --coverage -MMD -MP -c -o $@ $<

define library
$(BUILD)/$(1)/lib$(2).a: $(call objects,$(1),$(call sources,$(DIR_$(2))))
	@rm -f $$@
	$$(say)ar rcs $$@ $$^
endef
$(foreach v,release check fuzz cover,$(foreach l,$(LIBRARIES),$(eval $(call library,$(v),$(l)))))

archives = $(LINK_ORDER:%=$(BUILD)/$(1)/lib%.a)

define program
$(BUILD)/bin/$(1): $(call objects,release,$(foreach d,$(DIR_$(1)) $(ALSO_$(1)),$(call sources,$(d))) $(BESIDE_$(1))) $(call archives,release)
	@mkdir -p $$(@D)
	$$(say)$$(CC) -pie -Wl,-z,relro,-z,now -o $$@ $$^ $(FOREIGN) $(FOREIGN_$(1))
endef
$(foreach p,$(PRESENT),$(eval $(call program,$(p))))

# --- tests ---
# What several tests use: linked into each unit test and fuzz target.
support = $(call objects,$(1),$(wildcard tests/support/*.c))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/check/bin/%,$(wildcard tests/unit/*_test.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/bin/%,$(wildcard tests/fuzz/*_fuzz.c))
REPLAY := $(patsubst tests/fuzz/%.c,$(BUILD)/check/bin/%_replay,$(wildcard tests/fuzz/*_fuzz.c))

$(BUILD)/check/bin/%_test: $(BUILD)/check/tests/unit/%_test.o $(call support,check) $(call archives,check)
	@mkdir -p $(@D)
	$(say)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,check) -Wl,--end-group -lcmocka $(FOREIGN)

$(BUILD)/fuzz/bin/%_fuzz: $(BUILD)/fuzz/tests/fuzz/%_fuzz.o $(call support,fuzz) $(call archives,fuzz)
	@mkdir -p $(@D)
	$(say)clang-14 $(SANITIZE) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,fuzz) -Wl,--end-group -lcmocka $(FOREIGN)

# The same target with a main that replays the corpus, so that gcc and make test need no libFuzzer.
$(BUILD)/check/bin/%_fuzz_replay: $(BUILD)/check/tests/fuzz/%_fuzz.o $(BUILD)/check/tests/fuzz/replay_main.o $(call support,check) $(call archives,check)
	@mkdir -p $(@D)
	$(say)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,check) -Wl,--end-group -lcmocka $(FOREIGN)

$(BUILD)/cover/bin/%_fuzz: $(BUILD)/cover/tests/fuzz/%_fuzz.o $(BUILD)/cover/tests/fuzz/replay_main.o $(call support,cover) $(call archives,cover)
	@mkdir -p $(@D)
	$(say)$(CC) --coverage -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,cover) -Wl,--end-group -lcmocka $(FOREIGN)

# The simulator of the whole gateway (tests/sim/README.md), under the sanitizers.
SIM := $(if $(wildcard tests/sim/*.c),$(BUILD)/check/bin/sim)
sim_objects = $(call objects,$(1),$(call sources,tests/sim) tests/support/virtual_gateway.c)
$(BUILD)/check/bin/sim: $(call sim_objects,check) $(call archives,check)
	@mkdir -p $(@D)
	$(say)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,check) -Wl,--end-group $(FOREIGN)

# The same at full speed, for the year of meters.
$(BUILD)/release/bin/sim: $(call sim_objects,release) $(call archives,release)
	@mkdir -p $(@D)
	$(say)$(CC) -pie -o $@ $(filter %.o,$^) -Wl,--start-group $(call archives,release) -Wl,--end-group $(FOREIGN)

.PHONY: sim
sim: $(SIM)
	$(SIM) --file tests/sim/seeds.txt --new $(or $(SEEDS),200)

.PHONY: year
year: $(BUILD)/release/bin/sim
	$< --year 3600 365 $(or $(SEED),$(shell date +%s))

.PHONY: check-programs
check-programs: $(UNIT) $(REPLAY) $(SIM)

.PHONY: unit
unit: check-programs
	tests/run unit

.PHONY: test
test:
	tools/dev/deps
	$(MAKE) --no-print-directory all check-programs
	tests/run

.PHONY: lint
lint: $(foreach l,protocol base core journal,$(BUILD)/release/lib$(l).a)
	tests/lint/run $(BUILD)

.PHONY: format
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include tools/dev/targets.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
