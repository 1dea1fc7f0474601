//! `/lines/tls`: whom encrypted connections to exchanges trust, and what the desk shows of itself.

use axum::response::Response;
use ipc::Language;
use maud::{Markup, html};
use store::{Certificate, Secret, Tls};

use crate::{
    app::now_ms,
    fields::Fields,
    form::{Form, Refused, Wrong},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::wrong,
    text::{self, Text},
};

/// Where it is.
pub(crate) const PATH: &str = "/lines/tls";

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// `GET /lines/tls`
pub(crate) async fn show(signed: Signed) -> Page {
    Ok(page(&signed, &lines::settings(&signed).await?.tls, None))
}

/// `POST /lines/tls`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    let known = lines::settings(&signed).await?.tls;
    let wrong = match take(&signed, &fields, &known).await {
        Ok(()) => {
            return Ok(signed.saved("/lines", "TLS").await);
        }
        Err(wrong) => wrong,
    };
    Ok(page(&signed, &known, Some(Refused { typed: &fields, wrong: &wrong })))
}

async fn take(signed: &Signed, fields: &Fields, known: &Tls) -> Result<(), Wrong> {
    let typed = typed(fields, known);
    refuse_ended(&typed, known, signed.language)?;
    let changed = signed.app.change_settings(move |settings| {
        settings.tls = typed;
        Ok(())
    });
    changed.await.map_err(|problem| wrong(&problem, "tls", signed.language))
}

/// What was typed. A key that stands in the text of the certificate, as in files that have both, is taken for the key
/// where none is typed; without one the key that is known stays.
fn typed(fields: &Fields, known: &Tls) -> Tls {
    let plain = |name: &str| fields.get(name).replace("\r\n", "\n").trim().to_owned();
    let (mut certificate, mut key) = (plain("certificate"), plain("key"));
    if key.is_empty()
        && let Some((rest, found)) = without_key(&certificate)
    {
        (certificate, key) = (rest, found);
    }
    let unchanged = known.certificate.as_deref().is_some_and(|known| known.trim() == certificate);
    Tls {
        ca: each(&plain("ca")),
        certificate: Some(certificate).filter(|text| !text.is_empty()),
        key: if key.is_empty() && unchanged { known.key.clone() } else { Secret::new(key) },
        verify: fields.has("verify"),
    }
}

/// Nobody means to set a certificate that counts no more; one that has expired since it was set may stay.
fn refuse_ended(typed: &Tls, known: &Tls, language: Language) -> Result<(), Wrong> {
    let fresh = Tls {
        ca: typed.ca.iter().filter(|text| !known.ca.contains(text)).cloned().collect(),
        certificate: typed.certificate.clone().filter(|_| typed.certificate != known.certificate),
        ..Tls::default()
    };
    let (authorities, own) = fresh.certificates();
    for (field, certificates) in [("ca", authorities), ("certificate", own)] {
        if let Some(Certificate { subject, until_ms, .. }) = certificates.into_iter().find(has_ended) {
            let day = layout::day(until_ms);
            let words = text::WHY_EXPIRED.with(language, &[("name", &subject), ("day", &day)]);
            return Err(Wrong::at(field, words));
        }
    }
    Ok(())
}

fn has_ended(certificate: &Certificate) -> bool {
    certificate.until_ms <= now_ms()
}

/// Each certificate of a text; the whole text where something else stands in it than certificates and remarks.
fn each(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, at)) = rest.split_once(BEGIN) {
        let Some((body, after)) = at.split_once(END) else { break };
        if before.contains("-----") {
            break;
        }
        found.push(format!("{BEGIN}{body}{END}\n"));
        rest = after;
    }
    let is_remark = !rest.contains("-----") && (!found.is_empty() || rest.trim().is_empty());
    if is_remark { found } else { vec![text.to_owned()] }
}

/// A text without the private key in it, and that key.
fn without_key(text: &str) -> Option<(String, String)> {
    let label = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]
        .into_iter()
        .find(|label| text.contains(&format!("-----BEGIN {label}-----")))?;
    let (before, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, after) = rest.split_once(&format!("-----END {label}-----"))?;
    let key = format!("-----BEGIN {label}-----{body}-----END {label}-----\n");
    let rest = [before.trim(), after.trim()].join("\n").trim().to_owned();
    Some((rest, key))
}

/// The section of the lines' page.
pub(crate) fn section(signed: &Signed, tls: &Tls) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let (authorities, own) = tls.certificates();
    let list = |certificates: &[Certificate], none: Text| {
        html! {
            @if certificates.is_empty() { (t(none)) }
            @for certificate in certificates { div { (certificate.subject) " " (counts(certificate, signed.language)) } }
        }
    };
    html! {
        section aria-labelledby="tls-title" {
            h2 #tls-title { (t(text::TLS_TITLE)) }
            p.lead { (t(text::TLS_INTRO)) }
            (warning(tls, signed.language))
            (layout::facts("tls", &[
                (t(text::TLS_CHECK), html! {
                    @if tls.verify { span.badge.good { (t(text::TLS_CHECKED)) } }
                    @else { span.badge.bad { (t(text::TLS_UNCHECKED)) } }
                }),
                (t(text::TLS_AUTHORITIES), list(&authorities, text::TLS_AUTHORITIES_NONE)),
                (t(text::TLS_OWN), list(&own, text::TLS_OWN_NONE)),
            ]))
            @if signed.may_write() { p { a.button #change-tls href=(PATH) { (t(text::TLS_CHANGE)) } } }
        }
    }
}

fn counts(certificate: &Certificate, language: Language) -> Markup {
    let day = layout::day(certificate.until_ms);
    html! {
        @if has_ended(certificate) { span.badge.bad { (text::TLS_ENDED.with(language, &[("day", &day)])) } }
        @else { span.note { (text::TLS_UNTIL.with(language, &[("day", &day)])) } }
    }
}

fn warning(tls: &Tls, language: Language) -> Markup {
    html! { @if !tls.verify { p.alert.bad #unchecked { (text::TLS_WARNING.is(language)) } } }
}

fn page(signed: &Signed, known: &Tls, refused: Option<Refused<'_>>) -> Response {
    let t = |text: Text| text.is(signed.language);
    let form = Form::new(signed, refused);
    let key_hint = if known.key.is_empty() { text::CERTIFICATE_KEY_HINT } else { text::TLS_KEY_SET };
    let own = known.certificate.clone().unwrap_or_default();
    let body = html! {
        (form.problem())
        (warning(known, signed.language))
        section {
            p.lead { (t(text::TLS_INTRO)) }
            (form.around("tls", PATH, html! {
                (form.tick("verify", t(text::TLS_VERIFY), known.verify))
                (form.area("ca", text::TLS_CA, &known.ca.concat(), Some(text::TLS_CA_HINT), 8))
                (form.area("certificate", text::TLS_CERTIFICATE, &own, Some(text::TLS_CERTIFICATE_HINT), 8))
                (form.secret_area("key", text::TLS_KEY, key_hint, 4))
            }))
        }
        p { a href="/lines" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Lines, t(text::TLS_TITLE), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_5_certificates_are_told_apart_and_remarks_left_out() {
        let one = format!("{BEGIN}\nAAA\n{END}\n");
        assert_eq!(each(&format!("first:\n{one}second:\n{one}\nend")), [one.clone(), one.clone()]);
        assert_eq!(each(""), Vec::<String>::new());
        // What is something else goes to the store as it is, which says what it is not.
        for text in ["hello".to_owned(), format!("{one}{BEGIN}\nAAA"), format!("-----BEGIN X-----\n{one}")] {
            assert_eq!(each(&text), [text]);
        }
    }

    #[test]
    fn acc_5_a_key_beside_the_certificate_is_found() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nKKK\n-----END EC PRIVATE KEY-----\n";
        let certificate = format!("{BEGIN}\nAAA\n{END}");
        for text in [format!("{key}{certificate}"), format!("{certificate}\n{key}")] {
            assert_eq!(without_key(&text), Some((certificate.clone(), key.to_owned())));
        }
        assert_eq!(without_key(&certificate), None);
        assert_eq!(without_key("-----BEGIN PRIVATE KEY-----\nKKK"), None);
    }
}
