//! `ResolveRedirect`: the rule of `model::resolve_redirect` from the clients' view. Unit tests beside that function
//! have its tables.

use std::sync::atomic::{AtomicUsize, Ordering};

use gatepass::auth::Callback;
use gatepass::grpc::proto::v1::{Disposition, ResolveRedirectRequest};
use tonic::{Code, Response, Status};

use crate::support::hooks::on_redirect;
use crate::support::people::fields;
use crate::support::{TestApp, builder, refusal};

const BASES: &str =
    "base_urls: ['https://app.example.com', 'http://localhost:3000', 'https://*.preview.example.com']";
const APP: &str = "https://app.example.com";

async fn resolve(app: &TestApp, url: &str, base_url: &str) -> Result<(String, Disposition), Status> {
    let request = ResolveRedirectRequest { url: url.to_owned(), base_url: base_url.to_owned() };
    let answer = app.auth.clone().resolve_redirect(request).await.map(Response::into_inner)?;
    let disposition = answer.disposition();
    Ok((answer.url, disposition))
}

async fn app() -> TestApp {
    builder().config(BASES).start().await
}

#[tokio::test]
async fn every_disposition_is_told_and_the_url_is_absolute() {
    let app = app().await;
    app.take_statements();
    for (url, wanted, disposition) in [
        ("/", "https://app.example.com/", Disposition::Relative),
        ("/inbox?a=//b#c", "https://app.example.com/inbox?a=//b#c", Disposition::Relative),
        ("https://app.example.com", APP, Disposition::SameOrigin),
        ("HTTPS://APP.example.com:443/x", "https://app.example.com/x", Disposition::SameOrigin),
        ("http://localhost:3000/x", "http://localhost:3000/x", Disposition::AllowedOrigin),
        (
            "https://pr-1.preview.example.com/",
            "https://pr-1.preview.example.com/",
            Disposition::AllowedOrigin,
        ),
        ("", APP, Disposition::Fallback),
        ("inbox", APP, Disposition::Fallback),
        ("https://evil.example/", APP, Disposition::Fallback),
    ] {
        assert_eq!(resolve(&app, url, "").await.unwrap(), (wanted.to_owned(), disposition), "{url}");
    }
    assert_eq!(app.take_statements(), [""; 0]);
}

#[tokio::test]
async fn a_request_chooses_among_the_configured_bases() {
    let app = app().await;
    for (base, origin) in [
        ("", APP),
        ("https://app.example.com", APP),
        ("https://app.example.com/", APP),
        ("HTTPS://app.EXAMPLE.com:443", APP),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://pr-1.preview.example.com", "https://pr-1.preview.example.com"),
    ] {
        let path = resolve(&app, "/x", base).await.unwrap();
        assert_eq!(path, (format!("{origin}/x"), Disposition::Relative), "{base}");
        let fallback = resolve(&app, "//evil.example", base).await.unwrap();
        assert_eq!(fallback, (origin.to_owned(), Disposition::Fallback), "{base}");
        let own = resolve(&app, &format!("{origin}/y"), base).await.unwrap();
        assert_eq!(own, (format!("{origin}/y"), Disposition::SameOrigin), "{base}");
    }
}

#[tokio::test]
async fn a_base_that_is_not_configured_is_no_base() {
    let app = app().await;
    for base in [
        " ",
        "/",
        "app.example.com",
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com/path",
        "https://app.example.com?x",
        "https://user@app.example.com",
        "https://preview.example.com",
        "https://a.b.preview.example.com",
        "https://*.preview.example.com",
        "https://app.example.com\u{0}",
        "javascript:alert(1)",
    ] {
        let answer = resolve(&app, "/x", base).await;
        assert_eq!(refusal(answer.clone()), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()), "{base}");
        assert_eq!(fields(answer), ["base_url"]);
    }
}

#[tokio::test]
async fn no_url_is_an_error() {
    let app = app().await;
    let long = format!("/{}", "a".repeat(2_048));
    let longer = "x".repeat(60_000);
    for junk in [
        "\0",
        " /x",
        "/x\n",
        "///",
        "/\\evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https://app.example.com@evil.example/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com.evil.example/",
        "https://app。example。com/",
        "https://app.example.com:99999/",
        "https://[::1",
        "blob:https://app.example.com/x",
        "javascript:alert(1)//https://app.example.com/",
        "data:text/html,x",
        "/a/../b",
        "/a%2fb",
        "\u{202e}/x",
        "%",
        "?x",
        "#x",
        &long,
        &longer,
    ] {
        let answer = resolve(&app, junk, "").await.unwrap();
        assert_eq!(answer, (APP.to_owned(), Disposition::Fallback), "{junk:?}");
    }
}

#[tokio::test]
async fn a_callback_is_asked_last_and_its_answer_passes_the_same_rule() {
    let hooks = on_redirect(|input| {
        Ok(match input.url.strip_prefix(input.base_url).unwrap() {
            "/home" => Some("/inbox".to_owned()),
            "/preview" => Some("https://pr-1.preview.example.com/x".to_owned()),
            "/evil" => Some("https://evil.example/".to_owned()),
            "/script" => Some("javascript:alert(1)".to_owned()),
            "/nothing" => Some(String::new()),
            // After a fallback the callback gets the base.
            "" => Some("/start".to_owned()),
            _ => None,
        })
    });
    let app = builder().config(BASES).callbacks(hooks).start().await;
    let local = "http://localhost:3000";
    for (url, base, wanted, disposition) in [
        ("/home", "", "https://app.example.com/inbox", Disposition::Relative),
        ("/home", local, "http://localhost:3000/inbox", Disposition::Relative),
        ("/preview", "", "https://pr-1.preview.example.com/x", Disposition::AllowedOrigin),
        ("/evil", "", APP, Disposition::Fallback),
        ("/evil", local, local, Disposition::Fallback),
        ("/script", "", APP, Disposition::Fallback),
        ("/nothing", "", APP, Disposition::Fallback),
        ("https://evil.example/", "", "https://app.example.com/start", Disposition::Relative),
        ("/same", "", "https://app.example.com/same", Disposition::Relative),
    ] {
        let answer = resolve(&app, url, base).await.unwrap();
        assert_eq!(answer, (wanted.to_owned(), disposition), "{url} from {base:?}");
    }
}

#[tokio::test]
async fn a_callback_that_fails_leaves_no_redirect() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let hooks = on_redirect(|_| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        Err(Callback::Redirect.failed("down"))
    });
    let app = builder().config(BASES).callbacks(hooks).start().await;
    let answer = resolve(&app, "/x", "").await;
    assert_eq!(refusal(answer), (Code::Unavailable, "CALLBACK_UNAVAILABLE".to_owned()));
    // An invalid base is rejected before any callback is called.
    let answer = resolve(&app, "/x", "https://evil.example").await;
    assert_eq!(refusal(answer), (Code::InvalidArgument, "INVALID_REQUEST".to_owned()));
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}
