//! One HTTP exchange over the way of `way`: one connection a request, HTTP/1.1, no compression, no cookies. Who may
//! ask for it, and what a status means, is `http` for plugins and `oauth` for the host's own requests.

use std::sync::Arc;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use url::Url;

use crate::grants::{Grant, Target};
use crate::guest::bindings::frontdesk::connector::http as wit;
use crate::resolve::Resolver;
use crate::way::{self, WayError};

/// The head of an answer, in bytes and in lines.
const HEAD: usize = 64 << 10;
/// Lines of a head, of requests and of answers.
pub(crate) const HEADERS: usize = 100;

/// What is needed to reach anybody.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) tls: Arc<ClientConfig>,
}

/// What is sent.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) head: HeaderMap,
    pub(crate) body: Bytes,
}

impl Line {
    /// Sends one message to a place that its grant has been compared with, and gives back the head of the answer.
    pub(crate) async fn exchange(
        &self,
        url: &Url,
        target: &Target,
        grant: &Grant,
        message: Message,
    ) -> Result<Response<Guarded>, wit::Error> {
        let unreachable = |error: &dyn std::fmt::Display| wit::Error::Unreachable(error.to_string());
        let tcp = way::connect(&self.resolver, target, grant).await?;
        let stream: Box<dyn Stream> = if target.scheme.is_tls() && !self.resolver.is_stage() {
            Box::new(way::secure(&self.tls, target, tcp).await?)
        } else {
            Box::new(tcp)
        };
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(HEAD).max_headers(HEADERS);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        let task = tokio::spawn(async move {
            // How a connection ends is seen by the request that uses it.
            let _ = connection.await;
        });
        let guard = EndOnDrop(task);
        let mut path = url.path().to_owned();
        if let Some(query) = url.query() {
            path = format!("{path}?{query}");
        }
        let mut request = Request::builder()
            .method(message.method)
            .uri(path)
            .body(Full::new(message.body))
            .map_err(|error| wit::Error::BadRequest(error.to_string()))?;
        *request.headers_mut() = message.head;
        let host = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let host = HeaderValue::try_from(host).map_err(|error| wit::Error::BadRequest(error.to_string()))?;
        request.headers_mut().insert(header::HOST, host);
        let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
        Ok(response.map(|body| Guarded { body, _connection: guard }))
    }
}

impl From<WayError> for wit::Error {
    fn from(error: WayError) -> Self {
        match error {
            WayError::Denied(words) => Self::Denied(words),
            WayError::Unreachable(words) => Self::Unreachable(words),
            WayError::Tls(words) => Self::Tls(words),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A body whose connection ends with it.
pub(crate) struct Guarded {
    body: Incoming,
    _connection: EndOnDrop,
}

impl Guarded {
    /// All of it, at most so many bytes.
    pub(crate) async fn whole(self, most: usize) -> Result<Bytes, wit::Error> {
        let Self { body, _connection } = self;
        let body = Limited::new(body, most).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                wit::Error::TooLarge(most as u64)
            } else {
                wit::Error::Unreachable(error.to_string())
            }
        })?;
        Ok(body.to_bytes())
    }
}

struct EndOnDrop(JoinHandle<()>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
