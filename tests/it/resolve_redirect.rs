//! `ResolveRedirect`: every input gets an answer. The rule itself is tested where it stands, in `model/redirect.rs`.

use gatepass::grpc::proto::v1::{Disposition, ResolveRedirectRequest};
use tonic::{Code, Response, Status};

use crate::support::hooks::on_redirect;
use crate::support::{TestApp, app, builder, refusal};

async fn resolve(app: &TestApp, url: &str, base_url: &str) -> Result<(String, Disposition), Status> {
    let request = ResolveRedirectRequest { url: url.to_owned(), base_url: base_url.to_owned() };
    let answer = app.auth.clone().resolve_redirect(request).await.map(Response::into_inner)?;
    let disposition = answer.disposition();
    Ok((answer.url, disposition))
}

#[tokio::test]
async fn redirects_stay_on_allowed_sites() {
    let sites = "base_urls: [https://app.example.com, https://www.example.com, 'https://*.shop.example.com']";
    let app = builder().config(sites).start().await;
    for (url, base, wanted, disposition) in [
        ("/a?b=c#d", "", "https://app.example.com/a?b=c#d", Disposition::Relative),
        ("https://app.example.com/x", "", "https://app.example.com/x", Disposition::SameOrigin),
        ("https://www.example.com/x", "", "https://www.example.com/x", Disposition::AllowedOrigin),
        ("https://de.shop.example.com/x", "", "https://de.shop.example.com/x", Disposition::AllowedOrigin),
        ("/a", "https://www.example.com", "https://www.example.com/a", Disposition::Relative),
        ("https://evil.example/x", "", "https://app.example.com", Disposition::Fallback),
        (
            "https://evil.example/x",
            "https://www.example.com/",
            "https://www.example.com",
            Disposition::Fallback,
        ),
        ("", "", "https://app.example.com", Disposition::Fallback),
    ] {
        assert_eq!(resolve(&app, url, base).await.unwrap(), (wanted.to_owned(), disposition), "{url}");
    }
    for base in
        ["https://evil.example", "x", "https://app.example.com.evil.example", "http://app.example.com"]
    {
        let refused = refusal(resolve(&app, "/a", base).await);
        assert_eq!(refused, (Code::InvalidArgument, "INVALID_REQUEST".to_owned()), "{base}");
    }
}

#[tokio::test]
async fn junk_falls_back_and_never_fails() {
    let app = app().await;
    let long = "/".to_owned() + &"a".repeat(10_000);
    for url in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "blob:http://localhost:3000/x",
        "http://localhost:3000@evil.example",
        "http://user:pw@localhost:3000/",
        "dashboard",
        "?x",
        "#x",
        " /a",
        "/a\r\nSet-Cookie: x=1",
        "/a/../b",
        "/a%2fb",
        "http://[::1",
        "https://%zz",
        "\u{0}",
        &long,
    ] {
        let answer = resolve(&app, url, "").await.unwrap();
        assert_eq!(answer, ("http://localhost:3000".to_owned(), Disposition::Fallback), "{url:?}");
    }
}

#[tokio::test]
async fn a_redirect_callback_runs_last_and_its_answer_passes_the_rule() {
    let hooks = on_redirect(|input| {
        Ok(match input.url {
            "http://localhost:3000/home" => Some("/dashboard".to_owned()),
            "http://localhost:3000/out" => Some("https://evil.example/".to_owned()),
            _ => None,
        })
    });
    let app = builder().callbacks(hooks).start().await;
    for (url, wanted) in [("/home", "/dashboard"), ("/out", ""), ("/else", "/else"), ("//evil.example", "")] {
        let (answer, _) = resolve(&app, url, "").await.unwrap();
        assert_eq!(answer, format!("http://localhost:3000{wanted}"), "{url}");
    }
}
