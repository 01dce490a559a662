//! Redirects: the allowed origins, and the one rule that decides every redirect.

mod app_link;
mod base_urls;
mod path;
mod resolve;

pub use app_link::RedirectScheme;
pub use base_urls::{Base, BaseUrlFault, BaseUrls};
pub use resolve::{DeniedError, DeniedUrl, DeniedUrlFault, Disposition, RedirectUrl, resolve_redirect};
