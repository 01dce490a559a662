//! `redirect_schemes`: links into apps.

use gatepass::grpc::proto::v1::{BeginSignInRequest, Disposition, ResolveRedirectRequest, SignInRequest};

use crate::support::fields;
use crate::support::provider::TestProvider;
use crate::support::signing_in::{begin, entry, with_providers};
use crate::support::{Builder, allowed, builder, profile};

const LINK: &str = "com.example.app:/signed-in?tab=1";

fn with_scheme(builder: Builder) -> Builder {
    builder.config("redirect_schemes: [com.example.app]")
}

#[tokio::test]
async fn a_person_may_be_sent_into_an_app_whose_scheme_is_listed() {
    let app = with_scheme(builder()).start().await;
    assert_eq!(app.resolve(LINK).await.unwrap(), (LINK.to_owned(), Disposition::AllowedScheme));
    let request = SignInRequest { redirect_to: LINK.to_owned(), ..profile("ada") };
    assert_eq!(allowed(app.try_sign_in(request).await).redirect_to, LINK);
    let other = app.resolve("com.example.other:/x").await.unwrap();
    assert_eq!(other, ("http://localhost:3000".to_owned(), Disposition::Fallback));
}

#[tokio::test]
async fn an_app_is_never_a_base() {
    let app = with_scheme(builder()).start().await;
    let request = ResolveRedirectRequest { url: "/x".to_owned(), base_url: "com.example.app:/".to_owned() };
    assert_eq!(fields(app.auth.clone().resolve_redirect(request).await), ["base_url"]);
}

#[tokio::test]
async fn a_sign_in_comes_back_to_an_app_only_by_the_providers_list() {
    let provider = TestProvider::start().await;
    let listed = "com.example.app:/callback";
    let entry = entry("corp", &provider, &format!("redirect_uris: ['{listed}']"));
    let app = with_scheme(with_providers(&[entry])).start().await;
    let with = |uri: &str| BeginSignInRequest { redirect_uri: uri.to_owned(), ..begin("corp") };
    app.begin(with(listed)).await.unwrap();
    for other in
        ["com.example.app:/callback/", "com.example.app:/Callback", "com.example.app://callback/x", LINK]
    {
        assert_eq!(fields(app.begin(with(other)).await), ["redirect_uri"], "{other}");
    }
}
