//! What goes with every answer: rules for the browser, and an end to patience.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::pace::Moved;

/// No inline script or style, nothing from elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// Longest time for one request, but for what comes with it ([`Moved`]); uploads have more, see [`UPLOAD`].
const REQUEST: Duration = Duration::from_secs(120);

/// Longest time for an upload and its inspection, likewise.
const UPLOAD: Duration = Duration::from_secs(600);

/// Where updates, contacts and sounds are uploaded by the API.
const UPDATE: &str = "/api/v1/update/bundle";
const CONTACTS: &str = "/api/v1/contacts";
const SOUNDS: &str = "/api/v1/sounds/";

/// Puts the rules on an answer.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_static = path.starts_with("/static/");
    let patience = patience(path);
    let moved = request.extensions().get::<Moved>().cloned().unwrap_or_default();
    let mut response = tokio::select! {
        response = next.run(request) => response,
        () = moved.too_long(patience) => StatusCode::REQUEST_TIMEOUT.into_response(),
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

fn patience(path: &str) -> Duration {
    let is_upload =
        path.contains("/upload") || [UPDATE, CONTACTS].contains(&path) || path.starts_with(SOUNDS);
    if is_upload { UPLOAD } else { REQUEST }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_whatever_is_uploaded_has_the_time_of_an_upload() {
        for path in [
            "/plugins/upload",
            "/backup/upload",
            "/update/upload",
            "/directories/upload",
            "/sound/waiting/upload",
            "/api/v1/uploads",
            "/api/v1/contacts",
            "/api/v1/update/bundle",
            "/api/v1/sounds/music",
        ] {
            assert_eq!(patience(path), UPLOAD, "{path}");
        }
        assert_eq!((patience("/"), patience("/api/v1/accounts")), (REQUEST, REQUEST));
    }
}
