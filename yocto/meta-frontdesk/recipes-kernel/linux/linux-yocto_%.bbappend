# Displays, sound, keys and watchdog of boards and of virtual machines.
FILESEXTRAPATHS:prepend:frontdesk := "${THISDIR}/files:"
SRC_URI:append:frontdesk = " file://frontdesk.cfg"
