//! `/about`: which version this is, under which licence, and what of others is in it, with the text of every licence.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;
use ipc::LICENCE_TEXTS;
use maud::html;
use tokio::task::spawn_blocking;

use crate::{
    fault::Fault,
    guard::Signed,
    layout::{self, Place},
    pages::Page,
    text::{self, Text},
};

/// Most that is read of the texts, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// `GET /about`
pub(crate) async fn show(signed: Signed) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let parts: Vec<_> = ipc::third_parties()
        .map(|part| vec![html! { (part.name) }, html! { (part.version) }, html! { (part.licence) }])
        .collect();
    let facts = [
        (t(text::VERSION), html! { (signed.app.config.version) }),
        (t(text::LICENSE), html! { "GPL-3.0-or-later" }),
    ];
    let has_texts = spawn_blocking(|| Path::new(LICENCE_TEXTS).is_file()).await.unwrap_or(false);
    let caption = text::ABOUT_CAPTION.with(language, &[("count", &parts.len())]);
    let heads = [t(text::NAME), t(text::VERSION), t(text::LICENSE)];
    let body = html! {
        (layout::facts("about", &facts))
        p { (t(text::ABOUT_FREE)) }
        p { (t(text::ABOUT_SOURCE)) }
        section aria-labelledby="made-of-title" {
            h2 #made-of-title { (t(text::ABOUT_MADE_OF)) }
            @if has_texts {
                p { a #licence-texts href="/about/licences.txt" { (t(text::ABOUT_TEXTS)) } }
            } @else {
                p.note { (t(text::ABOUT_NO_TEXTS)) }
            }
            (layout::table("made-of", &caption, &heads, &parts))
        }
    };
    layout::page(&signed, Place::About, t(text::ABOUT_MENU), body)
}

/// `GET /about/licences.txt`
pub(crate) async fn texts(signed: Signed) -> Page {
    match spawn_blocking(|| unpacked(Path::new(LICENCE_TEXTS))).await {
        Ok(Ok(texts)) => Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], texts).into_response()),
        Ok(Err(problem)) => {
            tracing::debug!(%problem, "{LICENCE_TEXTS}");
            Err(Fault::new(StatusCode::NOT_FOUND, signed.language, text::ABOUT_NO_TEXTS).into_response())
        }
        Err(_) => {
            Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, signed.language, text::SYSTEM_FAILED)
                .into_response())
        }
    }
}

fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    let mut texts = Vec::new();
    GzDecoder::new(File::open(path)?).take(LARGEST).read_to_end(&mut texts)?;
    Ok(texts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn texts_are_unpacked_to_a_limit_and_a_broken_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.gz");
        let pack = |bytes: &[u8]| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(bytes).unwrap();
            packed.finish().unwrap()
        };
        std::fs::write(&path, pack("Permission is hereby granted – ©".as_bytes())).unwrap();
        assert_eq!(unpacked(&path).unwrap(), "Permission is hereby granted – ©".as_bytes());
        let large = usize::try_from(LARGEST).unwrap() + 1000;
        std::fs::write(&path, pack(&vec![b'a'; large])).unwrap();
        assert_eq!(unpacked(&path).unwrap().len() as u64, LARGEST);
        let whole = pack(b"Permission is hereby granted");
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(unpacked(&path).is_err());
        assert!(unpacked(&folder.path().join("none.gz")).is_err());
    }
}
