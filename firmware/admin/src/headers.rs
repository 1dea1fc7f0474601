//! What goes with every answer: rules for the browser, and an end to patience.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// No inline script or style, nothing from elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// Longest time for one request; uploads have more, see [`UPLOAD`].
const REQUEST: Duration = Duration::from_secs(120);

/// Longest time for an upload and its inspection.
const UPLOAD: Duration = Duration::from_secs(600);

/// Where updates and sounds are uploaded by the API.
const UPDATE: &str = "/api/v1/update/bundle";
const SOUNDS: &str = "/api/v1/sounds/";

/// Puts the rules on an answer.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_static = path.starts_with("/static/");
    let is_upload = path.contains("/upload") || path == UPDATE || path.starts_with(SOUNDS);
    let patience = if is_upload { UPLOAD } else { REQUEST };
    let mut response = match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "same-origin");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()");
    put(header::CACHE_CONTROL, if is_static { "no-cache" } else { "no-store" });
    response
}
