//! A connection to `frontdesk-plugind`: one question at a time, and its list of plugins as it changes.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginAnswer,
    PluginProblem, PluginRequest, PluginView, ToPlugins, encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

/// The host answers from memory and disk: what takes longer is no answer.
const ANSWER: Duration = Duration::from_secs(30);

pub(super) struct Host {
    stream: UnixStream,
    decoder: Decoder,
    version: String,
    seq: u64,
    /// The newest list that nobody has asked for yet.
    plugins: Option<Vec<PluginView>>,
}

impl Host {
    /// Connects and says hello.
    pub(super) async fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        let decoder = Decoder::new(MAX_FRAME_FROM_PLUGINS);
        let mut host = Self { stream, decoder, version: String::new(), seq: 0, plugins: None };
        let hello =
            ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program: "frontdeskd".into(), follow: true };
        host.send(&hello).await?;
        match timeout(ANSWER, host.next()).await.context("it does not answer")?? {
            FromPlugins::Welcome { version } => host.version = version,
            FromPlugins::Refused { reason } => bail!("refused: {reason}"),
            _ => bail!("an answer before the welcome"),
        }
        Ok(host)
    }

    /// As it said.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// The next list of plugins. May be dropped at any time.
    pub(super) async fn plugins(&mut self) -> Result<Vec<PluginView>> {
        loop {
            if let Some(plugins) = self.plugins.take() {
                return Ok(plugins);
            }
            let message = self.next().await?;
            self.take(message)?;
        }
    }

    /// Asks something; lists that come meanwhile are kept for [`Host::plugins`].
    pub(super) async fn ask(
        &mut self,
        request: PluginRequest,
    ) -> Result<Result<PluginAnswer, PluginProblem>> {
        self.seq += 1;
        let wanted = self.seq;
        self.send(&ToPlugins::Request { seq: wanted, request }).await?;
        timeout(ANSWER, async {
            loop {
                match self.next().await? {
                    FromPlugins::Answer { seq, answer } if seq == wanted => return Ok(answer),
                    message => self.take(message)?,
                }
            }
        })
        .await
        .context("it does not answer")?
    }

    fn take(&mut self, message: FromPlugins) -> Result<()> {
        match message {
            FromPlugins::Plugins(plugins) => self.plugins = Some(plugins),
            FromPlugins::Refused { reason } => bail!("refused: {reason}"),
            FromPlugins::Welcome { .. } | FromPlugins::Answer { .. } => bail!("an answer to no question"),
        }
        Ok(())
    }

    async fn send(&mut self, message: &ToPlugins) -> Result<()> {
        let frame = encode(message, MAX_FRAME_TO_PLUGINS)?;
        timeout(ANSWER, self.stream.write_all(&frame)).await.context("it does not read")??;
        Ok(())
    }

    /// The next frame. May be dropped at any time.
    async fn next(&mut self) -> Result<FromPlugins> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            match self.stream.read(&mut buffer).await? {
                0 => bail!("it has hung up"),
                count => self.decoder.push(&buffer[..count]),
            }
        }
    }
}
