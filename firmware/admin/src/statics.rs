//! Files that go with the pages: the style, the icon, and a little script that only shows progress.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

const FILES: [(&str, &str, &str); 3] = [
    ("admin.css", "text/css; charset=utf-8", include_str!("../static/admin.css")),
    ("progress.js", "text/javascript; charset=utf-8", include_str!("../static/progress.js")),
    ("icon.svg", "image/svg+xml", include_str!("../static/icon.svg")),
];

/// `GET /static/{name}`: a list, no folder: there is no path to leave.
pub(crate) async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
