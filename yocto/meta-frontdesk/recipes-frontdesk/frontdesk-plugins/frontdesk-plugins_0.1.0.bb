SUMMARY = "Connectors for the reception appliance, as WebAssembly components"
DESCRIPTION = "Directories and customer databases. They are not part of the image: an administrator uploads what is wanted, \
    which the plugin host then checks and asks about. This puts components and manifests beside the image, to be packed and \
    signed with frontdesk-plugin (plugins/README.md)."
LICENSE = "GPL-3.0-or-later & Apache-2.0 & Apache-2.0-with-LLVM-exception & MIT & Unicode-3.0 & Unlicense"

inherit frontdesk_source deploy nopackages
require frontdesk-plugins-crates.inc

# All but `hostile`, which tests the host, and the one in JavaScript, whose compiler is fetched from npm.
FRONTDESK_PLUGINS = "web-directory ldap carddav microsoft-graph rest-crm hubspot salesforce odoo url-crm"

# A component is the same for every board.
CARGO_MANIFEST_PATH = "${S}/plugins/Cargo.toml"
RUST_TARGET = "wasm32-wasip2"
# The compiler's own linker makes components; that of the board, which the class would name, cannot.
CARGO_TARGET_LINKER_NAME = "NONE"
EXTRA_CARGO_FLAGS = "--frozen --workspace --exclude hostile"

do_install[noexec] = "1"

do_deploy() {
    for plugin in ${FRONTDESK_PLUGINS}; do
        # The folder is called as people call it, the component as the package is.
        package=$(sed -n 's/^name = "\(.*\)"/\1/p' ${S}/plugins/$plugin/Cargo.toml | tr - _)
        install -Dm0644 ${CARGO_BINDIR}/$package.wasm ${DEPLOYDIR}/plugins/$plugin/component.wasm
        install -m0644 ${S}/plugins/$plugin/connector.toml ${DEPLOYDIR}/plugins/$plugin/
    done
}
addtask deploy after do_compile before do_build
