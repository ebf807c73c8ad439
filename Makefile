# One Makefile, no recursion into folders. `make help` lists what to ask for.
# MODE picks a build folder, so that modes never mix object files:
#   make                    build/release/kervan
#   make MODE=asan test     build/asan, under address and UB sanitizers
#   make MODE=cover test    build/cover, counting the lines that ran
#   make V=1                print every command
# Local settings (CC, CFLAGS, PREFIX) go into config.mk, which git ignores.
-include config.mk

VERSION := $(shell cat VERSION)
PREFIX  ?= /usr/local
MODE    ?= release
CC      ?= cc
B        = build/$(MODE)
Q        = $(if $(V),,@)
SAY      = echo

# ---- sources: one list per layer, in the order in which layers may see each
# other (tests/lint-layers fails on an #include that points upwards).
GEN    = converters/base/charset_gen.c
BASE   = $(filter-out $(GEN),$(wildcard converters/base/*.c))
FORM   = $(wildcard formats/*.c)
DOC    = $(wildcard converters/document/*.c)
LANG_  = $(wildcard converters/lang/*.c)
TRADE  = $(wildcard converters/trade/*.c)
WIRE   = courier/outcome.c courier/wire.c
COURIER = $(filter-out $(WIRE),$(wildcard courier/*.c))
SPOOL  = $(wildcard spool/*.c)
CMD    = $(wildcard converters/cmd/*.c)
LIB    = $(BASE) $(FORM) $(DOC) $(LANG_) $(TRADE) $(WIRE) $(SPOOL)
UNIT   = $(wildcard tests/unit/t_*.c)
FUZZ   = $(wildcard tests/fuzz/f_*.c)
CRASH  = $(wildcard tests/crash/*.c)
BENCH  = $(wildcard tests/bench/*.c)
SHIM   = $(addprefix tests/crash/,shim.c shim_data.c server.c)
OUR_C  = $(GEN) $(LIB) $(COURIER) $(CMD) $(UNIT) $(wildcard tests/fuzz/*.c) $(CRASH) \
         $(BENCH) $(wildcard tests/sftp/*.c)
OUR_H  = $(wildcard converters/*/*.h formats/*.h courier/*.h spool/*.h \
         tests/*/*.h)
MAN_IN = converters/kervan.1.in spool/kervan.conf.5.in \
         mappings/kervan-mapping.5.in
MAN    = $(addprefix $B/man/,$(notdir $(MAN_IN:.in=)))

# ---- flags: what we need, what the user adds, what a mode adds
PKGS      = libxml-2.0 libzip sqlite3 libpcre2-8 libcrypto
LIBS_MORE = -lcsv -lunistring
LIBS_SSH  = -lssh2 -lssh
WARN      = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wwrite-strings -Wcast-qual -Wvla -Wundef \
            -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference
HARDEN    = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
            -fstack-clash-protection
HARDEN_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SAN       = -fno-omit-frame-pointer -fno-sanitize-recover=all

flags_release = -O3 -g $(HARDEN)
link_release  = $(HARDEN_LD)
flags_asan    = -O1 -g -fsanitize=address,undefined $(SAN)
# gcc's shared libubsan writes no report to a file, as the golden cases ask.
link_asan     = $(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan)
flags_cover   = -O0 -g --coverage
# Comparisons are not traced: without that it is three times as fast, and the
# dictionaries have the words.
flags_fuzz    = -O1 -g -fsanitize=address,undefined $(SAN) \
                -fsanitize-coverage=inline-8bit-counters,pc-table
ifeq ($(MODE),fuzz)
CC            = clang-14
endif
# WERROR=1 in CI and for developers; never for someone who only builds.
WERROR_1      = -Werror

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -I. -I$B $(PKG_CFLAGS) $(WARN) \
              $(WERROR_$(WERROR)) $(flags_$(MODE)) $(CFLAGS)
ALL_LDFLAGS = $(flags_$(MODE)) $(link_$(MODE)) $(LDFLAGS)

# Asked once, and only when a recipe needs it: `make check` may have to install
# pkg-config first. Headers of libraries are not held to our warnings.
PKG_CFLAGS  = $(eval PKG_CFLAGS := $(pkg_check)$(patsubst -I%,-isystem \
              %,$(shell pkg-config --cflags $(PKGS))))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
pkg_check   = $(if $(shell pkg-config --exists $(PKGS) && echo yes),,$(error \
              libraries are missing: tests/setup build installs them))

LIB_O  = $(LIB:%.c=$B/%.o) $B/charset_tables.o
CMD_O  = $(CMD:%.c=$B/%.o)
# The courier's own objects, without its main: tests look into them, too.
LINE_O = $(patsubst %.c,$B/%.o,$(filter-out courier/main.c,$(COURIER)))
UNIT_X = $(UNIT:%.c=$B/%)
FUZZ_X = $(FUZZ:%.c=$B/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all units man check test cases demo soak bench lint tidy format install \
        clean crash crash-tools crash-sftp sftp-tools bench-tools fuzz fuzzers help FORCE

all: $B/kervan $B/kervan-courier man                   ## build the program and its manual
man: $(MAN)
units: $(UNIT_X)
fuzzers: $(FUZZ_X)

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  CC   $@')
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What the program knows of its build; written only when it changes.
FACTS = -DKERVAN_VERSION='"$(VERSION)"' -DKERVAN_SHARE='"$(PREFIX)/share/kervan"'
$B/facts: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(PREFIX)' >$@
KNOWING = $B/converters/cmd/version.o $B/converters/lang/map_load.o
$(KNOWING): ALL_CFLAGS += $(FACTS)
$(KNOWING): $B/facts

# The tables of the single-byte charsets are made on the building machine.
$B/charset_gen: $(GEN)
	@mkdir -p $(@D)
	$Q$(CC) -std=c11 -D_GNU_SOURCE -O1 -I. -o $@ $<
$B/charset_tables.c: $B/charset_gen $(wildcard converters/base/*.tsv)
	$Q$B/charset_gen converters/base >$@
$B/charset_tables.o: $B/charset_tables.c
	$Q$(CC) $(ALL_CFLAGS) -c -o $@ $<

$B/libkervan.a: $(LIB_O)
	$Qrm -f $@ && $(AR) rcs $@ $^

$B/kervan: $(CMD_O) $B/libkervan.a
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_MORE)

# The libraries that speak to strangers are in a program of their own.
$B/libcourier.a: $(LINE_O)
	$Qrm -f $@ && $(AR) rcs $@ $^

$B/kervan-courier: $B/courier/main.o $B/libcourier.a $B/libkervan.a
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_SSH) $(PKG_LIBS)

$(UNIT_X): %: %.o $B/libcourier.a $B/libkervan.a
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_SSH) $(PKG_LIBS) $(LIBS_MORE)

# These start the courier, and a server that lies.
$B/tests/unit/t_sftp: | $B/kervan-courier
$B/tests/unit/t_sftp_hostile: | $B/kervan-courier $B/tests/sftp/hostile
$B/tests/sftp/hostile: $B/tests/sftp/hostile.o $B/libcourier.a $B/libkervan.a
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_SSH) $(PKG_LIBS)

# A fuzz target: with libFuzzer in MODE=fuzz, else with a main that runs files.
fuzz_main = $(if $(filter fuzz,$(MODE)),mutate,replay hostile)
FUZZ_O    = $(patsubst %,$B/tests/fuzz/%.o,common convert $(fuzz_main))
$(FUZZ_X): %: %.o $(FUZZ_O) $B/libcourier.a $B/libkervan.a
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer) \
	  -o $@ $^ $(LIBS_SSH) $(PKG_LIBS) $(LIBS_MORE)

# ---- tests/crash: a driver, the shim that is put under the program, and
# programs with a mistake each, which the driver must find.
crash-tools: $B/kervan $B/crash/driver $B/crash/shim.so

$B/crash/driver: $(filter-out $(SHIM:%.c=$B/%.o),$(CRASH:%.c=$B/%.o))
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$B/crash/shim.so: $(SHIM) $(wildcard tests/crash/*.h) Makefile
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  CC   $@')
	$Q$(CC) -std=c11 -D_GNU_SOURCE -I. -O2 -g $(WARN) $(WERROR_$(WERROR)) \
	  -fPIC -shared -o $@ $(SHIM)

$B/mutants/%: tests/crash/mutants/%.sed tests/crash/mutate $B/libkervan.a \
              $(CMD_O)
	$(if $V,,@$(SAY) '  CC   $@')
	$Qtests/crash/mutate $< $@.d
	$Q$(CC) $(ALL_CFLAGS) -w $(ALL_LDFLAGS) -o $@ $@.d/*/*.c $(CMD_O) \
	  $B/libkervan.a $(PKG_LIBS) $(LIBS_MORE)

# ---- tests/sftp: a line that is cut.
sftp-tools: $B/kervan $B/kervan-courier $B/tests/sftp/cut $B/tests/sftp/calls.so

$B/tests/sftp/cut: $B/tests/sftp/cut.o
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^

$B/tests/sftp/calls.so: tests/sftp/calls.c Makefile
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  CC   $@')
	$Q$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) $(WERROR_$(WERROR)) -fPIC \
	  -shared -o $@ $<

$B/sftp-mutants/%/kervan: tests/sftp/mutants/%.sed tests/crash/mutate \
              $B/libkervan.a $(CMD_O) $B/kervan-courier
	$(if $V,,@$(SAY) '  CC   $@')
	$Qtests/crash/mutate $< $(@D)/source
	$Q$(CC) $(ALL_CFLAGS) -w $(ALL_LDFLAGS) -o $@ $(@D)/source/*/*.c $(CMD_O) \
	  $B/libkervan.a $(PKG_LIBS) $(LIBS_MORE)
	$Qln -sf ../../kervan-courier $(@D)/kervan-courier

# ---- tests/bench: what parsing alone costs, as a program.
bench-tools: $B/kervan $B/kervan-courier $B/bench/floor $B/bench/carry \
  $B/bench/delay

# Beside the courier, which it starts as kervan does.
$B/bench/carry: $B/tests/bench/carry.o $B/libkervan.a
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_MORE)
	$Qln -sf ../kervan-courier $(@D)/kervan-courier

$B/bench/delay: $B/tests/bench/delay.o $B/libkervan.a
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_MORE)

$B/bench/floor: $B/tests/bench/floor.o
	@mkdir -p $(@D)
	$(if $V,,@$(SAY) '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcsv

# The tables in the manual pages are printed by the program.
define PAGE
$B/man/$(notdir $(1:.in=)): $1 converters/make-manual $B/kervan
	@mkdir -p $$(@D)
	$$Qconverters/make-manual $B/kervan $$< >$$@
endef
$(foreach page,$(MAN_IN),$(eval $(call PAGE,$(page))))

# ---- tests. check and demo install what they need; the others only build.
check:                                   ## every test there is
	@tests/setup build test
	@MAKE='$(MAKE)' tests/run-all

test:                                    ## unit tests of this MODE
	@MAKE='$(MAKE)' tests/run-all unit-$(MODE)

cases: all                               ## golden cases of this MODE; CASES=DIR
	@tests/run-cases -p $B/kervan $(CASES)

crash:                                   ## kill, fail, cut the power: long
	@tests/setup build
	@MAKE='$(MAKE)' tests/crash/run

crash-sftp:                              ## cut lines, kill couriers: long
	@tests/setup build test
	@MAKE='$(MAKE)' tests/sftp/crash
	@MAKE='$(MAKE)' tests/sftp/crash -m

# What it says is for someone who sees the program for the first time.
demo:                                    ## lay out an exchange and run it
	@tests/setup build
	@[ -x build/release/kervan ] || echo 'Building the program, about a minute'
	@$(MAKE) --no-print-directory MODE=release $(if $V,,SAY=:) \
	  $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc)) all
	@tests/demo

soak: all                                ## 50,000 files, readers crash: long
	tests/daemon/soak $(FILES)

bench:                                   ## measure beside rivals: half an hour
	@tests/setup build bench
	@$(MAKE) --no-print-directory MODE=release bench-tools
	@tests/bench/run

fuzz:                                    ## fuzz target T (none: all) SECONDS
	@tests/setup build fuzz
	@MAKE='$(MAKE)' tests/fuzz/run $(or $(SECONDS),60) $T

lint:                                    ## format, layers, headers and more
	@tests/lint

# One file per run: clang-tidy 14 mixes up va_lists between files.
tidy:                                    ## clang-tidy, shellcheck: slow
	@tests/setup build tidy
	printf '%s\n' $(LIB) $(COURIER) $(CMD) | xargs -P$$(nproc) -I{} clang-tidy --quiet {} \
	  -- -std=c11 -D_GNU_SOURCE -I. $(PKG_CFLAGS) $(FACTS)
	shellcheck .ci/run $$(grep -lE '^#!/bin/sh' -r tests --exclude-dir=cases)

format:                                  ## rewrite the sources in our format
	clang-format -i $(OUR_C) $(OUR_H)

install: all                             ## to PREFIX, below DESTDIR
	install -D -m 755 $B/kervan '$(DESTDIR)$(PREFIX)/bin/kervan'
	install -D -m 755 $B/kervan-courier \
	  '$(DESTDIR)$(PREFIX)/libexec/kervan/kervan-courier'
	cd mappings && find . -type f ! -name '*.md' ! -name '*.in' -exec install -D -m 644 {} \
	  '$(DESTDIR)$(PREFIX)/share/kervan/mappings/{}' \;
	sed 's|@BIN@|$(PREFIX)/bin|' spool/kervan.service.in >$B/kervan.service
	install -D -m 644 $B/kervan.service \
	  '$(DESTDIR)$(PREFIX)/lib/systemd/system/kervan.service'
	$(foreach m,$(MAN),install -D -m 644 $m \
	  '$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $m))/$(notdir $m)' &&) :

clean:                                   ## remove build/
	rm -rf build

help:                                    ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 16

-include $(shell find build -name '*.d' -type f 2>/dev/null)
