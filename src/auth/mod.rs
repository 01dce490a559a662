//! Floor 2, the use cases: one file an RPC, named like it, and beside them what they share — the callbacks trait,
//! callers, what is revoked, and the one domain error. Knows stores and tokens by their traits and types, and
//! neither gRPC nor SQL.

mod begin_sign_in;
mod call_context;
mod callbacks;
mod caller;
mod denied;
mod error;
mod feed;
mod flow;
mod get_session;
mod get_user;
mod issue_token;
mod issued;
mod jwt_reader;
mod link_account;
mod opening;
mod pending;
mod person;
mod prove;
mod reference_reader;
mod refresh_token;
mod reload_keys;
mod resolve_redirect;
mod revocation;
mod revoke_session;
mod revoke_user_sessions;
mod session;
mod session_rows;
mod shared;
mod sign_in;
mod sign_out;
mod signed_in;
mod update_user;

pub use begin_sign_in::{BeginSignIn, Begun};
pub use call_context::{CallContext, OfCall};
pub use callbacks::{
    Answer, AnyCallbacks, Ask, Callback, CallbackResult, CallbackSet, Callbacks, Denial, DenialReason,
    JwtDecision, JwtInput, PerCallback, Question, RedirectInput, SessionInput, SignInDecision, SignInInput,
    Trigger, invoke as ask,
};
pub use caller::{Call, Caller, Callers};
pub use error::{CallbackFailure, Error, FailureKind, FieldFault, Result};
pub use feed::Follower;
pub use get_session::{GetSession, SessionAnswer, SessionReader, SessionReaders};
pub use get_user::UserKey;
pub use issue_token::IssueToken;
pub use issued::{Issued, Rotation};
pub use jwt_reader::JwtReader;
pub use prove::{Binding, Credential, IdTokenCredential, OAuthCallback};
pub use reference_reader::ReferenceReader;
pub use refresh_token::RefreshToken;
pub use reload_keys::ReloadKeys;
pub use resolve_redirect::ResolveRedirect;
pub use revocation::{Revocations, UserNow, UserRead};
pub use session::{SessionUser, SessionView};
pub use session_rows::{ReadSessionRows, Reading, RememberedRows, SessionRows, StoredRows};
pub use shared::{Auth, LateRetry, Parts, ProviderRules, Rules, SignInRules, Strategy, UserClaim};
pub use sign_in::{Allowed, Denied, SignIn, SignInOutcome};
pub use sign_out::{SignOut, SignOutToken};
pub use update_user::{UpdateUser, UserChange};
