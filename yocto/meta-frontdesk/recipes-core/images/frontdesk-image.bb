SUMMARY = "The reception appliance: disk with two read-only roots and a data partition"
DESCRIPTION = "A slot is one whole: kernel, initrd and root in one squashfs, which GRUB reads. Nothing is laid over the root; what \
    has to last is on the data partition, /var is memory."
LICENSE = "GPL-3.0-or-later"

# The version has the commit in it, which changes without any file of the layer.
BB_DONT_CACHE = "1"

inherit core-image
# nooelint: oelint.file.requirenotfound - it is OpenEmbedded's
require conf/image-uefi.conf

# No debug-tweaks, no SSH, no package manager.
IMAGE_FEATURES = "read-only-rootfs"
IMAGE_LINGUAS = ""
IMAGE_INSTALL = "\
    packagegroup-core-boot \
    frontdesk \
    frontdesk-appliance \
    iproute2 \
    kernel-image \
    kernel-modules \
    os-release \
    rauc \
    rauc-conf \
"
# frontdesk-rauc.service stands in the place of RAUC's own, whose policy lets everybody install; and a slot is marked good when
# calls, screen and lines are well (frontdesk-health.service), not because the system has started.
BAD_RECOMMENDATIONS = "rauc-mark-good rauc-service"

# gzip: GRUB reads no zstd.
IMAGE_FSTYPES = "squashfs wic.zst wic.bmap"
# nooelint: oelint.vars.specific - wic is a kind of image
IMAGE_TYPEDEP:wic = "squashfs"
WKS_FILE = "frontdesk.wks.in"
WKS_FILE_DEPENDS = "dosfstools-native e2fsprogs-native mtools-native parted-native util-linux-native"
do_image_wic[depends] += "frontdesk-boot:do_deploy grub-efi:do_deploy"
# A board's own files, such as those of a Raspberry Pi, are in its machine's IMAGE_BOOT_FILES.
IMAGE_BOOT_FILES:append = "\
    grub-efi-${EFI_BOOT_IMAGE};EFI/BOOT/${EFI_BOOT_IMAGE} \
    frontdesk-grub.cfg;EFI/BOOT/grub.cfg \
    frontdesk-grubenv;grub/grubenv \
"

do_rootfs[depends] += "frontdesk-initramfs:do_image_complete"

# What systemd would start to talk to somebody at a terminal, and what would wait for the network.
FRONTDESK_MASKED = "getty.target getty@.service serial-getty@.service console-getty.service container-getty@.service \
    autovt@.service ctrl-alt-del.target debug-shell.service rescue.service systemd-networkd-wait-online.service \
    systemd-update-utmp.service alsa-restore.service alsa-state.service"

frontdesk_rootfs() {
    root=${IMAGE_ROOTFS}
    install -d $root${sysconfdir}/systemd/system $root/data $root/boot/efi $root/media
    for unit in ${FRONTDESK_MASKED}; do
        ln -sf /dev/null $root${sysconfdir}/systemd/system/$unit
    done
    # Everything is mounted by units.
    : > $root${sysconfdir}/fstab
    # As grub.cfg has them.
    rm -f $root/boot/${KERNEL_IMAGETYPE}
    mv $root/boot/${KERNEL_IMAGETYPE}-* $root/boot/vmlinuz
    install -m0644 ${DEPLOY_DIR_IMAGE}/frontdesk-initramfs-${MACHINE}.cpio.gz $root/boot/initrd
    # What the administrator's page calls the version.
    install -d $root${datadir}/frontdesk
    echo "${FRONTDESK_VERSION}" > $root${datadir}/frontdesk/version
    printf 'IMAGE_ID=frontdesk\nIMAGE_VERSION=%s\n' "${FRONTDESK_VERSION}" >> $root${nonarch_libdir}/os-release
    # A board without a clock starts at the time of its image, not in 1970.
    touch -d "@${REPRODUCIBLE_TIMESTAMP_ROOTFS}" $root${nonarch_libdir}/clock-epoch
}
ROOTFS_POSTPROCESS_COMMAND += "frontdesk_rootfs"
