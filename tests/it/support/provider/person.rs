//! The people who log in.

use gatepass::model::ClaimMap;
use serde_json::{Value, json};

/// A person at the provider.
#[derive(Debug, Clone)]
pub struct Person {
    /// The claim `sub`.
    pub id: String,
    /// The `id` at GitHub.
    pub number: u64,
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    pub picture: Option<String>,
    /// Further claims of the ID token and of the userinfo endpoint.
    pub more: ClaimMap,
}

impl Person {
    /// Builds a person with a verified e-mail of that name.
    pub fn named(name: &str) -> Self {
        Self {
            id: name.to_owned(),
            number: name.bytes().fold(7, |number, byte| number * 31 % 999_983 + u64::from(byte)),
            email: Some(format!("{name}@example.com")),
            email_verified: true,
            name: Some(name.to_owned()),
            picture: Some(format!("https://pictures.example/{name}.png")),
            more: ClaimMap::new(),
        }
    }

    pub fn without_email(self) -> Self {
        Self { email: None, ..self }
    }

    pub fn with_email(self, email: &str, verified: bool) -> Self {
        Self { email: Some(email.to_owned()), email_verified: verified, ..self }
    }

    /// Adds a claim.
    pub fn with(mut self, claim: &str, value: Value) -> Self {
        self.more.insert(claim.to_owned(), value);
        self
    }

    /// Returns the profile in the form of OpenID Connect (Core section 5.1), without `sub`.
    pub(super) fn claims(&self) -> ClaimMap {
        let mut claims = self.more.clone();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        };
        set("email", self.email.clone().map(Value::from));
        set("email_verified", self.email.is_some().then(|| self.email_verified.into()));
        set("name", self.name.clone().map(Value::from));
        set("picture", self.picture.clone().map(Value::from));
        claims
    }

    /// Returns the profile in the form of GitHub's `/user`. Its e-mail is the public one, which is not verified.
    pub(super) fn user(&self) -> ClaimMap {
        let mut user = self.more.clone();
        let told = json!({
            "login": self.id, "id": self.number, "node_id": "MDQ6VXNlcjE=", "type": "User",
            "avatar_url": self.picture, "name": self.name, "email": format!("public-{}@example.org", self.id),
        });
        user.extend(told.as_object().unwrap().clone());
        user
    }

    /// Returns the e-mails in the form of GitHub's `/user/emails`.
    pub(super) fn emails(&self) -> Value {
        let entry = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified, "visibility": null});
        let mut emails = vec![entry(&format!("other-{}@example.org", self.id), false, true)];
        emails.extend(self.email.as_deref().map(|email| entry(email, true, self.email_verified)));
        emails.into()
    }
}
