//! `/directories`: what the desk looks names up in, and how the directories of plugins do.

use ipc::{DirectoryView, PluginState, PluginView};
use maud::{Markup, html};

use crate::{
    guard::Signed,
    layout::{self, Place},
    pages::{Page, imports, lines, online, plugins, words},
    plugins::HostNow,
    text::{self, Text},
};

/// `GET /directories`
pub(crate) async fn show(signed: Signed) -> Page {
    let xmpp = lines::settings(&signed).await?.xmpp;
    let (app, language) = (&signed.app, signed.language);
    let t = |text: Text| text.is(language);
    let (view, host) = (app.view(), app.host.now());
    let connected: &[PluginView] = match &*host {
        HostNow::Here { plugins, .. } => plugins,
        HostNow::Away(_) => &[],
    };
    let row = |directory: &DirectoryView| {
        let kind = if directory.local { text::LOCAL } else { text::EXTERNAL };
        vec![
            html! { (directory.name) },
            html! { (t(kind)) },
            html! { (directory.contacts) },
            html! { (directory.line.as_deref().unwrap_or_default()) },
            html! {
                @match (source(directory, connected), &directory.source) {
                    (Some(plugin), _) => a href=(plugins::path(&plugin.id)) { (plugin.name) },
                    (None, Some(id)) => (id),
                    (None, None) => (t(text::BY_HAND)),
                }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = view.directories.iter().map(row).collect();
    let heads = [t(text::NAME), t(text::KIND), t(text::CONTACTS), t(text::LINE), t(text::SOURCE)];
    let body = html! {
        section aria-labelledby="directories-title" {
            h2 #directories-title { (t(text::DIRECTORIES)) }
            @if rows.is_empty() {
                p.empty { (t(text::NO_DIRECTORIES)) }
            } @else {
                (layout::table("directories", t(text::DIRECTORIES), &heads, &rows))
            }
        }
        (imports::section(&signed, &view))
        section aria-labelledby="connected-title" {
            h2 #connected-title { (t(text::CONNECTED_DIRECTORIES)) }
            @match &*host {
                HostNow::Away(_) => (plugins::away(language)),
                HostNow::Here { plugins, .. } if plugins.is_empty() => {
                    p.empty { (t(text::NO_CONNECTED)) " " a href="/plugins" { (t(text::ADD_PLUGIN)) } }
                },
                HostNow::Here { plugins, .. } => (connected_table(&signed, plugins)),
            }
        }
        (online::section(&signed, xmpp.as_ref()))
    };
    Ok(layout::page(&signed, Place::Directories, t(text::DIRECTORIES), body))
}

/// The plugin that a directory comes from, if its host is there.
pub(crate) fn source<'a>(directory: &DirectoryView, plugins: &'a [PluginView]) -> Option<&'a PluginView> {
    let id = directory.source.as_deref()?;
    plugins.iter().find(|plugin| plugin.id == id)
}

fn connected_table(signed: &Signed, installed: &[PluginView]) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let heads = [
        t(text::PLUGIN),
        t(text::SYNC_STATE),
        t(text::PROGRESS),
        t(text::CONTACTS),
        t(text::LEFT_OUT),
        t(text::LAST_GOOD),
        t(text::ACTIONS),
    ];
    let row = |plugin: &PluginView| {
        let (class, state) = words::state(&plugin.state, language);
        let directory = plugin.directory.as_ref();
        let sync = format!("{}/sync", plugins::path(&plugin.id));
        vec![
            html! { a href=(plugins::path(&plugin.id)) { (plugin.name) } },
            html! { span.badge.(class) { (state.words) } (state.quote(language)) },
            progress(&plugin.state, &plugin.name),
            html! { @if let Some(directory) = directory { (directory.contacts) } @else { "–" } },
            html! { @if let Some(directory) = directory { (directory.left_out) } @else { "–" } },
            html! {
                @if let Some(directory) = directory { (layout::moment(directory.synced_ms)) }
                @else { (t(text::NEVER)) }
            },
            html! {
                @if plugin.enabled {
                    (layout::action(signed, &format!("sync-{}", plugin.id), &sync, t(text::SYNC_NOW), "quiet"))
                }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = installed.iter().map(row).collect();
    layout::table("connected", t(text::CONNECTED_DIRECTORIES), &heads, &rows)
}

/// How far a run is.
pub(crate) fn progress(state: &PluginState, name: &str) -> Markup {
    html! {
        @match state {
            PluginState::Running { people, total: Some(total) } if *total > 0 => {
                progress aria-label=(name) max=(total) value=(people.min(total)) { (people) "/" (total) }
            },
            PluginState::Running { .. } => progress aria-label=(name) {},
            _ => "–",
        }
    }
}
