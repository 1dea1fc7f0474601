# system.conf is that of firmware/appliance/rauc; the keyring is the builder's own.
FILESEXTRAPATHS:prepend:frontdesk-box := "${FRONTDESK_TOP}/firmware/appliance/rauc:${FRONTDESK_KEYS}:"
RAUC_KEYRING_FILE:frontdesk-box = "keyring.pem"

# Who may speak to RAUC on the bus. RAUC's own file of this name, which lets everybody, is in rauc-service: not in the image.
SRC_URI:append:frontdesk-box = " file://de.pengutronix.rauc.conf"
PACKAGE_ARCH:frontdesk-box = "${MACHINE_ARCH}"

do_install:append:frontdesk-box() {
    # Where system.conf names the keyring, and where an administrator looks.
    install -d ${D}${sysconfdir}
    mv ${D}${nonarch_libdir}/rauc ${D}${sysconfdir}/rauc
    sed -i 's/^compatible=.*/compatible=${FRONTDESK_COMPATIBLE}/' ${D}${sysconfdir}/rauc/system.conf
    install -Dm0644 ${UNPACKDIR}/de.pengutronix.rauc.conf ${D}${datadir}/dbus-1/system.d/de.pengutronix.rauc.conf
}

FILES:${PN}:append:frontdesk-box = " ${datadir}/dbus-1/system.d"
