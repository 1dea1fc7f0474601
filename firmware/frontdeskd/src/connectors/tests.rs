//! Directories of a plugin host that does what a test says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use directory::{Catalogue, NumberPlan};
use ipc::{
    Decoder, DirectoryId, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PluginContacts,
    PluginCounters, PluginDirectory, PluginGrants, PluginState, ToPlugins, encode,
};
use store::Store;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::mpsc,
};

use super::*;
use crate::{contacts::Contacts, editing::AtDesk};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct FakeHost {
    stream: UnixStream,
    decoder: Decoder,
}

impl FakeHost {
    async fn next(&mut self) -> ToPlugins {
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return message;
            }
            let mut bytes = [0; 4096];
            let count = timeout(PATIENCE, self.stream.read(&mut bytes)).await.unwrap().unwrap();
            assert_ne!(count, 0, "the desk hung up");
            self.decoder.push(&bytes[..count]);
        }
    }

    async fn say(&mut self, message: &FromPlugins) {
        self.stream.write_all(&encode(message, MAX_FRAME_FROM_PLUGINS).unwrap()).await.unwrap();
    }

    /// Lists one plugin with an empty directory of this generation, or none, until the desk has that.
    async fn list(&mut self, generation: Option<u64>, records: &Records) -> Option<DirectoryId> {
        self.say(&FromPlugins::Plugins(generation.map(plugin).into_iter().collect())).await;
        if let Some(generation) = generation {
            let ToPlugins::Request { seq, .. } = self.next().await else { panic!("no request") };
            let nobody = PluginContacts { generation, total: 0, contacts: Vec::new() };
            self.say(&FromPlugins::Answer { seq, answer: Ok(PluginAnswer::Contacts(nobody)) }).await;
        }
        let has = async {
            loop {
                let sources = records.sources().await.unwrap();
                if sources.first().and_then(|source| source.generation) == generation {
                    return sources.first().map(|source| source.directory);
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, has).await.unwrap()
    }
}

fn plugin(generation: u64) -> PluginView {
    PluginView {
        id: "a".into(),
        name: "People".into(),
        version: "1.0.0".into(),
        description: String::new(),
        previous: None,
        provides: vec!["directory-sync".into()],
        enabled: true,
        state: PluginState::Waiting { next_run_s: 60 },
        directory: Some(PluginDirectory { generation, contacts: 0, left_out: 0, synced_ms: 1 }),
        interval_s: 3600,
        granted: PluginGrants::default(),
        counters: PluginCounters::default(),
    }
}

#[tokio::test]
async fn dir_4_a_connector_that_the_host_does_not_have_yet_finds_its_directory_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("plugins");
    let listener = UnixListener::bind(&socket).unwrap();
    // As a backup has it: with the directory, and without the plugin.
    let mut store = Store::open(folder.path().join("desk.db")).unwrap();
    let job = store.begin_copy("a", "People", 1).unwrap();
    let home = store.finish_copy(job).unwrap().directory.id;
    let (inbox, _events) = mpsc::channel(4096);
    let plan = NumberPlan::default();
    let (contacts, _) = Contacts::start(Catalogue::new(plan.clone()), false, inbox.clone()).unwrap();
    let at_desk = AtDesk {
        operator: "Front desk".into(),
        signed_in: None,
        operator_id: 0,
        folders: Vec::new(),
        plan,
        log_days: 0,
        clock: "clock".into(),
    };
    let (records, _) = Records::start(store, contacts, inbox, at_desk).unwrap();
    let desk = tokio::spawn(follow(socket, records.clone()));
    let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut host = FakeHost { stream, decoder: Decoder::new(MAX_FRAME_TO_PLUGINS) };
    assert!(matches!(host.next().await, ToPlugins::Hello { .. }));
    host.say(&FromPlugins::Welcome { version: "test".into() }).await;

    assert_eq!(host.list(None, &records).await, None);
    assert_eq!(host.list(Some(2), &records).await, Some(home));
    // Somebody removes it, and that is that.
    assert_eq!(host.list(None, &records).await, None);
    let other = host.list(Some(3), &records).await;
    assert!(other.is_some() && other != Some(home), "{other:?}");
    desk.abort();
}
