# SPDX-License-Identifier: MIT
#
# The front door. Meson does the work; `make help` says what there is.
#
#	BUILD=dir	where to build (build)
#	FILE=path	what the demo streams; DEMO_ARGS: further options, see `dext demo --help`
#	PREFIX, DESTDIR	for `make install`
BUILD ?= build
PREFIX ?= /usr/local
DEMO_ARGS ?=

dext = $(BUILD)/src/tools/dext

.PHONY: all configured deps check check-kernel style docs demo bench soak install clean help

all: configured
	@ninja -C $(BUILD)

# A PREFIX that was asked for counts in a directory that is configured already, too.
asked = $(filter command environment,$(origin PREFIX))
configured: deps
	@test -f $(BUILD)/build.ninja || meson setup --prefix='$(PREFIX)' $(BUILD)
	@$(if $(asked),grep -qxF 'prefix = $(PREFIX)' $(BUILD)/meson-private/cmd_line.txt || \
		meson configure -Dprefix='$(PREFIX)' $(BUILD))

deps:
	@scripts/install-deps build

check:
	@scripts/check

check-kernel:
	@scripts/check-kernel

style:
	@python3 tests/style/style_test.py .

docs:
	@scripts/api-coverage --update

demo: configured
	@ninja -C $(BUILD) demo
	@$(dext) demo $(if $(FILE),--file "$(FILE)") $(DEMO_ARGS)

bench: all
	@meson test -C $(BUILD) --benchmark --no-rebuild --verbose --num-processes 1

soak: all
	@OPENDEXT_SOAK=1 meson test -C $(BUILD) --suite soak --no-rebuild --verbose \
		--num-processes 1 --timeout-multiplier 0

install: all
	@meson install -C $(BUILD) --no-rebuild $(if $(DESTDIR),--destdir "$(DESTDIR)")
	@$(if $(DESTDIR),,/sbin/ldconfig || true) # so that programs find the libraries at once

clean:
	@rm -rf $(BUILD) build-check

help:
	@echo 'make            install what is missing and build, into $(BUILD)/'
	@echo 'make demo       stream a file through a driver to a virtual device and back'
	@echo '                (FILE=path, DEMO_ARGS="..."; see $(dext) demo --help)'
	@echo 'make check      every test, also under the sanitizers; ends with N passed, N failed'
	@echo 'make check-kernel  tests on the real USB stack of Linux, in a guest under qemu'
	@echo 'make bench      measure calls and buffers against the limits of this machine'
	@echo 'make soak       the long tests at full length'
	@echo 'make style      the style checks alone'
	@echo 'make docs       write docs/API.md again: which names are there, and their tests'
	@echo 'make install    into PREFIX ($(PREFIX)), below DESTDIR if that is set'
	@echo 'make clean      remove what was built'
