SUMMARY = "Reception console: SIP telephony, touchscreen, keypad and connectors"
DESCRIPTION = "The programs of the reception appliance: the desk with SIP, sound and storage, the touchscreen that draws \
    straight to the display, the plugin host, handset and keypad, and the command line."

# Ours, and that of every crate that is linked in (deny.toml names the licences that may be).
LICENSE = "GPL-3.0-or-later & 0BSD & Apache-2.0 & Apache-2.0-with-LLVM-exception & BSD-2-Clause & BSD-3-Clause & BSL-1.0 & \
    CC0-1.0 & GPL-3.0-only & ISC & MIT & MPL-2.0 & Unicode-3.0 & Unlicense & Zlib"

inherit frontdesk_source
require frontdesk-crates.inc

DEPENDS += "alsa-lib cmake-native libinput libxkbcommon udev"

# The screen is built for boards without a window system. No program but these is built: nothing of the tests.
FRONTDESK_PROGRAMS = "frontdeskd frontdesk-ctl frontdesk-ui frontdesk-plugind frontdesk-plugin frontdesk-controls"
CARGO_FEATURES = "frontdesk-ui/linuxkms"
EXTRA_CARGO_FLAGS = "--frozen -p frontdeskd -p frontdesk-ui -p plugin-host -p controls --no-default-features \
    ${@' '.join('--bin ' + name for name in d.getVar('FRONTDESK_PROGRAMS').split())}"

# Opened when it is used: slint's compiler, which runs on the machine that builds, would else be linked with the target's.
export RUST_FONTCONFIG_DLOPEN = "on"

do_install() {
    for program in ${FRONTDESK_PROGRAMS}; do
        install -Dm0755 ${CARGO_BINDIR}/$program ${D}${bindir}/$program
    done
}

# What the desk reads aloud: no layer used here has espeak-ng. A site whose layers have it says FRONTDESK_SPEECH = "espeak-ng".
FRONTDESK_SPEECH ?= ""

RDEPENDS:${PN} = "${FRONTDESK_SPEECH} ca-certificates fontconfig frontdesk-appliance liberation-fonts tzdata xkeyboard-config"
