# Frontdesk. `make` or `make help` lists what can be made.
# Everything is built by cargo; CARGO_TARGET_DIR is left to you.

CARGO ?= cargo

HAS_CARGO = $(CARGO) --version >/dev/null 2>&1 || \
	{ echo "No cargo: install Rust from https://rustup.rs, then '. ~/.cargo/env'." >&2; exit 1; }

GUESTS = $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),$(CURDIR)/target)/guests

# The programs, for development. With an example among what is asked for, cargo counts in the features that tests want of
# the dependencies: programs and tests then share all that they are built of, where it would be compiled twice.
DEBUG = $(CARGO) build --workspace --example guest
PROGRAMS = $(DEBUG) --bins

# The programs of the box, and what writes the list of what is linked into them.
BOX := $(shell awk '/^frontdesk/ { print "--bin " $$1 }' firmware/appliance/programs) --bin frontdesk-dependencies

.PHONY: help run test asterisk axe json-server pjsua2 speech-quality guests connectors template-check plugin-report admin-report audio-report audio-hours echo-report kms laws bench figures random chaos soak mutate fuzz peers sip-traps failover conference-report device-report presence-report requirements golden gallery screens lint deny docs doc clean packages test-packages programs yocto-check image image-test image-kms-test units-check deb deb-test sbom dependencies reproducible

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: packages ## build and start a simulated exchange and the console, with invented contacts and calls
	@tests/run

test: test-packages asterisk axe json-server pjsua2 speech-quality guests programs ## run every test: units, laws, end-to-end with kamailio, Asterisk, baresip and SIPp
	@.ci/nextest --workspace
	$(CARGO) test --workspace --doc
	cd plugins && CARGO_TARGET_DIR=$(GUESTS) $(CARGO) test --locked --lib

axe: ## fetch the checker of accessibility for the administrator's page
	@.ci/axe

asterisk: ## unpack Asterisk 22, an exchange that we did not write, in a folder of its own
	@.ci/asterisk

pjsua2: ## fetch PJSUA2, telephones that we did not write
	@.ci/pjsua2

speech-quality: ## fetch what judges speech: PESQ and ViSQOL
	@.ci/speech-quality

json-server: ## fetch a service with a JSON API, for the connector to any such service
	@.ci/json-server

guests: ## build the plugins of plugins/ for wasm32-wasip2
	@.ci/guests
	cd plugins && CARGO_TARGET_DIR=$(GUESTS) $(CARGO) build --locked --release --target wasm32-wasip2
	@plugins/javascript-directory/build $(GUESTS)/wasm32-wasip2/release/javascript_directory.wasm

connectors: packages guests ## build the plugins of plugins/, pack them and sign them with your key (KEY=my.key): target/connectors, for the administrator's page
	$(DEBUG) --bin frontdesk-plugin
	plugins/pack $(GUESTS)/wasm32-wasip2/release $${CARGO_TARGET_DIR:-target}/debug "$(KEY)" target/connectors

template-check: test-packages ## do what plugins/README.md tells an author, command by command, and upload what comes of it
	@.ci/guests
	$(CARGO) test --workspace --test readme

plugin-report: test-packages guests ## let hostile plugins loose on the plugin host: the limit each one runs into
	$(DEBUG) --bin frontdesk-plugind --bin frontdesk-plugin --example plugin-report
	$${CARGO_TARGET_DIR:-target}/debug/examples/plugin-report

admin-report: test-packages guests ## let schemathesis loose on the API of the administrator's page
	@.ci/schemathesis
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/admin-report

audio-report: test-packages speech-quality ## speech over lossy networks beside baresip on the same packets: delay and PESQ (half an hour)
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/audio-report

audio-hours: test-packages ## eight simulated hours of calls: memory level, no late buffer, no lock or allocation in the audio thread (minutes)
	$(DEBUG) --bin audio-hours
	$${CARGO_TARGET_DIR:-target}/debug/audio-hours

laws: ## check the laws of the architecture and the tidiness of the sources
	$(CARGO) test --workspace --test laws

bench: test-packages guests ## measure speed and size against their bars (release build)
	@.ci/pjsua2
	$(CARGO) build --release --bin frontdeskd --bin frontdesk-ctl --bin frontdesk-ui --bin frontdesk-bench \
		--bin frontdesk-plugind --bin frontdesk-plugin
	$${CARGO_TARGET_DIR:-target}/release/frontdesk-bench

figures: packages ## write docs/figures.md from what the reports have measured last (target/reports)
	$(DEBUG) --bin figures
	$${CARGO_TARGET_DIR:-target}/debug/figures

random: packages ## the call core against 200,000 cases of random operations, with their books (release build)
	$(CARGO) build --release --bin random
	$${CARGO_TARGET_DIR:-target}/release/random

soak: packages ## 20,000 calls through one desk: memory stays level, nothing is left (release build)
	$(CARGO) build --release --bin frontdeskd --bin frontdesk-soak
	$${CARGO_TARGET_DIR:-target}/release/frontdesk-soak

mutate: ## ten million wrong SIP messages to the readers and to live user agents (release build)
	$(CARGO) build --release -p sip --example mutate
	@# What is free goes back to the system at once: else what the allocator keeps would look like growth.
	GLIBC_TUNABLES=glibc.malloc.mmap_threshold=16384:glibc.malloc.trim_threshold=65536:glibc.malloc.arena_max=1 \
		$${CARGO_TARGET_DIR:-target}/release/examples/mutate

fuzz: packages ## let libFuzzer loose on each reader of what comes from outside and on the user agent, a minute each (nightly compiler)
	@.ci/fuzz

chaos: test-packages ## real peers, lost datagrams, peers that die: every call accounted for
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-chaos

peers: test-packages ## the desk with baresip, linphone and PJSUA2 at the other end, over every transport: a table
	@.ci/pjsua2
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-peers

sip-traps: test-packages ## every trap that exchanges set for telephones, played by SIPp; 100,000 transactions without a leak
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-traps

failover: test-packages ## two kamailios behind SRV records, the better one stopped and continued: seconds to notice, to ring again, to return
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-failover

conference-report: test-packages ## five baresips in one conference: who hears whom by frequency, muted, gone and without the operator; what it costs
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-conference

device-report: test-packages ## a headset pulled, blocked and stopped in mid-call, and back: how long nobody is heard, in ms; cards of a real kernel in QEMU
	$(PROGRAMS) --example hotplug
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-devices

echo-report: test-packages speech-quality ## speech through a worked-out room and through a desk that hears itself: what is left of the echo, and of the operator
	$(PROGRAMS)
	$${CARGO_TARGET_DIR:-target}/debug/echo-report

presence-report: test-packages ## 2,000 lamps lit by kamailio: a storm of changes, its death and return (release build)
	$(CARGO) build --release --bin frontdeskd --bin frontdesk-ctl --bin frontdesk-ui --bin frontdesk-presence
	$${CARGO_TARGET_DIR:-target}/release/frontdesk-presence

requirements: test-packages asterisk axe json-server pjsua2 speech-quality guests programs ## run the end-to-end tests and print which requirements they show
	$${CARGO_TARGET_DIR:-target}/debug/requirements

golden: packages ## approve the screens as they are drawn now (ui/tests/golden); look at them first
	FRONTDESK_GOLDEN=approve $(CARGO) test --workspace --test golden -- acc_4_every

gallery: packages ## draw every component and every screen, all themes, languages and the pseudo-locale, to target/gallery; contact sheets to docs/gallery
	$(DEBUG) --bin screens --bin gallery
	$${CARGO_TARGET_DIR:-target}/debug/screens --out target/gallery/screens
	$${CARGO_TARGET_DIR:-target}/debug/gallery --out target/gallery/components --screens target/gallery/screens --sheets docs/gallery

screens: packages ## draw the desk in all its states to target/screens/*.png
	$(DEBUG) --bin screens
	$${CARGO_TARGET_DIR:-target}/debug/screens

lint: packages ## check format and run clippy with warnings as errors
	$(CARGO) fmt --all -- --check
	cd plugins && $(CARGO) fmt --all -- --check
	cd plugins/template && $(CARGO) fmt -- --check
	cd plugins && CARGO_TARGET_DIR=$(GUESTS) $(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets -- -D warnings

kms: ## check the console built for boards without a window system (linuxkms)
	@.ci/install build kms
	$(CARGO) check -p frontdesk-ui --no-default-features --features linuxkms

image: packages ## build the box's image from Debian packages: target/image/frontdesk.img and its signed bundle (release build; root)
	@firmware/appliance/image/build --check
	@.ci/install image
	$(CARGO) build --release --workspace $(BOX)
	firmware/appliance/image/build

image-test: test-packages ## boot the image in QEMU: desk on the screen, calls by touch and keys, programs killed, power cut (release build; root)
	@firmware/appliance/image/build --check
	@.ci/install image
	@.ci/multitouch
	$(CARGO) build --release --workspace $(BOX) --bin frontdesk-image
	firmware/appliance/image/build --development
	$${CARGO_TARGET_DIR:-target}/release/frontdesk-image

image-kms-test: test-packages ## the same image with the console for boards without a window system: is it drawn, does a touch reach it (root)
	@firmware/appliance/image/build --check
	@.ci/install image
	@.ci/install kms
	@.ci/multitouch
	$(CARGO) build --release --workspace $(BOX) --bin frontdesk-image
	$(CARGO) build --release -p frontdesk-ui --bin frontdesk-ui --no-default-features --features linuxkms \
		--target-dir $${CARGO_TARGET_DIR:-target}/kms
	firmware/appliance/image/build --development --kms $${CARGO_TARGET_DIR:-target}/kms/release/frontdesk-ui --out target/image/kms
	FRONTDESK_PARTS=kms FRONTDESK_IMAGE=target/image/kms/frontdesk.img $${CARGO_TARGET_DIR:-target}/release/frontdesk-image

units-check: ## check the box's systemd units, and print how much of the system each service could reach
	@.ci/install image
	@firmware/appliance/check

deb: packages ## build the Debian packages of the programs: target/deb, with their sizes and a bill of materials (release build)
	@.ci/install deb
	firmware/appliance/deb/build
	@lintian --fail-on error --tag-display-limit 0 target/deb/*.deb

deb-test: ## install the packages of target/deb in a clean Debian, start every program, update, remove and purge (root)
	@.ci/install deb
	firmware/appliance/deb/test

sbom: ## write the bill of materials of the programs (CycloneDX): target/sbom.cdx.json
	@mkdir -p target
	$(DEBUG) --bin frontdesk-dependencies
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-dependencies sbom target/sbom.cdx.json

dependencies: ## write what stands in the repository of the dependencies: the list behind "about", the page of the book
	$(DEBUG) --bin frontdesk-dependencies
	$${CARGO_TARGET_DIR:-target}/debug/frontdesk-dependencies write

reproducible: packages ## build the smallest program of the release twice in folders of other names, and compare (release build)
	@.ci/reproducible

deny: ## check licences, bans and sources of all dependencies; advisories where they can be had
	$(CARGO) deny check --hide-inclusion-graph bans licenses sources
	$(CARGO) deny --manifest-path plugins/Cargo.toml --config deny.toml check --hide-inclusion-graph bans licenses sources
	@.ci/advisories

docs: packages ## make the guides in English and French (mdBook) with pictures of the screen, and check them: target/docs
	$(PROGRAMS)
	docs/book/build target/docs $${CARGO_TARGET_DIR:-target}/debug/screens
	@.ci/nextest --workspace -E 'binary(docs)'

doc: packages ## build the documentation of the crates
	$(CARGO) doc --workspace --no-deps

yocto-check: ## check the Yocto layer: crates, lint, kas files, and all that bitbake can say without building
	@yocto/check

clean: ## remove what was built, and the state of `make run`
	$(CARGO) clean
	rm -rf run

packages:
	@$(HAS_CARGO)
	@.ci/install build

test-packages:
	@$(HAS_CARGO)
	@.ci/install build test

programs:
	$(PROGRAMS)
