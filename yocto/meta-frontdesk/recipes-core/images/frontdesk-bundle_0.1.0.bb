SUMMARY = "The signed update of the reception appliance"
DESCRIPTION = "One slot, signed by the builder's key (yocto/make-keys). Uploaded on the administrator's page or put on a USB stick."
HOMEPAGE = "https://frontdesk.example/"
LICENSE = "GPL-3.0-or-later"

# The slot comes from the image, the manifest from the class.
SRC_URI = ""

inherit bundle

# The version has the commit in it, which changes without any file of the layer.
BB_DONT_CACHE = "1"

RAUC_BUNDLE_COMPATIBLE = "${FRONTDESK_COMPATIBLE}"
RAUC_BUNDLE_VERSION = "${FRONTDESK_VERSION}"
RAUC_BUNDLE_DESCRIPTION = "Frontdesk ${FRONTDESK_VERSION} for ${MACHINE}"
# Blocks are checked when they are read, so that a bundle cannot be exchanged after its signature was looked at.
RAUC_BUNDLE_FORMAT = "verity"
RAUC_BUNDLE_SLOTS = "rootfs"
RAUC_SLOT_rootfs = "frontdesk-image"
RAUC_SLOT_rootfs[fstype] = "squashfs"
RAUC_SLOT_rootfs[rename] = "root.img"

RAUC_KEY_FILE = "${FRONTDESK_KEYS}/builder.key"
RAUC_CERT_FILE = "${FRONTDESK_KEYS}/builder.pem"
