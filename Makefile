# One Makefile, no recursion into folders. `make help` lists what to ask for.
# MODE picks a build folder, so that modes never mix object files:
#   make                    build/release/kervan
#   make MODE=asan test     build/asan, under address and UB sanitizers
#   make V=1                print every command
# Local settings (CC, CFLAGS, PREFIX) go into config.mk, which git ignores.
-include config.mk

VERSION := $(shell cat VERSION 2>/dev/null || echo unknown)
PREFIX  ?= /usr/local
MODE    ?= release
CC      ?= cc
B        = build/$(MODE)
Q        = $(if $(V),,@)

# ---- sources: one list per layer, in the order in which layers may see each
# other (tests/lint-layers fails on an #include that points upwards).
GEN    = converters/base/charset_gen.c
BASE   = $(filter-out $(GEN),$(wildcard converters/base/*.c))
FORM   = $(wildcard formats/*.c)
DOC    = $(wildcard converters/document/*.c)
LANG_  = $(wildcard converters/lang/*.c)
TRADE  = $(wildcard converters/trade/*.c)
SPOOL  = $(wildcard spool/*.c)
CMD    = $(wildcard converters/cmd/*.c)
LIB    = $(BASE) $(FORM) $(DOC) $(LANG_) $(TRADE) $(SPOOL)
UNIT   = $(wildcard tests/unit/t_*.c)
OUR_C  = $(GEN) $(LIB) $(CMD) $(UNIT)
OUR_H  = $(wildcard converters/*/*.h formats/*.h spool/*.h tests/unit/*.h)

# ---- flags: what we need, what the user adds, what a mode adds
PKGS      = libxml-2.0 libzip sqlite3 libpcre2-8 libcrypto
LIBS_MORE = -lcsv -lunistring
WARN      = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wwrite-strings -Wcast-qual -Wvla -Wundef \
            -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference
HARDEN    = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
            -fstack-clash-protection
HARDEN_LD = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SAN       = -fno-omit-frame-pointer -fno-sanitize-recover=all

flags_release = -O2 -g $(HARDEN)
link_release  = $(HARDEN_LD)
flags_asan    = -O1 -g -fsanitize=address,undefined $(SAN)
flags_cover   = -O0 -g --coverage
# WERROR=1 in CI and for developers; never for someone who only builds.
WERROR_1      = -Werror

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -DKERVAN_VERSION='"$(VERSION)"' -I. -I$B \
              $(PKG_CFLAGS) $(WARN) $(WERROR_$(WERROR)) $(flags_$(MODE)) $(CFLAGS)
ALL_LDFLAGS = $(flags_$(MODE)) $(link_$(MODE)) $(LDFLAGS)
PKG_CFLAGS  = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)

LIB_O  = $(LIB:%.c=$B/%.o) $B/charset_tables.o
CMD_O  = $(CMD:%.c=$B/%.o)
UNIT_X = $(UNIT:%.c=$B/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all test

all: $B/kervan                           ## build the program

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(if $V,,@echo '  CC   $@')
	$Q$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

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
	$(if $V,,@echo '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) $(LIBS_MORE)

$(UNIT_X): %: %.o $B/libkervan.a
	$(if $V,,@echo '  LINK $@')
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(PKG_LIBS) $(LIBS_MORE)

test: $(UNIT_X)
	CMOCKA_MESSAGE_OUTPUT=TAP prove $(PROVE_FLAGS) -e '' $(UNIT_X)

-include $(shell find build -name '*.d' 2>/dev/null)
