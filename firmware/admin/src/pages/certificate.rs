//! `/certificate`: what browsers see, and another one in its place.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use maud::html;
use tokio::task::spawn_blocking;

use crate::{
    CertificateProblem,
    app::App,
    audit::Act,
    guard::{Posted, PostedParts, Signed},
    layout::{self, Place},
    pages::{Page, words},
    parts::whole,
    text::{self, Text},
    tls::{Facts, MAX_PEM},
};

/// `GET /certificate`
pub(crate) async fn show(signed: Signed) -> Response {
    let t = |text: Text| text.is(signed.language);
    let facts = signed.app.certificates.facts();
    let missing: Vec<String> = signed.app.certificates.missing().iter().map(ToString::to_string).collect();
    let body = html! {
        section aria-labelledby="now-title" {
            h2 #now-title { (t(text::CERTIFICATE_NOW)) }
            @if facts.own { p { (t(text::CERTIFICATE_OWN)) } }
            @if !missing.is_empty() {
                p.alert #certificate-missing {
                    (text::CERTIFICATE_MISSING.with(signed.language, &[("addresses", &missing.join(", "))]))
                }
            }
            (layout::facts("certificate", &[
                (t(text::CERTIFICATE_SUBJECT), html! { (facts.subject) }),
                (t(text::CERTIFICATE_ISSUER), html! { (facts.issuer) }),
                (t(text::CERTIFICATE_NAMES), html! { (facts.names.join(", ")) }),
                (t(text::CERTIFICATE_FROM), layout::moment(facts.from_ms)),
                (t(text::CERTIFICATE_UNTIL), layout::moment(facts.until_ms)),
                (t(text::FINGERPRINT), html! { code #fingerprint { (facts.fingerprint) } }),
            ]))
        }
        @if signed.may_write() {
            section aria-labelledby="upload-title" {
                h2 #upload-title { (t(text::CERTIFICATE_UPLOAD)) }
                form method="post" action="/certificate" enctype="multipart/form-data" {
                    (layout::token(&signed))
                    div.field {
                        label for="chain" { (t(text::CERTIFICATE_CHAIN)) }
                        input #chain name="chain" type="file" accept=".pem,.crt,.cer" required;
                    }
                    div.field {
                        label for="key" { (t(text::CERTIFICATE_KEY)) }
                        input #key name="key" type="file" accept=".pem,.key" required aria-describedby="key-hint";
                        p.hint #key-hint { (t(text::CERTIFICATE_KEY_HINT)) }
                    }
                    button #upload-certificate type="submit" { (t(text::CERTIFICATE_UPLOAD)) }
                }
                @if !facts.own {
                    (layout::action(&signed, "own-certificate", "/certificate/own", t(text::CERTIFICATE_USE_OWN), "quiet"))
                } @else if !missing.is_empty() {
                    (layout::action(&signed, "own-certificate", "/certificate/own", t(text::CERTIFICATE_RENEW), "quiet"))
                }
            }
        }
    };
    layout::page(&signed, Place::Certificate, t(text::CERTIFICATE), body)
}

/// `POST /certificate`
pub(crate) async fn replace(PostedParts { signed, mut parts, .. }: PostedParts) -> Page {
    let (mut chain, mut key) = (String::new(), String::new());
    while let Some(field) = parts.next().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let pem = whole(field, MAX_PEM).await;
        match (name.as_str(), pem) {
            // What is no text has no certificate in it, and is said to have none.
            ("chain", Ok(pem)) => chain = String::from_utf8(pem).unwrap_or_default(),
            ("key", Ok(pem)) => key = String::from_utf8(pem).unwrap_or_default(),
            _ => return Err(signed.fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE)),
        }
    }
    Ok(finish(&signed, take(&signed.app, chain, key).await).await)
}

/// `POST /certificate/own`
pub(crate) async fn use_own(Posted { signed, .. }: Posted) -> Response {
    let certificates = Arc::clone(&signed.app.certificates);
    let done = spawn_blocking(move || certificates.use_own()).await;
    let done = done.unwrap_or_else(|error| Err(CertificateProblem::Disk(std::io::Error::other(error))));
    finish(&signed, done).await
}

/// Takes a certificate, off the runtime's threads: it is written to the disk.
pub(crate) async fn take(app: &App, chain: String, key: String) -> Result<Facts, CertificateProblem> {
    let certificates = Arc::clone(&app.certificates);
    let done = spawn_blocking(move || certificates.replace(&chain, &key)).await;
    done.unwrap_or_else(|error| Err(CertificateProblem::Disk(std::io::Error::other(error))))
}

async fn finish(signed: &Signed, done: Result<Facts, CertificateProblem>) -> Response {
    match done {
        Ok(facts) => {
            signed.app.audit(&signed.actor(), Act::CertificateReplaced, facts.fingerprint).await;
            signed.done("/certificate", text::CERTIFICATE_TAKEN.is(signed.language))
        }
        Err(problem) => {
            let said = words::certificate(&problem, signed.language);
            signed.failed("/certificate", said.line(signed.language))
        }
    }
}
