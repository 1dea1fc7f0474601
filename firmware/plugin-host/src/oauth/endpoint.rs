//! One question to a token server: a form is posted, a small JSON answer comes back. No redirects, which would carry
//! a client's secret elsewhere.

use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use tokio::time::timeout;
use url::Url;

use super::answer::{self, Device, Said};
use super::client::{Client, Form};
use crate::grants::{Grant, Target, permit};
use crate::guest::bindings::frontdesk::connector::http as wit;
use crate::wire::{Line, Message};

/// The longest that an answer takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const ANSWER: usize = 64 << 10;

/// The way to token servers.
pub(crate) struct Endpoint {
    line: Line,
    grants: Vec<Grant>,
}

/// What came back.
struct Answer {
    status: u16,
    retry_after: Option<u32>,
    body: Bytes,
}

impl Endpoint {
    pub(crate) fn new(line: Line, grants: Vec<Grant>) -> Self {
        Self { line, grants }
    }

    /// Asks for a token.
    pub(crate) async fn ask_token(&self, client: &Client, form: &Form) -> Result<Said, wit::Error> {
        let answer = self.post(client.token_url(), client.net(), form).await?;
        Ok(answer::token(answer.status, answer.retry_after, &answer.body))
    }

    /// Asks for a code that a person types in elsewhere.
    pub(crate) async fn ask_device(
        &self,
        client: &Client,
        form: &Form,
    ) -> Result<Result<Device, Said>, wit::Error> {
        let none = || wit::Error::Auth("it offers no sign-in by a code".to_owned());
        let answer = self.post(client.device_url().ok_or_else(none)?, client.net(), form).await?;
        Ok(answer::device(answer.status, answer.retry_after, &answer.body))
    }

    async fn post(&self, url: &Url, net: &str, form: &Form) -> Result<Answer, wit::Error> {
        let late = |_| wit::Error::Unreachable("the token server does not answer in time".to_owned());
        let answer = timeout(PATIENCE, self.exchange(url, net, form)).await.map_err(late)?;
        answer.map_err(|error| match error {
            wit::Error::Unreachable(words) => wit::Error::Unreachable(format!("the token server: {words}")),
            wit::Error::Tls(words) => wit::Error::Tls(format!("the token server: {words}")),
            wit::Error::TooLarge(most) => {
                wit::Error::Unreachable(format!("the token server: an answer of more than {most} bytes"))
            }
            other => other,
        })
    }

    async fn exchange(&self, url: &Url, net: &str, form: &Form) -> Result<Answer, wit::Error> {
        let denied = |refusal: crate::grants::Refusal| wit::Error::Denied(refusal.to_string());
        let target = Target::of_web(url).map_err(denied)?;
        let grants: Vec<Grant> = self.grants.iter().filter(|grant| grant.id == net).cloned().collect();
        let grant = permit(&grants, &target).map_err(denied)?;
        let mut head = HeaderMap::new();
        for (name, value) in [
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (header::ACCEPT, "application/json"),
            (header::USER_AGENT, "frontdesk/0.1"),
            (header::ACCEPT_ENCODING, "identity"),
        ] {
            head.insert(name, HeaderValue::from_static(value));
        }
        let message = Message { method: Method::POST, head, body: Bytes::from(form.0.clone()) };
        let response = self.line.exchange(url, &target, grant, message).await?;
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let status = response.status().as_u16();
        Ok(Answer { status, retry_after, body: response.into_body().whole(ANSWER).await? })
    }
}
