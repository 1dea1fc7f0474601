//! A plugin host that speaks the contract and runs nothing: what it is asked is noted, what it answers is simple.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PluginAnswer, PluginCode,
    PluginCounters, PluginDirectory, PluginForm, PluginGrants, PluginInspection, PluginLogLine,
    PluginProblem, PluginRequest, PluginRight, PluginSetting, PluginSettingKind, PluginSignIn,
    PluginSignInState, PluginSignature, PluginState, PluginView, ToPlugins, UploadId,
};
use serde_json::Map;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
    task::JoinHandle,
};

/// The id of its plugin.
pub(crate) const ID: &str = "org.example.ldap";
/// What its hostile plugin is called.
pub(crate) const EVIL: &str = "<script>alert('x')</script>";

pub(crate) struct Inner {
    pub(crate) asked: Vec<PluginRequest>,
    pub(crate) plugins: Vec<PluginView>,
    pub(crate) form: Option<PluginForm>,
    /// The bytes of the last upload.
    pub(crate) uploaded: Vec<u8>,
    /// Answers of the next inspection.
    pub(crate) signature: Option<PluginSignature>,
    pub(crate) refused: Option<PluginProblem>,
    /// Answers to everything from now on.
    pub(crate) problem: Option<PluginProblem>,
    pub(crate) sign_in: PluginSignInState,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            asked: Vec::new(),
            plugins: Vec::new(),
            form: None,
            uploaded: Vec::new(),
            signature: None,
            refused: None,
            problem: None,
            sign_in: PluginSignInState::None { problem: Some(format!("AADSTS {EVIL}")) },
        }
    }
}

/// A code of a hostile server.
pub(crate) fn code() -> PluginCode {
    PluginCode {
        address: "https://example.com/device?\"><script>alert(4)</script>".into(),
        address_with_code: Some("https://example.com/device?code=FJC3".into()),
        code: EVIL.into(),
        expires_s: 840,
    }
}

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) inner: Arc<Mutex<Inner>>,
    changed: watch::Sender<()>,
    task: Arc<JoinHandle<()>>,
}

impl Host {
    /// A host with one plugin, or with none.
    pub(crate) fn start(socket: &Path, with_plugin: bool) -> Self {
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (changed, _) = watch::channel(());
        if with_plugin {
            inner.lock().unwrap().plugins.push(plugin());
        }
        let (shared, news) = (Arc::clone(&inner), changed.clone());
        let task = tokio::spawn(async move {
            let mut clients = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                clients.spawn(client(stream, Arc::clone(&shared), news.subscribe()));
            }
        });
        Self { inner, changed, task: Arc::new(task) }
    }

    /// Ends it, with every connection.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap());
        self.changed.send_replace(());
    }

    pub(crate) fn asked(&self) -> Vec<PluginRequest> {
        self.inner.lock().unwrap().asked.clone()
    }
}

async fn client(mut stream: UnixStream, inner: Arc<Mutex<Inner>>, mut news: watch::Receiver<()>) {
    let mut decoder = Decoder::new(MAX_FRAME_TO_PLUGINS);
    let mut follows = false;
    loop {
        let mut bytes = [0; 65_536];
        let read = tokio::select! {
            read = stream.read(&mut bytes) => read,
            Ok(()) = news.changed(), if follows => {
                let plugins = inner.lock().unwrap().plugins.clone();
                write(&mut stream, &FromPlugins::Plugins(plugins)).await;
                continue;
            }
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(n) => decoder.push(&bytes[..n]),
        }
        while let Some(message) = decoder.next_message::<ToPlugins>().unwrap() {
            match message {
                ToPlugins::Hello { follow, .. } => {
                    follows = follow;
                    write(&mut stream, &FromPlugins::Welcome { version: "9.9.9".into() }).await;
                    if follow {
                        let plugins = inner.lock().unwrap().plugins.clone();
                        write(&mut stream, &FromPlugins::Plugins(plugins)).await;
                    }
                }
                ToPlugins::Request { seq, request } => {
                    let answer = answer(&mut inner.lock().unwrap(), request);
                    write(&mut stream, &FromPlugins::Answer { seq, answer }).await;
                }
            }
        }
    }
}

async fn write(stream: &mut UnixStream, message: &FromPlugins) {
    let frame = ipc::encode(message, MAX_FRAME_FROM_PLUGINS).unwrap();
    let _ = stream.write_all(&frame).await;
}

fn answer(inner: &mut Inner, request: PluginRequest) -> Result<PluginAnswer, PluginProblem> {
    inner.asked.push(request.clone());
    if let Some(problem) = &inner.problem {
        return Err(problem.clone());
    }
    let known = |id: &str| id == ID;
    match request {
        PluginRequest::List => Ok(PluginAnswer::Plugins(inner.plugins.clone())),
        PluginRequest::Upload { .. } => {
            inner.uploaded.clear();
            Ok(PluginAnswer::Upload(UploadId(7)))
        }
        PluginRequest::UploadPart { offset, base64, .. } => {
            if offset != inner.uploaded.len() as u64 {
                return Err(PluginProblem::NoSuchUpload);
            }
            inner.uploaded.extend(STANDARD.decode(base64).unwrap());
            Ok(PluginAnswer::Done)
        }
        PluginRequest::Inspect { upload } => {
            if !inner.uploaded.starts_with(b"\0asm") {
                return Err(PluginProblem::NotAPlugin("wrong magic <b>".into()));
            }
            Ok(PluginAnswer::Inspection(Box::new(inspection(inner, upload))))
        }
        PluginRequest::Install { granted, .. } => {
            let installed = PluginView { granted, enabled: false, state: PluginState::Disabled, ..plugin() };
            inner.plugins = vec![installed.clone()];
            Ok(PluginAnswer::Plugin(Box::new(installed)))
        }
        PluginRequest::Form { plugin } if known(&plugin) => {
            let mut form = inner.form.clone().unwrap_or_else(form);
            form.sign_ins = vec![PluginSignIn { id: "person".into(), state: inner.sign_in.clone() }];
            Ok(PluginAnswer::Form(Box::new(form)))
        }
        PluginRequest::Test { plugin } if known(&plugin) => {
            Ok(PluginAnswer::Tested { words: format!("1240 people {EVIL}") })
        }
        PluginRequest::Log { plugin } if known(&plugin) => {
            let line = PluginLogLine { at_ms: 5, level: "info".into(), host: false, words: EVIL.into() };
            Ok(PluginAnswer::Log(vec![line]))
        }
        PluginRequest::Grant { plugin, granted } if known(&plugin) => {
            inner.plugins[0].granted = granted;
            Ok(PluginAnswer::Done)
        }
        PluginRequest::SignIn { plugin, credential } if known(&plugin) && credential == "person" => {
            inner.sign_in = PluginSignInState::Waiting(code());
            Ok(PluginAnswer::SignIn(code()))
        }
        PluginRequest::SignOut { plugin, credential } if known(&plugin) && credential == "person" => {
            inner.sign_in = PluginSignInState::None { problem: None };
            Ok(PluginAnswer::Done)
        }
        PluginRequest::SignIn { plugin, .. } | PluginRequest::SignOut { plugin, .. } if known(&plugin) => {
            Err(PluginProblem::NotNow("nobody signs in for that".into()))
        }
        PluginRequest::Remove { plugin } if known(&plugin) => {
            inner.plugins.clear();
            Ok(PluginAnswer::Done)
        }
        PluginRequest::Configure { plugin, .. }
        | PluginRequest::Enable { plugin, .. }
        | PluginRequest::SyncNow { plugin }
        | PluginRequest::AllowToShrink { plugin }
        | PluginRequest::RollBack { plugin }
            if known(&plugin) =>
        {
            Ok(PluginAnswer::Done)
        }
        _ => Err(PluginProblem::NoSuchPlugin),
    }
}

fn inspection(inner: &Inner, upload: UploadId) -> PluginInspection {
    PluginInspection {
        upload,
        id: ID.into(),
        name: EVIL.into(),
        version: "2.0.0".into(),
        description: format!("People of LDAP {EVIL}"),
        license: Some("MIT".into()),
        provides: vec!["directory-sync".into()],
        signature: inner.signature.clone().unwrap_or(PluginSignature::New { key: "RWQkey".into() }),
        installed: inner.plugins.first().map(|plugin| plugin.version.clone()),
        rights: rights(),
        settings: settings(),
        refused: inner.refused.clone(),
    }
}

fn rights() -> Vec<PluginRight> {
    let right = |id: &str, new| PluginRight {
        id: id.into(),
        places: vec!["https://api.example.com".into()],
        from_setting: None,
        private: false,
        plain: false,
        reason: format!("To read people {EVIL}"),
        secrets: vec!["password".into()],
        token: false,
        new,
    };
    let server = PluginRight {
        from_setting: Some("url".into()),
        places: vec![],
        private: true,
        plain: true,
        ..right("server", false)
    };
    vec![server, right("api", true)]
}

fn settings() -> Vec<PluginSetting> {
    let setting = |key: &str, kind, en: &str, fr: &str| PluginSetting {
        key: key.into(),
        kind,
        label: [("en".to_owned(), en.to_owned()), ("fr".to_owned(), fr.to_owned())].into(),
        required: key == "url",
        default: None,
        choices: vec!["all".into(), EVIL.into()],
        min: Some(1),
        max: Some(100),
        expose: false,
    };
    vec![
        setting("url", PluginSettingKind::Url, "Server", "Serveur"),
        setting("password", PluginSettingKind::Secret, "Secret", "Secret"),
        setting("page", PluginSettingKind::Integer, "Page size", "Taille de page"),
        setting("tls", PluginSettingKind::Boolean, "StartTLS", "StartTLS"),
        setting("which", PluginSettingKind::Choice, "Which", "Lesquels"),
        setting("filter", PluginSettingKind::Multiline, "Filter", "Filtre"),
    ]
}

fn form() -> PluginForm {
    let mut values = Map::new();
    values.insert("url".into(), "ldap://\"><script>alert(2)</script>".into());
    values.insert("filter".into(), "</textarea><script>alert(3)</script>".into());
    PluginForm {
        rights: rights(),
        settings: settings(),
        values,
        secrets: vec!["password".into()],
        sign_ins: vec![],
    }
}

pub(crate) fn plugin() -> PluginView {
    PluginView {
        id: ID.into(),
        name: EVIL.into(),
        version: "1.0.0".into(),
        description: "People <of> LDAP".into(),
        previous: Some("0.9.0".into()),
        provides: vec!["directory-sync".into()],
        enabled: true,
        state: PluginState::Running { people: 120, total: Some(1000) },
        directory: Some(PluginDirectory {
            generation: 1,
            contacts: 99,
            left_out: 2,
            synced_ms: 1_700_000_000_000,
        }),
        interval_s: 3600,
        granted: PluginGrants { net: vec!["server".into()], ..PluginGrants::default() },
        counters: PluginCounters { calls: 5, most_memory: 1 << 20, ..PluginCounters::default() },
    }
}
