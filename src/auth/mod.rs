//! Authentication: where a profile's login is stored, and how its tokens stay valid.
//!
//! A [`CredentialStore`] holds one profile's record: a private integration token, or an OAuth login
//! with its app, its refresh token and the tokens of a company's locations.
//! [`RefreshingTokenProvider`] and [`AgencyAuth`] provide tokens from it and refresh them, under a
//! lock that all processes share, and always with the new refresh token on disk before the new
//! token is used. What a token may do is up to `api`, messages to users up to `cli`.

mod agency;
mod credentials;
mod error;
mod expiry;
mod jwt;
mod refresh_request;
mod refresher;
mod store;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod token_command;

pub use agency::AgencyAuth;
pub use credentials::{OauthLogin, PrivateIntegration, StoredCredentials};
pub use error::AuthError;
pub use jwt::{JwtClaims, decode_unverified_claims};
pub use refresher::RefreshingTokenProvider;
pub use store::keyring::check_available as keyring_available;
pub(crate) use store::record_file::is_open_to_others;
pub use store::{AgeKeySource, CredentialDir, CredentialStore, CredentialStoreKind};
pub(crate) use token_command::remove_own_secrets;
pub use token_command::{
    CommandTokenProvider, TokenCommand, run_secret_command, run_token_command,
};
