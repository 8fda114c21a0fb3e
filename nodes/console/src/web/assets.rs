//! The page's files, within the program.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::refusal;

/// Path, type and content.
type Asset = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) const ASSETS: [Asset; 11] = [
    ("/", HTML, include_str!("../page/index.html")),
    ("/style.css", STYLE, include_str!("../page/style.css")),
    ("/app.js", SCRIPT, include_str!("../page/app.js")),
    ("/link.js", SCRIPT, include_str!("../page/link.js")),
    ("/before.js", SCRIPT, include_str!("../page/before.js")),
    ("/during.js", SCRIPT, include_str!("../page/during.js")),
    ("/rewards.js", SCRIPT, include_str!("../page/rewards.js")),
    ("/after.js", SCRIPT, include_str!("../page/after.js")),
    ("/cameras.js", SCRIPT, include_str!("../page/cameras.js")),
    ("/dry.js", SCRIPT, include_str!("../page/dry.js")),
    ("/elements.js", SCRIPT, include_str!("../page/elements.js")),
];

/// Whether a path is that of a file.
pub(super) fn is_one(path: &str) -> bool {
    ASSETS.iter().any(|(known, ..)| *known == path)
}

/// A file.
pub(super) async fn serve(uri: Uri) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == uri.path()) {
        Some((_, kind, content)) => ([(header::CONTENT_TYPE, *kind)], *content).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}
