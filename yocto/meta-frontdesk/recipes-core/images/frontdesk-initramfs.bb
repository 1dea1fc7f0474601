SUMMARY = "The first program of the box: finds the slot that GRUB has chosen and mounts it"
DESCRIPTION = "firmware/appliance/image/init with busybox, as a cpio archive. The image puts it into the slot, beside its kernel, where GRUB reads both."
LICENSE = "GPL-3.0-or-later"

inherit image

IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "cpio.gz"
IMAGE_NAME_SUFFIX = ""
IMAGE_ROOTFS_SIZE = "8192"
IMAGE_ROOTFS_EXTRA_SPACE = "0"
# What disks need is built into the kernel (recipes-kernel/linux/files/frontdesk.cfg): no module is loaded before the slot is there.
PACKAGE_INSTALL = "busybox"
NO_RECOMMENDATIONS = "1"

FRONTDESK_INIT = "${FRONTDESK_TOP}/firmware/appliance/image/init"
do_rootfs[file-checksums] += "${FRONTDESK_INIT}:True"

frontdesk_initramfs() {
    install -m0755 ${FRONTDESK_INIT} ${IMAGE_ROOTFS}/init
    install -d ${IMAGE_ROOTFS}/proc ${IMAGE_ROOTFS}/sys ${IMAGE_ROOTFS}/dev ${IMAGE_ROOTFS}/root
    # The script looks in /bin for all of its programs.
    for name in sh mount find cat sort cmp mv modprobe grep sed usleep switch_root reboot; do
        [ -e ${IMAGE_ROOTFS}${base_bindir}/$name ] || ln -s busybox ${IMAGE_ROOTFS}${base_bindir}/$name
    done
}
ROOTFS_POSTPROCESS_COMMAND += "frontdesk_initramfs"
