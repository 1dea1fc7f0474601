//! What went wrong, as a program reads it (RFC 9457).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::Language;
use serde_json::json;

use crate::{fault, keeper::KeeperError, pages::words, plugins::HostProblem};

/// A problem.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(crate) fn of_store(problem: &KeeperError, language: Language) -> Self {
        let (status, detail) = fault::of_store(problem, language);
        Self { status, detail }
    }

    pub(crate) fn of_host(problem: &HostProblem, language: Language) -> Self {
        let (status, detail) = words::refusal(problem, language);
        Self { status, detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = axum::http::HeaderValue::from_static("Bearer realm=\"frontdesk\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
