# The source of the programs, and how it is built: the commit of the repository that this layer is in. So layer, lists of crates
# and Cargo.lock are always of the same commit; what is changed and not committed is not built.
#
# FRONTDESK_SRC_URI and SRCREV in a site's configuration fetch from a server instead.

# There is none yet, and the lint demands one: a name that is kept for examples (RFC 2606).
HOMEPAGE = "https://frontdesk.example/"
SECTION = "multimedia"
LIC_FILES_CHKSUM = "file://LICENSE;md5=1ebbd3e34237af26da5dc08a4e440464"

FRONTDESK_SRC_URI ?= "git://${FRONTDESK_TOP};protocol=file;nobranch=1"
SRC_URI = "${FRONTDESK_SRC_URI}"
SRCREV ?= "${@oe.buildcfg.get_metadata_git_revision(d.getVar('FRONTDESK_TOP'))}"
# A new commit changes no file of the layer: without this, bitbake would go on with the commit of the last parse.
BB_DONT_CACHE = "1"

inherit cargo_bin pkgconfig

# Where bitbake's fetcher puts crates. `--frozen` in EXTRA_CARGO_FLAGS does the rest: no network, Cargo.lock as it is.
FRONTDESK_CRATES = "${UNPACKDIR}/cargo_home/bitbake"

do_configure:append() {
    printf '[source.crates-io]\nreplace-with = "bitbake"\n[source.bitbake]\ndirectory = "%s"\n' "${FRONTDESK_CRATES}" \
        > ${CARGO_HOME}/config.toml
}

# No path of the machine that builds is left in a program.
EXTRA_RUSTFLAGS = "--remap-path-prefix=${WORKDIR}=${TARGET_DBGSRC_DIR}"

# Crates that bring C along (SQLite, Opus, ring) look for these names first; what runs on the machine that builds gets that
# machine's compiler, also where both are of one architecture.
do_compile:prepend() {
    export CC_${@d.getVar('RUST_TARGET').replace('-', '_')}="${WRAPPER_DIR}/cc-wrapper.sh"
    export CXX_${@d.getVar('RUST_TARGET').replace('-', '_')}="${WRAPPER_DIR}/cxx-wrapper.sh"
    export AR_${@d.getVar('RUST_TARGET').replace('-', '_')}="${AR}"
    export HOST_CC="${WRAPPER_DIR}/cc-native-wrapper.sh"
    export HOST_CXX="${WRAPPER_DIR}/cxx-native-wrapper.sh"
}
