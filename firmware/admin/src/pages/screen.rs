//! `/screen`: an administrator sees the touchscreen, if the operator allows it (APP-2). Looked at only: nothing that
//! is done here reaches the desk but the wish to watch and its end.

use std::time::Instant;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{
    audit::Act,
    fault::Fault,
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::Page,
    text::{self, Text},
    watching::Live,
};

/// How it stands between one administrator and the screen.
#[derive(Debug)]
enum Standing {
    NoScreen,
    Nobody,
    Asked,
    Watched,
    Refused,
    Other(String),
}

/// `GET /screen`
pub(crate) async fn show(signed: Signed) -> Page {
    if let Some(refused) = refused(&signed) {
        return Err(refused);
    }
    let standing = standing(&signed);
    if matches!(standing, Standing::Asked | Standing::Watched) {
        signed.app.watching.looked(Instant::now());
    }
    let body = html! {
        p.lead { (text::SCREEN_INTRO.is(signed.language)) }
        (live(&signed, &standing))
    };
    // Who has no JavaScript sees what there is every other second.
    let head = html! { noscript { meta http-equiv="refresh" content="2"; } };
    Ok(layout::page_with(&signed, Place::Screen, text::SCREEN.is(signed.language), &head, body))
}

/// `GET /screen/picture`: the newest, for who watches; 204 when it has not come yet.
pub(crate) async fn picture(signed: Signed) -> Page {
    if let Some(refused) = refused(&signed) {
        return Err(refused);
    }
    match standing(&signed) {
        Standing::Asked | Standing::Watched => signed.app.watching.looked(Instant::now()),
        _ => {
            let fault = Fault::new(StatusCode::NOT_FOUND, signed.language, text::SCREEN_NO_PICTURE);
            return Err(fault.into_response());
        }
    }
    Ok(match signed.app.watching.now() {
        Live { watch: Some(watch), picture: Some(picture), .. } if watch.allowed == Some(true) => {
            ([(header::CONTENT_TYPE, "image/png")], picture.to_vec()).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `POST /screen/watch`
pub(crate) async fn ask(Posted { signed, .. }: Posted) -> Response {
    if !signed.app.desk.watch(Some(signed.session.name.clone())).await {
        return signed.failed("/screen", text::SCREEN_NOT_ASKED.is(signed.language));
    }
    signed.app.watching.looked(Instant::now());
    signed.app.audit(&signed.actor(), Act::ScreenAsked, "").await;
    layout::go("/screen")
}

/// `POST /screen/stop`
pub(crate) async fn stop(Posted { signed, .. }: Posted) -> Response {
    if matches!(standing(&signed), Standing::Asked | Standing::Watched | Standing::Refused) {
        signed.app.desk.watch(None).await;
        signed.app.audit(&signed.actor(), Act::ScreenLeft, "").await;
    }
    signed.done("/screen", text::SCREEN_ENDED.is(signed.language))
}

/// What is said to who is no administrator.
fn refused(signed: &Signed) -> Option<Response> {
    if signed.may_write() {
        return None;
    }
    Some(Fault::new(StatusCode::FORBIDDEN, signed.language, text::READS_ONLY).into_response())
}

fn standing(signed: &Signed) -> Standing {
    let Live { screens, watch, .. } = signed.app.watching.now();
    match watch {
        Some(watch) if watch.who == signed.session.name => match watch.allowed {
            None => Standing::Asked,
            Some(true) => Standing::Watched,
            Some(false) => Standing::Refused,
        },
        Some(watch) if watch.allowed != Some(false) => Standing::Other(watch.who),
        _ if screens == 0 => Standing::NoScreen,
        _ => Standing::Nobody,
    }
}

fn live(signed: &Signed, standing: &Standing) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let (word, words) = match standing {
        Standing::NoScreen => ("none", t(text::SCREEN_NONE).to_owned()),
        Standing::Nobody => ("nobody", t(text::SCREEN_NOBODY).to_owned()),
        Standing::Asked => ("asked", t(text::SCREEN_ASKED).to_owned()),
        Standing::Watched => ("watched", t(text::SCREEN_WATCHED).to_owned()),
        Standing::Refused => ("refused", t(text::SCREEN_REFUSED).to_owned()),
        Standing::Other(name) => ("other", text::SCREEN_OTHER.with(signed.language, &[("name", name)])),
    };
    html! {
        section #live data-state=(word) aria-label=(t(text::SCREEN)) {
            p #standing-of-screen role="status" { (words) }
            @match standing {
                Standing::Nobody | Standing::Refused => {
                    (layout::action(signed, "watch", "/screen/watch", t(text::SCREEN_ASK), ""))
                }
                Standing::Asked => {
                    (layout::action(signed, "stop", "/screen/stop", t(text::SCREEN_STOP), "quiet"))
                }
                Standing::Watched => {
                    (layout::action(signed, "stop", "/screen/stop", t(text::SCREEN_STOP), ""))
                    img #picture src="/screen/picture" alt=(t(text::SCREEN_PICTURE));
                }
                Standing::NoScreen | Standing::Other(_) => {}
            }
        }
    }
}
