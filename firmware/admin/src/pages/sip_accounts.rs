//! `/lines/account`: one SIP account, added, changed or removed.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use store::{Account, Nat, Secret, Settings, Srtp, StoreError, Transport};

use crate::{
    fault::Fault,
    fields::Fields,
    form::{Form, Refused, Wrong, optional, whole},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::{is_needed_by, said, wrong},
    text::{self, Text},
};

/// Where it is.
pub(crate) const PATH: &str = "/lines/account";

const TRANSPORTS: [(Transport, Text); 4] = [
    (Transport::Auto, text::TRANSPORT_AUTO),
    (Transport::Udp, text::TRANSPORT_UDP),
    (Transport::Tcp, text::TRANSPORT_TCP),
    (Transport::Tls, text::TRANSPORT_TLS),
];

const SRTPS: [(Srtp, Text); 3] = [
    (Srtp::Off, text::SRTP_OFF),
    (Srtp::Optional, text::SRTP_OPTIONAL),
    (Srtp::Mandatory, text::SRTP_MANDATORY),
];

/// `GET /lines/account`, with `?id=` of one that is there.
pub(crate) async fn show(signed: Signed) -> Page {
    let settings = lines::settings(&signed).await?;
    let asked = signed.asked();
    match asked.find("id") {
        None => Ok(page(&signed, None, None)),
        Some(id) => match settings.accounts.iter().find(|account| account.id() == id) {
            Some(account) => Ok(page(&signed, Some(account), None)),
            None => Err(Fault::not_found(signed.language).into_response()),
        },
    }
}

/// `POST /lines/account`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    let was = optional(&fields, "was");
    let known = match &was {
        None => None,
        Some(id) => lines::settings(&signed).await?.accounts.into_iter().find(|account| account.id() == id),
    };
    let refused = match take(&signed, &fields, was).await {
        Ok(name) => {
            return Ok(signed.saved("/lines", format!("SIP account {name}")).await);
        }
        Err(wrong) => wrong,
    };
    Ok(page(&signed, known.as_ref(), Some(Refused { typed: &fields, wrong: &refused })))
}

async fn take(signed: &Signed, fields: &Fields, was: Option<String>) -> Result<String, Wrong> {
    let expires_s = whole(fields, "expires_s", signed.language)?;
    let session_timer_s = whole(fields, "session_timer_s", signed.language)?;
    let trimmed = |name: &str| fields.get(name).trim().to_owned();
    let typed = Account {
        id: trimmed("id"),
        user: trimmed("user"),
        domain: trimmed("domain"),
        display_name: trimmed("display_name"),
        auth_user: optional(fields, "auth_user"),
        password: Secret::new(fields.get("password")),
        registrar: optional(fields, "registrar"),
        outbound_proxy: optional(fields, "outbound_proxy"),
        mailbox: optional(fields, "mailbox"),
        expires_s,
        transport: chosen(&TRANSPORTS, fields.get("transport"), Transport::word),
        srtp: chosen(&SRTPS, fields.get("srtp"), Srtp::word),
        trust_identity: fields.has("trust_identity"),
        nat: match fields.get("nat") {
            "registrar" => Nat::Registrar,
            "stun" => Nat::Stun(trimmed("stun")),
            _ => Nat::None,
        },
        session_timer_s,
    };
    let name = typed.id().to_owned();
    let changed = signed.app.change_settings(move |settings| match was {
        None => {
            settings.accounts.push(typed);
            Ok(())
        }
        Some(was) => replace(settings, &was, typed),
    });
    changed.await.map_err(|problem| match wrong(&problem, "accounts", signed.language) {
        // The choice itself is always one that there is.
        Wrong { field, words } if field == "nat" => Wrong::at("stun", words),
        wrong => wrong,
    })?;
    Ok(name)
}

/// What was chosen; nothing that is offered is the usual.
fn chosen<T: Copy + Default>(all: &[(T, Text)], typed: &str, word: impl Fn(T) -> &'static str) -> T {
    all.iter().find(|(one, _)| word(*one) == typed).map_or_else(T::default, |(one, _)| *one)
}

/// Puts an account in another's place. Its password stays when none is typed and it goes to the same machines; lines and
/// the telephone to speak over follow its name.
fn replace(settings: &mut Settings, was: &str, typed: Account) -> Result<(), StoreError> {
    let at = settings.accounts.iter().position(|account| account.id() == was);
    let at = at.ok_or(StoreError::NoSuchAccount)?;
    let account = typed.in_place_of(settings.accounts.get(at), at)?;
    let name = account.id().to_owned();
    settings.accounts[at] = account;
    for line in settings.lines.iter_mut().filter(|line| line.account.as_deref() == Some(was)) {
        line.account = Some(name.clone());
    }
    let phone_account = &mut settings.operator.phone_account;
    if phone_account.as_deref() == Some(was) {
        *phone_account = Some(name);
    }
    Ok(())
}

/// `POST /lines/account/remove`
pub(crate) async fn remove(Posted { signed, fields }: Posted) -> Response {
    let (language, was) = (signed.language, fields.get("was").to_owned());
    let name = was.clone();
    let changed = signed.app.change_settings(move |settings| {
        let at = settings.accounts.iter().position(|account| account.id() == was);
        settings.accounts.remove(at.ok_or(StoreError::NoSuchAccount)?);
        // The telephone to speak over is then called by the first account, as where none is named.
        if settings.operator.phone_account.as_deref() == Some(was.as_str()) {
            settings.operator.phone_account = None;
        }
        Ok(())
    });
    match changed.await {
        Ok(()) => signed.saved("/lines", format!("SIP account {name} removed")).await,
        Err(problem) if is_needed_by(&problem, "lines") => {
            signed.failed("/lines", text::SIP_ACCOUNT_HAS_LINES.is(language))
        }
        Err(problem) => signed.failed("/lines", said(&problem, language)),
    }
}

fn page(signed: &Signed, known: Option<&Account>, refused: Option<Refused<'_>>) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let form = Form::new(signed, refused);
    let title = match known {
        Some(account) => text::SIP_ACCOUNT_EDIT.with(language, &[("name", &account.id())]),
        None => t(text::SIP_ACCOUNT_NEW).to_owned(),
    };
    let body = html! {
        (form.problem())
        section { (form.around("sip-account", PATH, fields(&form, known))) }
        @if let (Some(account), true) = (known, signed.may_write()) {
            section {
                p { (t(text::SIP_ACCOUNT_REMOVE_HINT)) }
                form method="post" action=(format!("{PATH}/remove")) {
                    (layout::token(signed))
                    (form.hidden("was", account.id()))
                    button.danger #remove-sip-account type="submit" {
                        (text::REMOVE_NAMED.with(language, &[("name", &account.id())]))
                    }
                }
            }
        }
        p { a href="/lines" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Lines, &title, body)
}

fn fields(form: &Form<'_>, known: Option<&Account>) -> Markup {
    let fresh = Account::default();
    let now = known.unwrap_or(&fresh);
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    let has_password = !now.password.is_empty();
    html! {
        @if let Some(account) = known { (form.hidden("was", account.id())) }
        div.columns {
            (form.text("user", text::SIP_USER, &now.user, Some(text::SIP_USER_HINT), true))
            (form.text("domain", text::SIP_DOMAIN, &now.domain, Some(text::SIP_DOMAIN_HINT), true))
            (form.secret("password", text::PASSWORD, if has_password { text::SIP_PASSWORD_SET } else { text::SIP_PASSWORD_NONE }, false))
            (form.text("display_name", text::SIP_DISPLAY_NAME, &now.display_name, None, false))
            (form.text("auth_user", text::SIP_AUTH_USER, &maybe(&now.auth_user), None, false))
            (form.text("registrar", text::SIP_REGISTRAR, &maybe(&now.registrar), None, false))
            (form.text("outbound_proxy", text::SIP_PROXY, &maybe(&now.outbound_proxy), Some(text::SIP_PROXY_HINT), false))
            (form.text("mailbox", text::SIP_MAILBOX, &maybe(&now.mailbox), Some(text::SIP_MAILBOX_HINT), false))
            (form.text("id", text::SIP_ID, &now.id, None, false))
            (form.number("expires_s", text::SIP_EXPIRES, now.expires_s, 60..=86_400, Some(text::SIP_EXPIRES_HINT)))
        }
        (reach(form, now))
    }
}

/// How the exchange is reached, and what is protected on the way.
fn reach(form: &Form<'_>, now: &Account) -> Markup {
    let language = form.signed.language;
    let option = |word: &str, words: Text| (word.to_owned(), words.is(language).to_owned());
    let transports = TRANSPORTS.map(|(one, words)| option(one.word(), words));
    let srtps = SRTPS.map(|(one, words)| option(one.word(), words));
    let (way, server) = match &now.nat {
        Nat::None => ("none", ""),
        Nat::Registrar => ("registrar", ""),
        Nat::Stun(server) => ("stun", server.as_str()),
    };
    let ways = [
        option("none", text::NAT_NONE),
        option("registrar", text::NAT_REGISTRAR),
        option("stun", text::NAT_STUN),
    ];
    let timer = now.session_timer_s;
    html! {
        div.columns {
            (form.choice("transport", text::SIP_TRANSPORT, now.transport.word(), &transports, Some(text::SIP_TRANSPORT_HINT)))
            (form.choice("srtp", text::SIP_SRTP, now.srtp.word(), &srtps, Some(text::SIP_SRTP_HINT)))
            (form.choice("nat", text::SIP_NAT, way, &ways, Some(text::SIP_NAT_HINT)))
            (form.text("stun", text::SIP_STUN, server, Some(text::SIP_STUN_HINT), false))
            (form.number("session_timer_s", text::SIP_TIMER, timer, 0..=86_400, Some(text::SIP_TIMER_HINT)))
        }
        (form.tick("trust_identity", text::SIP_TRUST.is(language), now.trust_identity))
    }
}
