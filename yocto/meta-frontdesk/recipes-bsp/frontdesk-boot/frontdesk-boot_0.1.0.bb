SUMMARY = "GRUB's settings: which slot is started"
DESCRIPTION = "grub.cfg of firmware/appliance, and the file in which RAUC and GRUB note which slot is good and which was tried."
HOMEPAGE = "https://frontdesk.example/"
SECTION = "bootloaders"
LICENSE = "GPL-3.0-or-later"
LIC_FILES_CHKSUM = "file://${FRONTDESK_TOP}/LICENSE;md5=1ebbd3e34237af26da5dc08a4e440464"

FILESEXTRAPATHS:prepend := "${FRONTDESK_TOP}/firmware/appliance/grub:"
DEPENDS = "grub-native"
SRC_URI = "file://grub.cfg"
S = "${UNPACKDIR}"

inherit deploy nopackages

do_compile() {
    grub-editenv ${B}/grubenv create
    grub-editenv ${B}/grubenv set "ORDER=A B" A_OK=1 B_OK=0 A_TRY=0 B_TRY=0
}

do_deploy() {
    install -Dm0644 ${UNPACKDIR}/grub.cfg ${DEPLOYDIR}/frontdesk-grub.cfg
    install -Dm0644 ${B}/grubenv ${DEPLOYDIR}/frontdesk-grubenv
}
addtask deploy after do_compile before do_build
