SUMMARY = "Units, device rules and settings of the reception appliance"
DESCRIPTION = "What makes a box of the programs: hardened systemd units, users, device rules, mounts of the data partition, \
    and settings. The same files as those of the Debian image."
HOMEPAGE = "https://frontdesk.example/"
SECTION = "multimedia"
LICENSE = "GPL-3.0-or-later"
LIC_FILES_CHKSUM = "file://${FRONTDESK_TOP}/LICENSE;md5=1ebbd3e34237af26da5dc08a4e440464"

FRONTDESK_APPLIANCE = "${FRONTDESK_TOP}/firmware/appliance"
FILESEXTRAPATHS:prepend := "${FRONTDESK_APPLIANCE}:"
SRC_URI = "file://etc file://libexec file://repart.d file://sysusers file://tmpfiles file://udev file://units"
S = "${UNPACKDIR}"

inherit systemd useradd

# The screen here draws to the display itself: frontdesk-ui-kms.service. The other needs a compositor (cage), which none of the
# layers has.
FRONTDESK_UNITS_LEFT_OUT = "frontdesk-ui.service"

def frontdesk_units(d):
    """The units that are started: every one of firmware/appliance/units that has an [Install] section."""
    import os
    folder = os.path.join(d.getVar('FRONTDESK_APPLIANCE'), 'units')
    left_out = d.getVar('FRONTDESK_UNITS_LEFT_OUT').split()
    units = []
    bb.parse.mark_dependency(d, folder)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if not os.path.isfile(path) or name in left_out:
            continue
        bb.parse.mark_dependency(d, path)
        with open(path) as unit:
            if '[Install]\n' in unit:
                units.append(name)
    return ' '.join(units)

SYSTEMD_SERVICE:${PN} = "${@frontdesk_units(d)}"

# As in firmware/appliance/sysusers, with the same ids: the data partition outlives the image that made it, and on a read-only
# root nobody can be added later.
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "-r -g 950 frontdesk; -r -g 951 frontdesk-ui; -r -g 952 frontdesk-plugin; -r -g 953 frontdesk-keys"
USERADD_PARAM:${PN} = "\
    -r -u 950 -g frontdesk -G audio,frontdesk-plugin -M -d ${localstatedir}/lib/frontdesk -s /sbin/nologin -c 'Frontdesk desk' frontdesk; \
    -r -u 951 -g frontdesk-ui -G frontdesk,video,render,input -M -d ${localstatedir}/cache/frontdesk-ui -s /sbin/nologin -c 'Frontdesk screen' frontdesk-ui; \
    -r -u 952 -g frontdesk-plugin -M -d /data/plugins -s /sbin/nologin -c 'Frontdesk plugin host' frontdesk-plugin; \
    -r -u 953 -g frontdesk-keys -G frontdesk,input -M -d / -s /sbin/nologin -c 'Frontdesk keys' frontdesk-keys"

do_install() {
    install -d ${D}${sysconfdir} ${D}${systemd_system_unitdir}
    cp -R --no-preserve=ownership ${UNPACKDIR}/etc/. ${D}${sysconfdir}/
    for unit in ${UNPACKDIR}/units/*.*; do
        case " ${FRONTDESK_UNITS_LEFT_OUT} " in *" $(basename $unit) "*) continue ;; esac
        install -m0644 $unit ${D}${systemd_system_unitdir}/
    done
    # systemd's package has a unit of this name; that of /etc goes before it.
    install -d ${D}${sysconfdir}/systemd/system
    mv ${D}${systemd_system_unitdir}/emergency.service ${D}${sysconfdir}/systemd/system/
    # systemd here is newer than 254 and knows how to start again more and more slowly.
    for unit in frontdeskd frontdesk-ui-kms frontdesk-plugind frontdesk-controls; do
        install -Dm0644 ${UNPACKDIR}/units/drop-ins/back-off.conf ${D}${systemd_system_unitdir}/$unit.service.d/back-off.conf
    done
    install -Dm0644 ${UNPACKDIR}/units/drop-ins/reset-key.conf ${D}${systemd_system_unitdir}/frontdesk-controls.service.d/reset-key.conf
    install -d ${D}${nonarch_libdir}/sysusers.d ${D}${nonarch_libdir}/tmpfiles.d ${D}${nonarch_libdir}/repart.d \
        ${D}${nonarch_base_libdir}/udev/rules.d ${D}${libexecdir}/frontdesk
    install -m0644 ${UNPACKDIR}/sysusers/*.conf ${D}${nonarch_libdir}/sysusers.d/
    install -m0644 ${UNPACKDIR}/tmpfiles/*.conf ${D}${nonarch_libdir}/tmpfiles.d/
    install -m0644 ${UNPACKDIR}/repart.d/*.conf ${D}${nonarch_libdir}/repart.d/
    install -m0644 ${UNPACKDIR}/udev/*.rules ${D}${nonarch_base_libdir}/udev/rules.d/
    install -m0755 ${UNPACKDIR}/libexec/* ${D}${libexecdir}/frontdesk/
}

FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/sysusers.d ${nonarch_libdir}/tmpfiles.d \
    ${nonarch_libdir}/repart.d ${nonarch_base_libdir}/udev/rules.d"

# prepare-data: sync -f and remounts; open-mixer: amixer; mounts: fsck of ext4 and of the ESP; read-stick: mount, setpriv.
RDEPENDS:${PN} = "alsa-utils-amixer coreutils dosfstools e2fsprogs-e2fsck systemd util-linux-fsck util-linux-mount \
    util-linux-setpriv"
