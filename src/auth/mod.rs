//! Floor 2, the use cases: one file an RPC, named like it, and beside them what they share — the callbacks trait,
//! callers, what is revoked, and the one domain error. Knows stores and tokens by their traits and types, and
//! neither gRPC nor SQL.

mod admin;
pub mod ask;
mod call_context;
mod callbacks;
mod caller;
mod error;
mod feed;
mod per_callback;
mod redirect;
mod reload_keys;
mod revocation;
mod rules;
mod session;
mod sign_in;

pub use admin::get_user::UserKey;
pub use admin::update_user::{UpdateUser, UserChange};
pub use call_context::{CallContext, OfCall};
pub use callbacks::{
    Callback, CallbackResult, Callbacks, Denial, DenialReason, JwtDecision, JwtInput, RedirectInput,
    SessionInput, SignInDecision, SignInInput, Trigger,
};
pub use caller::{Call, Caller, Callers};
pub use error::{CallbackFailure, Error, FailureKind, FieldFault, Result};
pub use feed::Follower;
pub use per_callback::PerCallback;
pub use redirect::ResolveRedirect;
pub use reload_keys::ReloadKeys;
pub use revocation::{Revocations, UserNow, UserRead};
pub use rules::{Auth, LateRetry, Parts, ProviderRules, Rules, SignInRules, Strategy, UserClaim};
pub use session::get_session::{GetSession, SessionAnswer, SessionReader, SessionReaders};
pub use session::issue_token::IssueToken;
pub use session::jwt_reader::JwtReader;
pub use session::reference_reader::ReferenceReader;
pub use session::refresh_token::RefreshToken;
pub use session::session_rows::{ReadSessionRows, Reading, RememberedRows, SessionRows, StoredRows};
pub use session::sign_out::{SignOut, SignOutToken};
pub use session::token_response::{Issued, Rotation};
pub use session::view::{SessionUser, SessionView};
pub use sign_in::begin::{BeginSignIn, Begun};
pub use sign_in::complete::{Allowed, Denied, SignIn, SignInOutcome};
pub use sign_in::credential::callback::{Binding, Credential, IdTokenCredential, OAuthCallback};
