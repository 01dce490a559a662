//! The rules for sign-ins, claims of tokens and sessions, and redirects. Each method is one callback of Auth.js.

use gatepass::grpc::proto::callback::v1::callback_service_server::CallbackService;
use gatepass::grpc::proto::callback::v1::{
    Allow, Deny, JwtRequest, JwtResponse, Redirect, RedirectRequest, RedirectResponse, SessionRequest,
    SessionResponse, SignInRequest, SignInResponse, jwt_response, sign_in_response,
};
use gatepass::grpc::proto::v1::Trigger;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use tonic::{Request, Response, Status};

const DOMAIN: &str = "company.com";
const ORGANISATION: &str = "acme";
const WAITING_LIST: &str = "waitlist.example";
const TENANT: &str = "acme";

/// The state of the rules: a connection pool, a client of another service or, as here, nothing.
pub(crate) struct Rules;

#[tonic::async_trait]
impl CallbackService for Rules {
    async fn sign_in(&self, request: Request<SignInRequest>) -> Result<Response<SignInResponse>, Status> {
        let request = request.into_inner();
        let outcome = match verified_email(&request).and_then(|email| email.rsplit_once('@')) {
            Some((_, DOMAIN)) => sign_in_response::Outcome::Allow(Allow {}),
            _ if is_member(&request) => sign_in_response::Outcome::Allow(Allow {}),
            Some((_, WAITING_LIST)) if request.is_new_user => {
                sign_in_response::Outcome::Redirect(Redirect { url: "/waiting-list".to_owned() })
            }
            Some((_, WAITING_LIST)) => sign_in_response::Outcome::Allow(Allow {}),
            _ => sign_in_response::Outcome::Deny(Deny {
                reason: "only for people of company.com and members of acme".to_owned(),
            }),
        };
        Ok(Response::new(SignInResponse { outcome: Some(outcome) }))
    }

    /// Runs again at each refresh with the current user, so that a new role takes effect. If you read permissions from a
    /// database, `await` it: this future is dropped at the deadline.
    async fn jwt(&self, request: Request<JwtRequest>) -> Result<Response<JwtResponse>, Status> {
        let request = request.into_inner();
        let role = request.user.as_ref().map(|user| user.role.as_str()).unwrap_or_default();
        if role == "suspended" {
            let deny = Deny { reason: "this user is suspended".to_owned() };
            let outcome = Some(jwt_response::Outcome::Deny(deny));
            return Ok(Response::new(JwtResponse { outcome }));
        }
        let permissions = permissions_of(role).iter().map(|name| text(name)).collect();
        let permissions = Kind::ListValue(ListValue { values: permissions });
        let mut claims = Struct::default();
        claims.fields.insert("tenant".to_owned(), text(TENANT));
        claims.fields.insert("permissions".to_owned(), Value { kind: Some(permissions) });
        // The claims already contain the application's changes: remove those that are not allowed.
        let update = request.update.as_ref().filter(|_| request.trigger == i32::from(Trigger::Update));
        if let Some(language) = update.and_then(|update| update.fields.get("language")) {
            let known = string(language).filter(|language| hello(language).is_some());
            let language = known.map_or(Value { kind: Some(Kind::NullValue(0)) }, text);
            claims.fields.insert("language".to_owned(), language);
        }
        Ok(Response::new(JwtResponse { outcome: Some(jwt_response::Outcome::Claims(claims)) }))
    }

    async fn session(&self, request: Request<SessionRequest>) -> Result<Response<SessionResponse>, Status> {
        let request = request.into_inner();
        let name = request.session.and_then(|session| session.user?.name);
        let language = request.claims.as_ref().and_then(|claims| string(claims.fields.get("language")?));
        let hello = hello(language.unwrap_or("en")).unwrap_or("Hello");
        let claims = name.map(|name| Struct {
            fields: [("greeting".to_owned(), text(&format!("{hello}, {name}")))].into(),
        });
        Ok(Response::new(SessionResponse { claims }))
    }

    async fn redirect(
        &self,
        request: Request<RedirectRequest>,
    ) -> Result<Response<RedirectResponse>, Status> {
        let RedirectRequest { url, base_url } = request.into_inner();
        let nowhere = url.strip_suffix('/').unwrap_or(&url) == base_url;
        Ok(Response::new(RedirectResponse { url: if nowhere { "/dashboard".to_owned() } else { url } }))
    }
}

/// Returns the address that proves the person now. The stored user keeps the address of an earlier sign-in, perhaps by
/// another account. Anyone can claim an unverified address: trust only a verified one.
fn verified_email(request: &SignInRequest) -> Option<&str> {
    let profile = request.profile.as_ref()?;
    let verified = profile.fields.get("email_verified")?.kind == Some(Kind::BoolValue(true));
    profile.fields.get("email").filter(|_| verified).and_then(string)
}

/// Checks the organisations in the profile. The application read them from GitHub (/user/orgs) and put them there.
fn is_member(request: &SignInRequest) -> bool {
    let github = request.account.as_ref().is_some_and(|account| account.provider == "github");
    let organizations = request.profile.as_ref().and_then(|profile| profile.fields.get("organizations"));
    let Some(Kind::ListValue(names)) = organizations.and_then(|value| value.kind.as_ref()) else {
        return false;
    };
    github && names.values.iter().any(|name| string(name) == Some(ORGANISATION))
}

fn permissions_of(role: &str) -> &'static [&'static str] {
    match role {
        "admin" => &["orders:read", "orders:write"],
        "user" => &["orders:read"],
        _ => &[],
    }
}

fn hello(language: &str) -> Option<&'static str> {
    [("en", "Hello"), ("de", "Hallo"), ("fr", "Bonjour")]
        .into_iter()
        .find_map(|(known, hello)| (known == language).then_some(hello))
}

fn text(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}

fn string(value: &Value) -> Option<&str> {
    if let Some(Kind::StringValue(text)) = &value.kind { Some(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_dashboard_is_the_default_page() {
        let base_url = "https://app.example.com".to_owned();
        let request = RedirectRequest { url: base_url.clone(), base_url };
        assert_eq!(Rules.redirect(Request::new(request)).await.unwrap().into_inner().url, "/dashboard");
    }
}
