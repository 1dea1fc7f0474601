//! Plugins, for programs.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ipc::{PluginAnswer, PluginForm, PluginGrants, PluginRequest, PluginRight};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::Scope;

use crate::{
    api::{Caller, Named, Sent, Told, Writer, problem::Problem, shapes},
    audit::Act,
    pages::upload::granted_words,
    plugins::{HostNow, HostProblem},
    text,
};

/// Seconds between two runs.
const INTERVAL: std::ops::RangeInclusive<u64> = 60..=604_800;

/// `GET /api/v1/plugins`
pub(crate) async fn list(caller: Caller) -> Told {
    match &*caller.app.host.now() {
        HostNow::Here { plugins, .. } => {
            Ok(shapes::list(plugins, |plugin| shapes::plugin(plugin, caller.language)))
        }
        HostNow::Away(_) => Err(Problem::of_host(&HostProblem::Away, caller.language)),
    }
}

/// `GET /api/v1/plugins/{id}`
pub(crate) async fn one(caller: Caller, Named(id): Named) -> Told {
    let plugin =
        caller.app.host.plugin(&id).map_err(|problem| Problem::of_host(&problem, caller.language))?;
    Ok(shapes::json(StatusCode::OK, &shapes::plugin(&plugin, caller.language)))
}

/// `DELETE /api/v1/plugins/{id}`
pub(crate) async fn remove(caller: Writer, Named(id): Named) -> Told {
    carry_out(&caller, PluginRequest::Remove { plugin: id.clone() }, Act::PluginRemoved, id).await
}

/// `GET /api/v1/plugins/{id}/settings`
pub(crate) async fn settings(caller: Caller, Named(id): Named) -> Told {
    let form = form(&caller, &id).await?;
    let plugin =
        caller.app.host.plugin(&id).map_err(|problem| Problem::of_host(&problem, caller.language))?;
    let may_write = caller.token.scope == Scope::Write;
    Ok(shapes::json(StatusCode::OK, &shapes::form(&form, plugin.interval_s, may_write)))
}

/// What `PUT /api/v1/plugins/{id}/settings` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    values: Map<String, Value>,
    interval_s: u64,
}

/// `PUT /api/v1/plugins/{id}/settings`
pub(crate) async fn configure(Named(id): Named, Sent { caller, body }: Sent<Settings>) -> Told {
    let Settings { values, interval_s } = body;
    if !INTERVAL.contains(&interval_s) {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_INTERVAL));
    }
    let request = PluginRequest::Configure { plugin: id.clone(), values, interval_s };
    carry_out(&caller, request, Act::PluginConfigured, id).await
}

/// What a plugin is granted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grants {
    net: Vec<String>,
    #[serde(default)]
    private: Vec<String>,
    #[serde(default)]
    loopback: Vec<String>,
}

impl Grants {
    /// As the host takes it.
    ///
    /// # Errors
    /// Something is granted that the plugin does not ask for.
    pub(crate) fn checked(self, rights: &[PluginRight], caller: &Caller) -> Result<PluginGrants, Problem> {
        let Self { net, private, loopback } = self;
        let is_asked = |id: &&String| rights.iter().any(|right| right.id == **id);
        let is_private = |id: &&String| rights.iter().any(|right| right.id == **id && right.private);
        let unknown = net.iter().find(|id| !is_asked(id));
        let unknown = unknown.or_else(|| private.iter().chain(&loopback).find(|id| !is_private(id)));
        if let Some(id) = unknown {
            let words = text::API_NO_SUCH_RIGHT.with(caller.language, &[("right", id)]);
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, words));
        }
        Ok(PluginGrants { net, private, loopback })
    }
}

/// `PUT /api/v1/plugins/{id}/grants`
pub(crate) async fn grant(Named(id): Named, Sent { caller, body }: Sent<Grants>) -> Told {
    let granted = body.checked(&form(&caller, &id).await?.rights, &caller)?;
    let detail = format!("{id}, {}", granted_words(&granted));
    carry_out(&caller, PluginRequest::Grant { plugin: id, granted }, Act::PluginGranted, detail).await
}

/// `GET /api/v1/plugins/{id}/log`
pub(crate) async fn log(caller: Caller, Named(id): Named) -> Told {
    match ask(&caller, PluginRequest::Log { plugin: id }).await? {
        PluginAnswer::Log(lines) => Ok(shapes::list(&lines, shapes::log_line)),
        _ => Err(Problem::of_host(&HostProblem::Away, caller.language)),
    }
}

/// `POST /api/v1/plugins/{id}/test`
pub(crate) async fn test(caller: Writer, Named(id): Named) -> Told {
    let asked = ask(&caller, PluginRequest::Test { plugin: id.clone() }).await;
    caller.app.audit(&caller.actor(), Act::PluginTested, id).await;
    match asked? {
        PluginAnswer::Tested { words } => Ok(shapes::json(StatusCode::OK, &json!({ "words": words }))),
        _ => Err(Problem::of_host(&HostProblem::Away, caller.language)),
    }
}

/// What `POST /api/v1/plugins/{id}/actions` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    action: Action,
}

/// What can be done with a plugin.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Enable,
    Disable,
    Sync,
    AllowToShrink,
    RollBack,
}

/// `POST /api/v1/plugins/{id}/actions`
pub(crate) async fn act(Named(id): Named, Sent { caller, body }: Sent<Wanted>) -> Told {
    let plugin = id.clone();
    let (request, act) = match body.action {
        Action::Enable => (PluginRequest::Enable { plugin, on: true }, Act::PluginEnabled),
        Action::Disable => (PluginRequest::Enable { plugin, on: false }, Act::PluginDisabled),
        Action::Sync => (PluginRequest::SyncNow { plugin }, Act::PluginSynced),
        Action::AllowToShrink => (PluginRequest::AllowToShrink { plugin }, Act::PluginMayShrink),
        Action::RollBack => (PluginRequest::RollBack { plugin }, Act::PluginRolledBack),
    };
    carry_out(&caller, request, act, id).await
}

/// What `POST /api/v1/plugins/{id}/sign-in` and `…/sign-out` take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    credential: String,
}

/// `POST /api/v1/plugins/{id}/sign-in`
pub(crate) async fn sign_in(Named(id): Named, Sent { caller, body }: Sent<SignIn>) -> Told {
    let detail = format!("{id}, {}", body.credential);
    match ask(&caller, PluginRequest::SignIn { plugin: id, credential: body.credential }).await? {
        PluginAnswer::SignIn(code) => {
            caller.app.audit(&caller.actor(), Act::PluginSignIn, detail).await;
            Ok(shapes::json(StatusCode::OK, &shapes::code(&code)))
        }
        _ => Err(Problem::of_host(&HostProblem::Away, caller.language)),
    }
}

/// `POST /api/v1/plugins/{id}/sign-out`
pub(crate) async fn sign_out(Named(id): Named, Sent { caller, body }: Sent<SignIn>) -> Told {
    let detail = format!("{id}, {}", body.credential);
    let request = PluginRequest::SignOut { plugin: id, credential: body.credential };
    carry_out(&caller, request, Act::PluginSignOut, detail).await
}

async fn carry_out(caller: &Writer, request: PluginRequest, act: Act, detail: String) -> Told {
    ask(caller, request).await?;
    caller.app.audit(&caller.actor(), act, detail).await;
    Ok::<Response, _>(StatusCode::NO_CONTENT.into_response())
}

async fn form(caller: &Caller, id: &str) -> Result<PluginForm, Problem> {
    match ask(caller, PluginRequest::Form { plugin: id.into() }).await? {
        PluginAnswer::Form(form) => Ok(*form),
        _ => Err(Problem::of_host(&HostProblem::Away, caller.language)),
    }
}

async fn ask(caller: &Caller, request: PluginRequest) -> Result<PluginAnswer, Problem> {
    let asked = caller.app.host.ask(request).await;
    asked.map_err(|problem| Problem::of_host(&problem, caller.language))
}
