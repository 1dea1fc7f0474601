# system.conf is that of firmware/appliance/rauc; the keyring is the builder's own.
FILESEXTRAPATHS:prepend:frontdesk := "${FRONTDESK_TOP}/firmware/appliance/rauc:${FRONTDESK_KEYS}:"
RAUC_KEYRING_FILE:frontdesk = "keyring.pem"

# Who may speak to RAUC on the bus besides root.
SRC_URI:append:frontdesk = " file://frontdesk-rauc.conf"
PACKAGE_ARCH:frontdesk = "${MACHINE_ARCH}"

do_install:append:frontdesk() {
    # Where system.conf names the keyring, and where an administrator looks.
    install -d ${D}${sysconfdir}
    mv ${D}${nonarch_libdir}/rauc ${D}${sysconfdir}/rauc
    sed -i 's/^compatible=.*/compatible=${FRONTDESK_COMPATIBLE}/' ${D}${sysconfdir}/rauc/system.conf
    install -Dm0644 ${UNPACKDIR}/frontdesk-rauc.conf ${D}${datadir}/dbus-1/system.d/frontdesk-rauc.conf
}

FILES:${PN}:append:frontdesk = " ${datadir}/dbus-1/system.d"
