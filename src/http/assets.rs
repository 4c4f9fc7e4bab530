//! The web app, embedded in the binary from web/dist.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use crate::error::{ApiError, Code};

/// `build.rs` makes the folder with a page that says how to build the app when there is none.
#[derive(RustEmbed)]
#[folder = "$BROKLE_WEB_DIST"]
struct Dist;

/// Only what this server serves itself: no inline script or style, no third party, no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The same for the pages under /docs, which come with styles in their elements and pictures in their style sheets.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A path that ends so asks for a file, not for a page of the app.
const FILES: [&str; 9] = ["js", "css", "map", "svg", "png", "ico", "woff2", "txt", "json"];

/// Serves a file of the app, or its index for a path of the app's own router.
///
/// # Errors
/// 404 for API paths and missing assets, 405 for other methods than GET and HEAD.
pub async fn serve(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.path().trim_start_matches('/');
    let api = ["v1/", "api/", "health", "metrics"].iter().any(|prefix| path.starts_with(prefix));
    if api {
        return Err(ApiError::new(Code::NotFound, "no such route; /docs lists them"));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Err(ApiError::new(Code::MethodNotAllowed, "this path takes GET and HEAD only"));
    }
    if let Some(file) = Dist::get(path).filter(|_| !path.is_empty()) {
        return Ok(file_response(&request, path, &file));
    }
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    if path.starts_with("assets/") || FILES.contains(&extension) {
        return Err(ApiError::new(Code::NotFound, "no such file"));
    }
    let index = Dist::get("index.html").ok_or_else(|| ApiError::internal("index.html is not embedded"))?;
    Ok(file_response(&request, "index.html", &index))
}

/// Gives the pages of the API's description, which another crate serves, a policy of their own.
///
/// # Errors
/// What `next` fails with.
pub async fn docs_policy<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let docs = request.path() == "/docs" || request.path().starts_with("/docs/");
    let mut response = next.call(request).await?;
    if docs {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS_POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    Ok(response)
}

fn file_response(request: &HttpRequest, path: &str, file: &rust_embed::EmbeddedFile) -> HttpResponse {
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let immutable = path.starts_with("assets/");
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, if immutable { "public, max-age=31536000, immutable" } else { "no-cache" }));
    if request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) == Some(&etag) {
        return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(file.metadata.mimetype()).body(file.data.to_vec())
}
