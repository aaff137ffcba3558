# Two commands for everybody: `make demo` and `make test`. The others are for those who work on Lakou itself.

CARGO ?= cargo
WASM := wasm32-wasip2
EXAMPLES := $(notdir $(wildcard examples/*))
WASM_DIR := target/$(WASM)/release
DEMO := target/demo
LISTEN ?= 127.0.0.1:8000
# Of what is measured and installed: release, or dist.
PROFILE ?= release
PREFIX ?= /usr/local

.PHONY: demo test docs install dist bench bench-quick bench-programs fuzz lint autobahn build wasm-target redis-server clean

# A chat page in the browser, from a fresh clone.
demo: build wasm-target
	$(CARGO) build --release --target $(WASM) -p chat -p echo
	mkdir -p $(DEMO)/controllers
	cp $(WASM_DIR)/chat.wasm $(WASM_DIR)/echo.wasm $(DEMO)/controllers/
	@echo
	@echo "Open the address below in two browser tabs and chat; ctrl-c ends it."
	@echo
	target/release/lakou serve --controllers $(DEMO)/controllers --public examples/chat/public --listen $(LISTEN)

# Everything that can be checked by a program; the summary of the end-to-end tests comes last.
test: build wasm-target redis-server autobahn bench-quick
	$(CARGO) test --release --workspace --exclude lakou-tests
	$(CARGO) test --release -p lakou-tests --test e2e

# The pages that are made of the code: the reference of the settings.
docs: build
	target/release/lakou settings > docs/settings.md

# The 301 conformance cases of RFC 6455 that need no compression, against the echo controller.
autobahn: build wasm-target
	$(CARGO) build --release --target $(WASM) -p echo
	tests/autobahn.sh

# The quickest program that the sources make, which takes some minutes to build, into PREFIX.
install:
	$(CARGO) build --profile dist -p lakou-host
	install -D target/dist/lakou $(DESTDIR)$(PREFIX)/bin/lakou

# The same, with its licences and documents, as one file to hand on: target/dist/lakou-VERSION-TARGET.tar.gz.
TARGET = $(shell rustc -vV | sed -n 's/^host: //p')
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
DIST = lakou-$(VERSION)-$(TARGET)
dist:
	$(CARGO) build --profile dist -p lakou-host
	rm -rf target/dist/$(DIST)
	mkdir -p target/dist/$(DIST)
	cp -r target/dist/lakou README.md CHANGELOG.md LICENSE* docs target/dist/$(DIST)/
	tar -C target/dist -czf target/dist/$(DIST).tar.gz $(DIST)
	@echo target/dist/$(DIST).tar.gz

# Against a bare tokio-tungstenite server, and two servers against raw Redis, each in the same run; takes some minutes and
# wants a quiet machine. PROFILE=dist measures what is installed.
bench: bench-programs
	$(BENCH)/bench --lakou $(BENCH)/lakou
	$(BENCH)/bench-servers --lakou $(BENCH)/lakou

# Both parts in some seconds: it proves that every row can be measured, and its figures say nothing.
bench-quick: bench-programs
	$(BENCH)/bench --lakou $(BENCH)/lakou --quick
	$(BENCH)/bench-servers --lakou $(BENCH)/lakou --quick

BENCH := target/$(PROFILE)
bench-programs: wasm-target redis-server
	$(CARGO) build --profile $(PROFILE) -p lakou-host
	$(CARGO) build --profile $(PROFILE) -p lakou-bench
	$(CARGO) build --release --target $(WASM) -p echo -p fanout -p probe -p postbox

# Each fuzzer for FUZZ_SECONDS, with a nightly toolchain, a C++ compiler and `cargo install cargo-fuzz`. What they find
# interesting goes into their corpora, which the tests replay.
FUZZ_SECONDS ?= 600
FUZZERS := $(basename $(notdir $(wildcard tests/fuzz/fuzz/fuzz_targets/*.rs)))
fuzz:
	cd tests/fuzz && for target in $(FUZZERS); do \
		$(CARGO) +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 || exit 1; \
		$(CARGO) +nightly fuzz cmin $$target || exit 1; \
	done

# Style, the prohibitions of clippy.toml, the links of the documentation, and which dependencies may come in (deny.toml).
lint: wasm-target
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --target $(WASM) $(addprefix -p ,$(EXAMPLES)) -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps --document-private-items
	tests/cargo-deny.sh

build:
	$(CARGO) build --release -p lakou-host

wasm-target:
	@rustup target list --installed | grep -qx $(WASM) || rustup target add $(WASM)

# The tests start Redis servers of their own; this only sees to it that they can.
redis-server:
	@tests/redis.sh

clean:
	$(CARGO) clean
