# meta-rust-bin was written when bitbake unpacked into WORKDIR; in wrynose that is UNPACKDIR. S is set there in such a function
# as well, so that nothing else comes after it.
# nooelint: oelint.task.noanonpython,oelint.vars.noncoreoverride
python __anonymous() {
    if d.getVar('DISTRO') == 'frontdesk-box':
        d.setVar('S', d.getVar('S', False).replace('${WORKDIR}/', '${UNPACKDIR}/'))
}
