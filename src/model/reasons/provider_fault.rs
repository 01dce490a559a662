//! The kinds of provider faults.

use crate::model::name_enum::name_enum;

name_enum!(
    /// The kinds of provider faults; their names appear in the auth log and in error details.
    ProviderFaultKind {
        /// The provider did not respond in time.
        TimedOut = "PROVIDER_TIMED_OUT",
        /// The connection failed or broke.
        Unreachable = "PROVIDER_UNREACHABLE",
        /// The HTTP status is not that of a usable response.
        Status = "PROVIDER_STATUS",
        /// The response exceeds the size limit.
        TooLarge = "PROVIDER_RESPONSE_TOO_LARGE",
        /// The response is malformed: it is not JSON, a required member is missing, or no key is usable.
        Malformed = "PROVIDER_RESPONSE_MALFORMED",
        /// The metadata is unusable: wrong issuer, missing endpoint, or a URL that is not https.
        Metadata = "PROVIDER_METADATA_INVALID",
        /// The provider returned an OAuth error that denies the sign-in.
        ProviderError = "PROVIDER_ERROR",
        /// The token endpoint rejects the client, its secret, its redirect URI or its scopes.
        ClientRejected = "PROVIDER_MISCONFIGURED",
        /// Newer keys were needed, but were fetched too recently to be fetched again now.
        KeysThrottled = "PROVIDER_KEYS_THROTTLED",
        /// The code is invalid, already used, or belongs to another flow (`invalid_grant`).
        CodeRejected = "CODE_REJECTED",
        /// The response comes from another issuer than the flow's (RFC 9207).
        IssuerMismatch = "ISSUER_MISMATCH",
        /// A required ID token is missing.
        IdTokenMissing = "ID_TOKEN_MISSING",
        /// The ID token is not an acceptable JWT; this includes `alg: none`.
        IdTokenMalformed = "ID_TOKEN_MALFORMED",
        /// None of the provider's keys matches the ID token.
        IdTokenKeyUnknown = "ID_TOKEN_KEY_UNKNOWN",
        /// The ID token's signature is invalid.
        IdTokenSignature = "ID_TOKEN_SIGNATURE_INVALID",
        /// The ID token comes from another issuer.
        IdTokenIssuer = "ID_TOKEN_ISSUER_MISMATCH",
        /// The ID token is for another client (`aud`, `azp`).
        IdTokenAudience = "ID_TOKEN_AUDIENCE_MISMATCH",
        /// The ID token has expired.
        IdTokenExpired = "ID_TOKEN_EXPIRED",
        /// The ID token was issued in the future, or too long ago.
        IdTokenIssuedAt = "ID_TOKEN_NOT_CURRENT",
        /// The ID token's nonce is missing, or belongs to another flow.
        IdTokenNonce = "ID_TOKEN_NONCE_MISMATCH",
        /// The ID token does not prove a sufficiently recent authentication (`max_age`, `auth_time`).
        IdTokenAuthTime = "ID_TOKEN_AUTH_TIME",
        /// The ID token belongs to another access token (`at_hash`).
        IdTokenAccessToken = "ID_TOKEN_ACCESS_TOKEN_MISMATCH",
        /// The ID token has already been used for a sign-in.
        IdTokenUsed = "ID_TOKEN_USED",
        /// The userinfo endpoint describes another subject.
        SubjectMismatch = "SUBJECT_MISMATCH",
        /// The profile has no id, an invalid e-mail address, or is too large.
        Profile = "PROFILE_UNUSABLE",
    }
);

/// The effect of a provider fault on a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderFaultMeaning {
    /// The provider gave no usable response; a retry may succeed.
    Unavailable,
    /// The provider denied the sign-in.
    Refused,
    /// The configuration of Gatepass, or of the provider, must be corrected.
    Misconfigured,
    /// The presented credential is invalid.
    NoProof,
}

impl ProviderFaultKind {
    /// Returns its effect on a sign-in.
    #[must_use]
    pub const fn meaning(self) -> ProviderFaultMeaning {
        match self {
            Self::TimedOut
            | Self::Unreachable
            | Self::Status
            | Self::TooLarge
            | Self::Malformed
            | Self::KeysThrottled => ProviderFaultMeaning::Unavailable,
            Self::Metadata | Self::ClientRejected => ProviderFaultMeaning::Misconfigured,
            Self::ProviderError => ProviderFaultMeaning::Refused,
            Self::CodeRejected
            | Self::IssuerMismatch
            | Self::IdTokenMissing
            | Self::IdTokenMalformed
            | Self::IdTokenKeyUnknown
            | Self::IdTokenSignature
            | Self::IdTokenIssuer
            | Self::IdTokenAudience
            | Self::IdTokenExpired
            | Self::IdTokenIssuedAt
            | Self::IdTokenNonce
            | Self::IdTokenAuthTime
            | Self::IdTokenAccessToken
            | Self::IdTokenUsed
            | Self::SubjectMismatch
            | Self::Profile => ProviderFaultMeaning::NoProof,
        }
    }
}
