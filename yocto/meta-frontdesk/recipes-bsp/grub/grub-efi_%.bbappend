# What firmware/appliance/grub/grub.cfg uses: it reads kernel and initrd out of a slot's squashfs.
GRUB_BUILDIN:append:frontdesk-box = " echo gzio reboot regexp search_fs_file squash4"
