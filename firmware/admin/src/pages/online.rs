//! `/directories/online`: the account at an XMPP server by which the desk sees who is online (PRE-5).

use axum::response::Response;
use maud::{Markup, html};
use store::{Secret, Xmpp};

use crate::{
    fields::Fields,
    form::{Form, Refused, optional},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::{said, wrong},
    text::{self, Text},
};

/// Where it is.
pub(crate) const PATH: &str = "/directories/online";

/// `GET /directories/online`
pub(crate) async fn show(signed: Signed) -> Page {
    let known = lines::settings(&signed).await?.xmpp;
    Ok(page(&signed, known.as_ref(), None))
}

/// `POST /directories/online`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    let known = lines::settings(&signed).await?.xmpp;
    let wanted = typed(&fields);
    let changed = signed.app.change_settings(move |settings| {
        settings.xmpp = Some(wanted.in_place_of(settings.xmpp.as_ref())?);
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(signed.saved("/directories", "XMPP").await),
        Err(problem) => {
            let wrong = wrong(&problem, "xmpp", signed.language);
            Ok(page(&signed, known.as_ref(), Some(Refused { typed: &fields, wrong: &wrong })))
        }
    }
}

/// `POST /directories/online/remove`
pub(crate) async fn remove(Posted { signed, .. }: Posted) -> Page {
    let changed = signed.app.change_settings(|settings| {
        settings.xmpp = None;
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(signed.saved("/directories", "XMPP").await),
        Err(problem) => Ok(signed.failed(PATH, said(&problem, signed.language))),
    }
}

fn typed(fields: &Fields) -> Xmpp {
    Xmpp {
        address: fields.get("address").trim().to_owned(),
        password: Secret::new(fields.get("password")),
        server: optional(fields, "server"),
        ca: optional(fields, "ca"),
    }
}

/// The section of the directories' page.
pub(crate) fn section(signed: &Signed, known: Option<&Xmpp>) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        section aria-labelledby="online-title" {
            h2 #online-title { (t(text::ONLINE_TITLE)) }
            @match known {
                Some(xmpp) => {
                    @if let Some(reason) = signed.app.troubles.borrow().get(&xmpp.address) {
                        p.alert.bad #online-trouble role="alert" {
                            (text::ONLINE_TROUBLE.with(signed.language, &[("reason", reason)]))
                        }
                    }
                    (layout::facts("online", &[(t(text::ONLINE_ADDRESS), html! { (xmpp.address) })]))
                },
                None => p.empty { (t(text::ONLINE_NONE)) },
            }
            @if signed.may_write() { p { a.button #change-online href=(PATH) { (t(text::ONLINE_CHANGE)) } } }
        }
    }
}

fn page(signed: &Signed, known: Option<&Xmpp>, refused: Option<Refused<'_>>) -> Response {
    let t = |text: Text| text.is(signed.language);
    let form = Form::new(signed, refused);
    let has_password = known.is_some_and(|known| !known.password.is_empty());
    let password_hint = if has_password { text::ONLINE_PASSWORD_SET } else { text::ONLINE_PASSWORD_NONE };
    let maybe = |text: Option<&String>| text.cloned().unwrap_or_default();
    let body = html! {
        (form.problem())
        section {
            p.lead { (t(text::ONLINE_INTRO)) }
            (form.around("online", PATH, html! {
                (form.text("address", text::ONLINE_ADDRESS, &maybe(known.map(|known| &known.address)), Some(text::ONLINE_ADDRESS_HINT), true))
                (form.secret("password", text::PASSWORD, password_hint, !has_password))
                (form.text("server", text::ONLINE_SERVER, &maybe(known.and_then(|known| known.server.as_ref())), Some(text::ONLINE_SERVER_HINT), false))
                (form.text("ca", text::ONLINE_CA, &maybe(known.and_then(|known| known.ca.as_ref())), Some(text::ONLINE_CA_HINT), false))
            }))
        }
        @if known.is_some() && signed.may_write() {
            section { (layout::action(signed, "remove-online", "/directories/online/remove", t(text::ONLINE_REMOVE), "quiet")) }
        }
        p { a href="/directories" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Directories, t(text::ONLINE_TITLE), body)
}
