# As for every other board: squashfs is a module in the board's own settings, and the root is one.
FILESEXTRAPATHS:prepend:frontdesk-box := "${THISDIR}/../../../../recipes-kernel/linux/files:"
SRC_URI:append:frontdesk-box = " file://frontdesk.cfg"
