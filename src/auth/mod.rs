//! Floor 2, the use cases. Each is a struct of its few dependencies, named like its RPC and kept in the room of its
//! subject. The rooms share the callbacks trait, callers, the auth log, revocations, and the one domain error. They
//! know stores and tokens by their traits and types, and neither gRPC nor SQL.

mod admin;
mod audit;
mod call_context;
mod callbacks;
mod caller;
mod error;
mod live;
mod redirect;
mod reload_keys;
mod retry;
mod revocation;
mod rules;
#[cfg(test)]
mod samples;
mod service;
mod session;
mod sign_in;

pub use admin::get_user::{GetUser, UserKey};
pub use admin::revoke_session::RevokeSession;
pub use admin::revoke_user_sessions::RevokeUserSessions;
pub use admin::update_user::{UpdateUser, UpdateUserRequest, UserChange};
pub use audit::{Audit, DenialSampler};
pub use call_context::{CallContext, OfCall};
pub use callbacks::{
    Answer, AnyCallbacks, Ask, Callback, CallbackResult, CallbackSet, Callbacks, ClaimRules, Denial, Invoke,
    JwtDecision, JwtInput, PerCallback, Question, RedirectInput, SessionInput, SignInDecision, SignInInput,
    Trigger,
};
pub use caller::{Call, Caller, Callers};
pub use error::{CallbackFailure, Error, FailureKind, FieldFault, Result};
pub use redirect::{ResolveRedirect, ResolveRedirectRequest};
pub use reload_keys::ReloadKeys;
pub use revocation::{
    Follower, FollowerRules, FollowerState, Gone, LocalRevocations, Position, Revocations, SessionEnder,
    UserNow, UserRead,
};
pub use rules::{
    AttributeSync, EmailSync, LateRetry, ProviderRules, Rules, SignInRules, Strategy, SyncRules, UserClaim,
};
pub use service::Auth;
pub use session::access_token::{AccessRules, AccessTokens};
pub use session::get_session::GetSession;
pub use session::issue_token::{IssueToken, IssueTokenRequest};
pub use session::jwt_reader::JwtReader;
pub use session::readers::{
    CredentialKind, GetSessionRequest, ReaderRules, SessionAnswer, SessionCredential, SessionReader,
    SessionReaders,
};
pub use session::reference_reader::ReferenceReader;
pub use session::refresh_token::{RefreshRules, RefreshToken, RefreshTokenRequest};
pub use session::rotation::RotationRules;
pub use session::session_rows::{ReadSessionRows, Reading, RememberedRows, SessionRows, StoredRows};
pub use session::sign_out::{SignOut, SignOutRequest, SignOutToken};
pub use session::token_issuer::TokenIssuer;
pub use session::token_names::TokenNames;
pub use session::token_response::{Rotation, TokenResponse};
pub use session::view::{SessionUser, SessionView};
pub use sign_in::answer::SignIn;
pub use sign_in::begin::{BeginSignIn, BeginSignInRequest, Begun, RedirectRules};
pub use sign_in::complete::{CompleteSignIn, SignInRequest};
pub use sign_in::counts::SignInCounts;
pub use sign_in::credential::presented::{Binding, Credential, IdTokenCredential, OAuthCallback};
pub use sign_in::credential::prove::Credentials;
pub use sign_in::denial::{DenialUrls, Denials};
pub use sign_in::dropped_attributes::DroppedAttributes;
pub use sign_in::flows::Flows;
pub use sign_in::link_account::LinkAccount;
pub use sign_in::open_session::OpenSession;
pub use sign_in::outcome::{Allowed, Denied, SignInOutcome};
pub use sign_in::pending_session::SessionDrafts;
pub use sign_in::repeat::news::OutcomeNews;
pub use sign_in::repeat::repeats::Repeats;
pub use sign_in::resolve_user::ResolveUser;
pub use sign_in::signed_in::{LinkRules, LinkSessions};
