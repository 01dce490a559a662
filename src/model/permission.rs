//! Permissions of callers. Each RPC names its permission in the proto file, with the option `(gatepass.v1.permission)`.
//! The build writes it into the service specifications that the transport reads.

use std::fmt;
use std::str::FromStr;

/// A permission of a caller, as spelled in `callers[].allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// `sign_in`: open, refresh and end sessions.
    SignIn,
    /// `sign_in.assert`: vouch for a profile without proof from its provider.
    SignInAssert,
    /// `session.read`: read sessions and resolve redirects.
    SessionRead,
    /// `revocation.watch`: follow the revocation feed.
    RevocationWatch,
    /// `admin.read`: read users, sessions and the auth log.
    AdminRead,
    /// `admin.write`: change users, end sessions.
    AdminWrite,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 6] = [
        Self::SignIn,
        Self::SignInAssert,
        Self::SessionRead,
        Self::RevocationWatch,
        Self::AdminRead,
        Self::AdminWrite,
    ];

    /// Returns its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignInAssert => "sign_in.assert",
            Self::SessionRead => "session.read",
            Self::RevocationWatch => "revocation.watch",
            Self::AdminRead => "admin.read",
            Self::AdminWrite => "admin.write",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Permission {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|permission| permission.name() == name).ok_or(())
    }
}
