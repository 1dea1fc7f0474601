# Displays, sound, keys and watchdog of boards and of virtual machines.
FILESEXTRAPATHS:prepend:frontdesk-box := "${THISDIR}/files:"
SRC_URI:append:frontdesk-box = " file://frontdesk.cfg"
