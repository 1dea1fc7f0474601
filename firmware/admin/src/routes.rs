//! What is where.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    api,
    app::App,
    fault::Fault,
    guard::Visit,
    headers,
    pages::{
        about, accounts, audit, backup, certificate, clock, diagnostics, directories, handling, imports,
        line, lines, marks, numbers, online, operators, outside, overview, own, plugin, plugins,
        provisioning, rule, screen, sign_in, sip_accounts, sip_tls, sound, sound_test, statistics, tokens,
        update, upload, voice, waiting,
    },
    parts::FORM_MARGIN,
    provisioning::fetch::MOST,
    statics, text,
};

/// Largest body that is taken as a whole, in bytes; forms and uploads have bounds of their own.
const MAX_BODY: usize = 512 * 1024;

/// Every page and the API.
pub(crate) fn router(app: Arc<App>) -> Router {
    // These measure what comes in themselves.
    let uploads = Router::new()
        .route("/plugins/upload", post(plugins::upload))
        .route("/backup/upload", post(backup::upload))
        .route("/update/upload", post(update::upload))
        .route("/sound/waiting/upload", post(waiting::upload))
        .route("/directories/upload", post(imports::upload))
        .merge(api::uploads())
        .layer(DefaultBodyLimit::disable());
    // A little more than the largest file, so that one that is larger is told so.
    let settings_files = Router::new()
        .route("/provisioning/import", post(provisioning::import))
        .layer(DefaultBodyLimit::max(MOST + FORM_MARGIN));
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/setup", get(outside::setup).post(outside::set_up))
        .route("/sign-in", get(outside::sign_in).post(outside::signs_in))
        .route("/sign-out", post(own::sign_out))
        .route("/language/{code}", get(outside::choose_language))
        .route("/account", get(own::show))
        .route("/account/password", post(own::change_password))
        .route("/account/sign-out-everywhere", post(own::sign_out_everywhere))
        .route("/clock", get(clock::show).post(clock::set))
        .route("/lines", get(lines::show))
        .route("/lines/account", get(sip_accounts::show).post(sip_accounts::save))
        .route("/lines/account/remove", post(sip_accounts::remove))
        .route("/lines/tls", get(sip_tls::show).post(sip_tls::save))
        .route("/lines/line", get(line::show).post(line::save))
        .route("/lines/line/move", post(line::move_it))
        .route("/lines/line/remove", post(line::remove))
        .route("/handling", get(handling::show))
        .route("/handling/timers", post(handling::set_timers))
        .route("/handling/hours", post(handling::set_hours))
        .route("/handling/park", post(handling::set_park))
        .route("/handling/rule", get(rule::show).post(rule::save))
        .route("/handling/rule/move", post(rule::move_it))
        .route("/handling/rule/remove", post(rule::remove))
        .route("/numbers", get(numbers::show).post(numbers::set_numbers))
        .route("/numbers/crm", post(numbers::set_crm))
        .route("/numbers/rules", post(numbers::set_rules))
        .route("/operators", get(operators::show).post(operators::add))
        .route("/operators/desk", post(operators::rename_desk))
        .route("/operators/{id}", get(operators::edit).post(operators::change))
        .route("/operators/{id}/{action}", post(operators::act))
        .route("/sound", get(sound::show).post(sound::choose))
        .route("/sound/voice", post(voice::set))
        .route("/sound/test/{test}", post(sound_test::test))
        .route("/sound/measure", post(sound_test::measure))
        .route("/sound/waiting/remove", post(waiting::remove))
        .route("/sound/waiting/file", get(waiting::file))
        .route("/screen", get(screen::show))
        .route("/screen/picture", get(screen::picture))
        .route("/screen/watch", post(screen::ask))
        .route("/screen/stop", post(screen::stop))
        .route("/directories", get(directories::show))
        .route("/directories/import", get(imports::show))
        .route("/directories/online", get(online::show).post(online::save))
        .route("/directories/online/remove", post(online::remove))
        .route("/plugins", get(plugins::show))
        .route("/plugins/uploads/{key}", get(upload::show).post(upload::install))
        .route("/plugins/uploads/{key}/cancel", post(upload::cancel))
        .route("/plugins/{id}", get(plugin::show))
        .route("/plugins/{id}/settings", post(plugin::configure))
        .route("/plugins/{id}/grants", post(plugin::grant))
        .route("/plugins/{id}/remove", get(plugin::ask_removal).post(plugin::remove))
        .route("/plugins/{id}/sign-in/{credential}", get(sign_in::show).post(sign_in::begin))
        .route("/plugins/{id}/sign-out/{credential}", post(sign_in::end))
        .route("/plugins/{id}/{action}", post(plugin::act))
        .route("/accounts", get(accounts::show).post(accounts::add))
        .route("/accounts/{id}", get(accounts::edit).post(accounts::change))
        .route("/accounts/{id}/remove", post(accounts::remove))
        .route("/tokens", post(tokens::add))
        .route("/tokens/{id}/revoke", post(tokens::revoke))
        .route("/sessions/{number}/end", post(accounts::end_session))
        .route("/audit", get(audit::show))
        .route("/statistics", get(statistics::show))
        .route("/statistics.csv", get(statistics::file))
        .route("/backup", get(backup::show).post(backup::make))
        .route("/backup/discard", post(backup::discard))
        .route("/backup/restart", post(backup::restart))
        .route("/provisioning", get(provisioning::show).post(provisioning::save))
        .route("/provisioning/ask", post(provisioning::ask))
        .route("/provisioning/forget", post(provisioning::forget))
        .route("/provisioning/export", post(provisioning::export))
        .route("/update", get(update::show))
        .route("/update/install", post(update::install))
        .route("/update/restart", post(update::restart))
        .route("/update/cancel", post(update::cancel))
        .route("/update/postpone", post(update::postpone))
        .route("/update/discard", post(update::discard))
        .route("/update/sticks", post(update::sticks))
        .route("/diagnostics", get(diagnostics::show))
        .route("/diagnostics/marks/{id}", get(marks::show))
        .route("/diagnostics/marks/{id}/seconds.csv", get(marks::file))
        .route("/diagnostics/bundle", post(diagnostics::take))
        .route("/diagnostics/level", post(diagnostics::set_level))
        .route("/certificate", get(certificate::show).post(certificate::replace))
        .route("/certificate/own", post(certificate::use_own))
        .route("/about", get(about::show))
        .route("/about/licences.txt", get(about::texts))
        .route("/static/{name}", get(statics::file));
    pages
        .merge(api::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(uploads)
        .merge(settings_files)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(headers::secure))
        .with_state(app)
}

async fn not_found(visit: Visit) -> Response {
    if visit.here.starts_with("/api/") {
        return api::not_found(visit.language).into_response();
    }
    Fault::not_found(visit.language).into_response()
}

async fn wrong_method(visit: Visit) -> Response {
    if visit.here.starts_with("/api/") {
        return api::wrong_method(visit.language).into_response();
    }
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, visit.language, text::WRONG_METHOD).into_response()
}
