//! The console for boards without a window system, in an image that was built with it (`image/build --kms`): it draws on the
//! display itself, hears the touch panel and the keyboard, and comes back when it is killed.

use std::time::Duration;

use frontdesk_tests::picture::Area;
use frontdesk_tests::screen::{CALLS, DIRECTORY, word};

use crate::guest::{BOOT, Disk, Guest, SOON};
use crate::lab::Lab;
use crate::shown::Shown;

/// The bar that leads from one pane to another.
const RAIL: Area = Area { x: 1204, y: 60, width: 76, height: 520 };
/// How long a touch may take to show.
const SEEN: Duration = Duration::from_secs(20);

/// All of it, in one start of the box.
pub(crate) fn show(lab: &Lab, shown: &mut Shown) {
    let disk = Disk::of(&lab.image, lab.folder(), "kms");
    let mut guest = Guest::boot(lab, &disk);
    let drawn = shown.show("app_3 linuxkms: the desk is on the screen, without a window system", || {
        guest.wait_shell(BOOT);
        guest.wait_picture("the desk", BOOT, |picture| {
            let text = picture.text(CALLS).to_lowercase();
            (text.contains("incoming") && text.contains("outgoing")).then_some(())
        });
        let unit = guest.succeed("systemctl is-active frontdesk-ui-kms; ! pidof cage");
        assert!(unit.starts_with("active"), "{unit}");
        format!("after {:.1} s; {}", guest.started.elapsed().as_secs_f64(), guest.keep("kms").display())
    });
    if !drawn {
        shown.note(&guest.run("journalctl -b --no-pager -u frontdesk-ui-kms | tail -30").text);
        return;
    }
    shown.show("hw_1 linuxkms: the first touch is heard", || {
        let settings =
            guest.wait_picture("the settings' place", SOON, |picture| word(picture, RAIL, "Settings"));
        guest.touch(settings.centre());
        guest.wait_picture("the settings", SEEN, |picture| word(picture, DIRECTORY, "Language").map(drop));
        guest.keep("kms-settings").display().to_string()
    });
    shown.show("hw_2 linuxkms: a key of the keypad is heard, and means what it does everywhere", || {
        guest.keys(&["esc"]);
        guest.wait_picture("the directory again", SEEN, |picture| {
            word(picture, DIRECTORY, "Language").is_none().then_some(())
        });
        String::new()
    });
    shown.show("app_4 linuxkms: killed, it is drawn again", || {
        let before = guest.succeed("pidof frontdesk-ui");
        guest.succeed("kill -9 $(pidof frontdesk-ui)");
        guest.wait_for("another screen", SOON, |guest| {
            let said = guest.run("pidof frontdesk-ui && frontdesk-ctl view | grep -q '\"screen\":true'");
            (said.status == 0 && said.text.trim() != before.trim()).then_some(())
        });
        guest.wait_picture("the desk", SOON, |picture| {
            picture.text(CALLS).to_lowercase().contains("incoming").then_some(())
        });
        String::new()
    });
    guest.power_off();
}
