//! Joins the task of updates (`update`) to the desk: it hears the views, and the engine is asked to end before the box
//! restarts, which it does only when no call is up.

use tokio::sync::{mpsc, oneshot};

use crate::{config::UpdateConfig, engine::Event, socket::Desk};

/// Starts the task, where the box is to update itself. It ends with the last who has the handle.
pub(crate) fn start(config: Option<&UpdateConfig>, desk: &Desk) -> Option<update::Handle> {
    let UpdateConfig { rauc, folder, restart } = config?.clone();
    let config = update::Config { rauc, folder, restart, version: env!("CARGO_PKG_VERSION").into() };
    let (ask, asked) = mpsc::channel(1);
    tokio::spawn(pass_on(asked, desk.inbox.clone()));
    Some(update::start(config, desk.views.clone(), ask).0)
}

/// Hands the wish on to the engine, which answers it.
async fn pass_on(mut asked: mpsc::Receiver<oneshot::Sender<bool>>, inbox: mpsc::Sender<Event>) {
    while let Some(reply) = asked.recv().await {
        if inbox.send(Event::Restart { reply }).await.is_err() {
            return;
        }
    }
}
