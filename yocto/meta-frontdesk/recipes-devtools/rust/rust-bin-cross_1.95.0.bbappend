# The standard library of connectors (frontdesk-plugins): meta-rust-bin has no checksum for this target.
SRC_URI:append:frontdesk-box = " ${RUST_BASE_URI}/dist/rust-std-${PV}-wasm32-wasip2.tar.gz;sha256sum=3e92aa22b6862374701fef4e74ac21897cef4021267bfd9f59b70385cbe3ac26;subdir=rust-std"

# meta-rust-bin was written when bitbake unpacked into WORKDIR; in wrynose that is UNPACKDIR.
S:frontdesk-box = "${UNPACKDIR}/rustc-${PV}-${RUST_BUILD_TARGET}"

do_install:prepend:frontdesk-box() {
    ln -sfn ${UNPACKDIR}/rust-std ${WORKDIR}/rust-std
}
