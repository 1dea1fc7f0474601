//! Addresses that leave the desk: the page about a call's other end in the CRM (CRM-1), a contact's web page,
//! a mail to a contact (DIR-8).
//!
//! Pages open in the browser tab (`page`) where there is one. Else, where a program was set up, it is run with the
//! address; otherwise the address is shown as a code for a
//! telephone or tablet beside the desk. What may pass is decided in `models::links`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ipc::{CallRef, CallView, ContactRow, Direction};
use qrcode::{Color, EcLevel, QrCode};
use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer, SharedString};

use super::Desk;
use crate::models::words::party_name;
use crate::models::{contacts, ledger, links};
use crate::screen::{ContactLink, LedgerEntry, LinkCard, LinkKind, RefusedCommand};

/// Light around the code, in modules, so that it is found (ISO/IEC 18004 asks for 4; the plate has more light).
const MARGIN: usize = 2;
/// Characters shown of an address that is refused.
const SHOWN: usize = 60;

impl Desk {
    /// Shows the page of a call, if it has one.
    pub(crate) fn open_crm(&mut self, call: CallRef) {
        let page = self.call(call).and_then(|view| Some((party_name(&view.party), view.crm.clone()?)));
        let Some((who, address)) = page else { return };
        match links::page(&address) {
            Ok(whole) => self.open_address(LinkKind::Customer, who, whole),
            Err(_) => self.refuse_address(&address),
        }
    }

    /// The e-mail or web icon of a contact.
    pub(crate) fn open_contact_link(&mut self, index: i32, link: ContactLink) {
        if !self.is_bound_to_contact(index) {
            return;
        }
        if let Some(contact) = self.contact(index) {
            self.open_link_of(&contact, link);
        }
    }

    /// A mail to a contact, or its web page.
    pub(crate) fn open_link_of(&mut self, contact: &ContactRow, link: ContactLink) {
        let who = SharedString::from(contacts::name(contact));
        match link {
            ContactLink::Mail => self.open_mail(who, &contact.email),
            ContactLink::Page => self.open_web(who, &contact.web),
        }
    }

    /// A mail to somebody, with the call in the ear as its subject.
    pub(crate) fn open_mail(&mut self, who: SharedString, address: &str) {
        let subject = self.view.talk.and_then(|call| self.call(call)).map(|call| self.subject(call));
        let subject = subject.unwrap_or_default();
        let whole = links::mail(address, &subject);
        let card = self.app.global::<LinkCard>();
        card.set_mailbox(links::mailbox(address).unwrap_or_default().into());
        card.set_about(subject.into());
        self.open_or_refuse(LinkKind::Mail, who, address, whole);
    }

    /// A web page, as somebody wrote its address.
    pub(crate) fn open_web(&mut self, who: SharedString, address: &str) {
        self.open_or_refuse(LinkKind::Page, who, address, links::page(address));
    }

    fn open_or_refuse(
        &mut self,
        kind: LinkKind,
        who: SharedString,
        written: &str,
        whole: Result<String, links::BadAddress>,
    ) {
        match whole {
            Ok(address) => self.open_address(kind, who, address),
            Err(problem) => {
                tracing::warn!(?problem, ?kind, "an address of a contact is not opened");
                self.refuse_address(written);
            }
        }
    }

    /// Runs this program with the address from now on; `None` shows a code instead.
    pub(crate) fn open_with(&mut self, program: Option<PathBuf>) {
        self.opener = program;
    }

    pub(crate) fn link_card_is_open(&self) -> bool {
        self.app.global::<LinkCard>().get_open()
    }

    pub(crate) fn close_link_card(&self) {
        self.app.global::<LinkCard>().set_open(false);
    }

    fn open_address(&mut self, kind: LinkKind, who: SharedString, address: String) {
        if kind != LinkKind::Mail && self.open_page(who.clone(), &address) {
            return;
        }
        if let Some(program) = self.opener.clone() {
            match run(&program, &address) {
                Ok(child) => reap(child),
                Err(error) => {
                    tracing::error!(program = %program.display(), "the program for addresses does not start: {error}");
                    self.notice_of(RefusedCommand::NoOpener, "");
                }
            }
            return;
        }
        let Some(code) = code(&address) else {
            tracing::warn!(length = address.len(), "an address is too long for a code");
            return self.refuse_address(&address);
        };
        let card = self.app.global::<LinkCard>();
        card.set_kind(kind);
        card.set_who(who);
        card.set_address(address.into());
        card.set_code(code);
        card.set_open(true);
    }

    fn refuse_address(&mut self, address: &str) {
        let shown: String = address.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
        self.notice_of(RefusedCommand::BadAddress, &shown);
    }

    /// A notice of the screen's own about something it refused.
    pub(crate) fn notice_of(&mut self, why: RefusedCommand, what: &str) {
        self.add_notice(|id| LedgerEntry { refused: why, who: what.into(), ..ledger::refused(id, None) });
    }

    /// "Call from Acme, +33 1 23 45 67 89, 14:05".
    fn subject(&self, call: &CallView) -> String {
        let mut who = party_name(&call.party).to_string();
        if let Some(company) = call.party.company.as_deref().filter(|company| !company.is_empty()) {
            who = format!("{who} ({company})");
        }
        let number = call.party.number.as_deref().unwrap_or_default();
        let ago = self.clock.at(Instant::now()).saturating_sub(call.began_ms);
        let outgoing = call.direction == Direction::Outgoing;
        let card = self.app.global::<LinkCard>();
        let time = crate::clock::time_before_now(ago);
        card.invoke_subject(who.into(), number.into(), time.into(), outgoing).into()
    }
}

/// Runs a program with the address as its only argument. No shell reads it.
fn run(program: &Path, address: &str) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn()
}

/// Waits for its end, so that nothing is left of it in the system's table; a browser may take all day.
fn reap(mut child: Child) {
    let waits = std::thread::Builder::new().name("address".into()).spawn(move || match child.wait() {
        Ok(status) if !status.success() => tracing::warn!(%status, "the program for addresses failed"),
        Ok(_) => {}
        Err(error) => tracing::warn!("nothing is known of the program for addresses: {error}"),
    });
    if let Err(error) = waits {
        tracing::warn!("no thread to wait for the program for addresses: {error}");
    }
}

/// One pixel a module. `None` for more than a code can hold, some 2,900 bytes.
fn code(address: &str) -> Option<Image> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    let (modules, colors) = (code.width(), code.to_colors());
    let width = modules + 2 * MARGIN;
    let side = u32::try_from(width).ok()?;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = ((at % width).checked_sub(MARGIN), (at / width).checked_sub(MARGIN));
        let dark = match (x, y) {
            (Some(x), Some(y)) if x < modules && y < modules => colors[y * modules + x] == Color::Dark,
            _ => false,
        };
        *pixel = if dark { Rgb8Pixel::new(0, 0, 0) } else { Rgb8Pixel::new(255, 255, 255) };
    }
    Some(Image::from_rgb8(pixels))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn dir_8_the_program_gets_the_address_as_one_argument_and_no_shell_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let (program, told) = (folder.path().join("open"), folder.path().join("told"));
        let script = format!("#!/bin/sh\nprintf '%s|%s' \"$#\" \"$1\" > '{}'\n", told.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let address = "https://acme.example/?a=$(id)&b=`id`;x";
        assert!(run(&program, address).unwrap().wait().unwrap().success());
        assert_eq!(std::fs::read_to_string(told).unwrap(), format!("1|{address}"));
        assert!(run(&folder.path().join("absent"), address).is_err());
    }

    #[test]
    fn an_address_becomes_a_square_with_light_around_it_and_an_endless_one_none() {
        let image = code("https://crm.example/?q=%2B33155570142");
        let side = image.map(|image| (image.size().width, image.size().height));
        // Version 2 has 25 modules: enough at level L, since the digits are packed.
        assert_eq!(side, Some((29, 29)));
        assert!(code(&"x".repeat(3000)).is_none());
    }
}
