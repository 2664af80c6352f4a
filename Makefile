# SPDX-License-Identifier: GPL-2.0-or-later
# Every command of the house in one place.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
MAKEFLAGS += --no-print-directory

# The guests' kernels, by their names in tests/vm/kernels; those of Debian 13 run on its files.
KERNELS := 6.1 6.12 trixie trixie-backports
# Other builds of them: guests of real-time kernels take a sample, and those for clouds have no 9p for a guest to live on.
REAL_TIME := 6.12-rt trixie-backports-rt
CLOUD := 6.12-cloud trixie-backports-cloud
# Another architecture, for which module and tool are cross-built; its guest takes a sample of the tests of packets.
ARM64 := 6.12-arm64
packets := translation exempt scope icmp_errors ipv6 icmpv6_errors npt opinion prefix_pairs pseudo_headers rfc
# ... and of what else the module does in the kernel; the rest is about the tool, which this machine's kernel tries.
module := binding bridge complete_checksum conntrackd counters drops error_source except exclude flags flows follow follow_helpers forward forward_chains forward_changes further ipsec jool \
	leaks link_local never_translated one_lan only own_address prefixes reflection refusals stress to_gateway tunnel unload uplinks vrf within
# ... and of what the tool does with it.
with_module := doctor_vrf fail_closed foreign_mark handover imported instances interface_sides neighbours nft rulesets stats sync trace
# What guests take.
GUEST_TESTS := tests/integration
# The Debian in which this runs, if not this machine's; what is built there is kept apart.
IN :=
# Where this machine's is built.
HERE := build
BUILD := $(if $(IN),build/$(IN),$(HERE))
PACKAGES := build$(IN:%=/%)/packages
# What takes a sample of each test's rows only: kernels, and the Debian that IN names.
SAMPLED :=
# Which of these is looked at closer: it takes more rows of tests of packets, and what the tool does with the module, too.
CLOSER :=
# What `make test` takes: of what is about the module samples, larger ones on the default kernel, since this machine's
# kernel takes every row, and `make kernels` all of them on all kernels; and the tool as it was built for the package,
# which it is therefore not built twice for.
quick := GUEST_TESTS="$(patsubst %,tests/integration/test_%.py,$(packets) $(module))" KERNELS="6.12 trixie-backports 6.1" SAMPLED="6.1 6.12 trixie trixie-backports" CLOSER=6.12 HERE=$(PACKAGES)/statnat/build/deb

# Debian's own, to which python3-pytest and python3-scapy belong.
PYTEST := /usr/bin/python3 -m pytest -p no:cacheprovider

# Show and keep what a test stage writes, named.
logged = 2>&1 | sed -u 's/^/$(1)$(IN:%=-%) | /' | tee $(CURDIR)/build/logs/$(1)$(IN:%=-%)

# The verdicts of all stages, at the end of a long log, and what failed in each.
verdicts = for log in build/logs/*; do grep -E '\| (FAILED|ERROR) |\(Failed\)|: error: ' $$log || true; \
	{ grep -E 'passed|failed' $$log || tail -n 1 $$log; } | tail -n 1; done

# What we build here is without a warning; a package is built by whatever compiler there will be.
configure = cmake -S . -B $(1) -DCMAKE_COMPILE_WARNING_AS_ERROR=ON $(2)

# Tables repeat by 2, 3 and 4.
comma := ,
space := $(subst ,, )
sampled = $(if $(filter $(1),$(SAMPLED)),--sample=13) $(if $(filter $(1),$(CLOSER)),--closer=$(subst $(space),$(comma),$(packets)))

.PHONY: help all build tool packages kmods check test trust kernels arm64 fuzz bench pictures demo deb rpm clean install static unit host boot systemd guests races debug kunit finders stress cycles changes opinion coverage mutants gates clang fuzzers

help: ## list these commands
	@sed -n 's/^\([a-z0-9 ]\+\):.*## /\1\t/p' Makefile | expand -t 14

all build: ## build statnat-nft into build/
	$(call configure,$(BUILD))
	cmake --build $(BUILD) --parallel $$(nproc)

tool:
	$(call configure,$(BUILD))
	cmake --build $(BUILD) --parallel $$(nproc) --target statnat-nft

# Any of these commands in Debian 13, such as trixie-check.
trixie-%:
	tests/vm/inside trixie $(MAKE) IN=trixie $*

arm64-tool:
	tests/vm/inside $(ARM64) $(MAKE) IN=arm64 tool

packages:
	scripts/install-packages

kmods: $(KERNELS:%=kmod-%) ## build the module for the guests' kernels, without a warning of the compiler or, but for the newest, of sparse

# That of Debian 13 cannot read what is newer, such as __typeof_unqual__.
kmod-%: sparse = $(if $(filter trixie-backports,$*),,C=2 CF=-Wsparse-error)
kmod-%:
	@kernel=$$(tests/vm/kernels $*); \
	tests/vm/inside $* $(MAKE) -j$$(nproc) -f Makefile.kmod KDIR=$$kernel/lib/modules/$${kernel##*/}/build W=1 KCFLAGS=-Werror $(sparse)

check: build static unit host ## the inner loop: what only reads the code, unit tests, and the integration tests on this kernel with the native engine

test: packages ## install what it takes, then all tests, those of integration also in guests
	rm -rf build/logs
	DEB_CXXFLAGS_APPEND=-g1 $(MAKE) $(quick) deb trixie-tool kmods
	status=0; \
	$(MAKE) -k -j$$(nproc) $(quick) guests host race-6.12 gate-6.12 gate-trixie-backports systemd-bookworm trixie-host static clang || status=1; \
	$(verdicts); exit $$status

kernels: packages ## run all tests on all kernels, and write docs/kernels.md; takes hours
	rm -rf build/logs
	$(MAKE) build trixie-build kmods $(patsubst %,kmod-%,$(REAL_TIME) $(CLOUD))
	$(MAKE) deb trixie-deb
	status=0; $(MAKE) -k host trixie-host systemd || status=1; \
	$(MAKE) -k -j$$(nproc) SAMPLED="$(REAL_TIME)" guests races gates $(REAL_TIME:%=guest-%) arm64 || status=1; \
	tests/vm/report $(KERNELS) $(REAL_TIME) $(ARM64) >build/kernels.md && mv build/kernels.md docs || status=1; $(verdicts); exit $$status

arm64: ## run the tests of packets on arm64, which QEMU emulates
	scripts/install-packages --arm64
	$(MAKE) arm64-tool $(ARM64:%=kmod-%)
	$(MAKE) SAMPLED="$(ARM64)" $(ARM64:%=guest-%)

build/logs:
	mkdir -p $@

static: | build/logs
	tests/static $(call logged,static)

unit: | build/logs
	ctest --test-dir $(BUILD) --no-tests=error --output-on-failure $(call logged,unit)

host: | build/logs
	STATNAT_ENGINE=native STATNAT_NFT=$(CURDIR)/$(BUILD)/statnat-nft $(PYTEST) $(call sampled,$(IN)) tests/integration $(call logged,host)

boot: boot-bookworm boot-trixie ## a gateway's life, in guests whose first process is systemd, with the packages of deb and trixie-deb; takes two hours

boot-%: | build/logs
	$(PYTEST) -k $* tests/boot $(call logged,boot-$*)

systemd: systemd-bookworm systemd-trixie ## the packages of deb and trixie-deb on gateways with systemd, on this kernel

systemd-%: | build/logs
	$(PYTEST) -k $* tests/systemd $(call logged,systemd-$*)

# The module, and the tool as it was built for this kernel's Debian.
built = $(if $(filter trixie%,$(1)),build/trixie,$(if $(filter %-arm64,$(1)),build/arm64,$(HERE)))
engine = STATNAT_ENGINE=expression STATNAT_NFT=$(CURDIR)/$(built)/statnat-nft

guests: $(KERNELS:%=guest-%)

guest-%: tests = $(GUEST_TESTS) $(if $(filter $*,$(CLOSER)),$(with_module:%=tests/integration/test_%.py))
guest-%-arm64: tests = $(packets:%=tests/integration/test_%.py)
guest-%: | build/logs
	kernel=$$(tests/vm/kernels $*); \
	tests/vm/run --kernel $* --memory 2G --timeout 10800 --module build/kmod/$${kernel##*/}/nft_snat_stateless.ko -- \
		env $(call engine,$*) $(PYTEST) $(call sampled,$*) $(tests) $(call logged,guest-$*)

# Another translator, beside whose packets ours are held; it knows no newer kernel.
guest-6.1: jool-6.1

jool-%: | build/logs
	tests/vm/jool $* $(call logged,jool-$*)

# With two processors, which race, and a heap that notices what is written to the wrong place.
races: $(KERNELS:%=race-%)

race-%: | build/logs
	kernel=$$(tests/vm/kernels $*); \
	tests/vm/run --kernel $* --memory 1G --cpus 2 --append slub_debug=FZP --timeout 1200 --module build/kmod/$${kernel##*/}/nft_snat_stateless.ko -- \
		env $(call engine,$*) $(PYTEST) tests/integration/test_race.py tests/integration/test_resets.py $(call logged,race-$*)

# The tests that hold references, on a kernel that watches memory, locks and RCU; `make debug TESTS=tests/integration` runs all.
TESTS := tests/integration/test_binding.py tests/integration/test_refusals.py
debug: debug-6.12 debug-trixie-backports ## run TESTS in debug kernels, which take a quarter of an hour each to build

debug-%: | build/logs
	tests/vm/user-mode --kernel $* -- env STATNAT_ENGINE=expression $(PYTEST) --color=no $(TESTS) $(call logged,debug-$*)

kunit: | build/logs ## test the module inside a kernel with KASAN, with KUnit, and tell which of its lines ran
	tests/kunit/run --at-least 95 $(call logged,kunit)

# Faults of the past, put back one at a time.
finders: | build/logs
	tests/finders $(call logged,finders)

# With failslab, for so long.
STRESS := 600
stress: | build/logs
	tests/vm/user-mode --kernel 6.12 -- env STATNAT_ENGINE=expression $(PYTEST) --color=no --seconds=$(STRESS) \
		tests/integration/test_stress.py tests/integration/test_leaks.py $(call logged,stress)

# Whatever a packet's way depends on, so often each, while packets pass.
CHANGES := 1000
changes: | build/logs
	tests/vm/user-mode --kernel 6.12 -- env STATNAT_ENGINE=expression $(PYTEST) --color=no --rounds=$(CHANGES) \
		tests/integration/test_forward_changes.py $(call logged,changes)

# Load, sync, clear and unload so often, in a kernel that watches nothing but counts.
CYCLES := 1000
cycles: tool kmod-6.12 | build/logs
	kernel=$$(tests/vm/kernels 6.12); \
	tests/vm/run --kernel 6.12 --memory 2G --timeout 7200 -- \
		tests/cycles build/kmod/$${kernel##*/}/nft_snat_stateless.ko --cycles $(CYCLES) $(call logged,cycles)

trust: packages ## all that `make test` has no time for: KUnit, faults put back, the whole suite on a debug kernel, stress, a million packets, fuzzers, coverage, mutants; takes a day
	rm -rf build/logs
	$(MAKE) build kmod-6.12
	status=0; \
	$(MAKE) -k kunit finders stress cycles changes opinion fuzz coverage mutants || status=1; \
	$(MAKE) debug-6.12 TESTS=tests/integration || status=1; \
	$(verdicts); exit $$status

# So many packets of each family and direction.
MANY := 1000000
opinion: | build/logs ## compare a million packets of each family and direction with tests/opinion, here and in a user-mode kernel
	STATNAT_ENGINE=native STATNAT_NFT=$(CURDIR)/$(BUILD)/statnat-nft $(PYTEST) -rP --packets=$(MANY) tests/integration/test_opinion.py \
		$(call logged,opinion-native)
	tests/vm/user-mode --kernel 6.12 --flavour fast -- env STATNAT_ENGINE=expression STATNAT_NFT=$(CURDIR)/$(BUILD)/statnat-nft \
		$(PYTEST) --color=no -rP --packets=$(MANY) tests/integration/test_opinion.py $(call logged,opinion-expression)

# Which lines of the tool the unit tests and those of integration pass through, as g++ counts them without optimizing.
coverage: packages | build/logs ## count the lines of the tool that tests pass through, 92 in a hundred at least, and show them in build/coverage/report
	$(call configure,build/coverage,-DSTATNAT_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug)
	cmake --build build/coverage --parallel $$(nproc)
	find build/coverage -name '*.gcda' -delete
	ctest --test-dir build/coverage --no-tests=error --output-on-failure $(call logged,coverage-unit)
	STATNAT_ENGINE=native STATNAT_NFT=$(CURDIR)/build/coverage/statnat-nft $(PYTEST) --sample=13 tests/integration \
		$(call logged,coverage-host)
	mkdir -p build/coverage/report
	gcovr --root userspace --html-details build/coverage/report/index.html --fail-under-line 92 --print-summary build/coverage \
		$(call logged,coverage)

# So many of the tool and of the module, drawn by this number.
MUTANTS := 100
SEED := 1
mutants: packages | build/logs ## break the tool and the module in MUTANTS ways each, one at a time, and list what no test notices; takes hours
	tests/mutants/sow --tool $(MUTANTS) --module $(MUTANTS) --seed $(SEED) --into build/mutants
	rm -f build/mutants/reached-* build/mutants/verdicts-*
	tests/mutants/judge --in build/mutants $(call logged,mutants)

gates: $(KERNELS:%=gate-%)

gate-%: | build/logs
	tests/bench/gate --kernel $* --tool $(call built,$*)/statnat-nft $(call logged,gate-$*)

# Seconds for each fuzzer.
FUZZ_TIME := 600
run_fuzzer = mkdir -p build/fuzz/corpus-$(1); \
	build/fuzz/fuzz-$(1) -max_total_time=$(FUZZ_TIME) -verbosity=$(FUZZ_VERBOSITY) -print_final_stats=1 $(2) build/fuzz/corpus-$(1) $(3)

fuzz: packages ## look for configurations of ours and of others, texts and messages that break the tool, 10 minutes each
	$(MAKE) fuzzers FUZZ_VERBOSITY=1

# The tool and the fuzzers by another compiler, with sanitizers, and each file by itself, as clang 14 needs libstdc++.
fuzzers:
	$(call configure,build/fuzz,-DCMAKE_CXX_COMPILER=clang++-14 -DSTATNAT_FUZZ=ON -DCMAKE_UNITY_BUILD=OFF)
	cmake --build build/fuzz --parallel $$(nproc)
	$(call run_fuzzer,configuration,-dict=tests/fuzz/configuration.dict,tests/fuzz/seeds-configuration)
	$(call run_fuzzer,rulesets,-dict=tests/fuzz/configuration.dict,tests/fuzz/seeds-rulesets)
	$(call run_fuzzer,importers,-dict=tests/fuzz/importers.dict,tests/samples tests/integration/imports)
	$(call run_fuzzer,text,-dict=tests/fuzz/text.dict,tests/integration/rulesets)
	$(call run_fuzzer,messages)
	@echo "5 fuzzers passed"

# Long enough to see that it builds and runs.
clang: | build/logs
	$(MAKE) fuzzers FUZZ_TIME=5 FUZZ_VERBOSITY=0 $(call logged,clang)

bench: packages ## measure packets and changes of configuration, beside what else there is, into build/bench
	$(MAKE) tool kmod-6.12
	tests/bench/packets --jobs $$(nproc) --output build/bench
	tests/bench/speed --output build/bench
	tests/bench/control --rounds 3 --output build/bench
	tests/bench/control --guest --output build/bench

pictures: packages ## take docs/pictures from a terminal of a gateway in a guest
	$(MAKE) tool kmod-6.12
	kernel=$$(tests/vm/kernels 6.12); \
	tests/vm/run --kernel 6.12 --results docs/pictures --module build/kmod/$${kernel##*/}/nft_snat_stateless.ko -- \
		docs/pictures/take docs/pictures

demo: ## a gateway at work in a guest, step by step
	demo/run

# In a copy, since dpkg-buildpackage writes beside its sources. Inside another Debian there is no git to ask for them.
deb: | build/logs ## build and check the Debian packages, in build/packages; those of trixie-deb in build/trixie/packages
	rm -rf $(PACKAGES) && mkdir -p $(PACKAGES)/statnat
	tar -c --exclude=./.git --exclude=./build --exclude=__pycache__ . | tar -x -C $(PACKAGES)/statnat
	cd $(PACKAGES)/statnat && { dpkg-buildpackage -us -uc -b $(call logged,deb); }

# Debian's rpm knows nothing that is installed, and calls with sh what is written for bash.
rpm: | build/logs ## build packages for distributions of RPM, in build/rpm, and compare them with those of deb
	scripts/install-packages --rpm
	rm -rf build/rpm/RPMS
	rpmbuild --quiet -bb --nodeps --build-in-place --define "_topdir $(CURDIR)/build/rpm" \
		--define "__brp_compress bash %{_rpmconfigdir}/brp-compress %{_prefix}" rpm/statnat.spec
	$(if $(wildcard $(PACKAGES)/*.deb),,$(MAKE) deb)
	$(PYTEST) tests/packages $(call logged,rpm)

clean: ## remove what was built
	rm -rf build

install: build ## install the tool and its manual; the module: make -f Makefile.kmod install
	cmake --install build
