//! Access: where a profile's login is kept, and how its tokens stay valid.
//!
//! A [`Safe`] keeps one profile's record: a private integration's token, or an OAuth login with its app,
//! its refresh token and the tokens of a company's locations. [`Renewing`] and [`Agency`] hand tokens out of
//! it and renew them: under a lock that all processes share, and never without the new refresh token on disk
//! before the new token is used. What a token may do is for `api`, what is said to people for `cli`.

mod agency;
mod credentials;
mod error;
mod expiry;
mod jwt;
mod refresh;
mod refresher;
mod store;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod token_command;

pub use agency::Agency;
pub use credentials::{Login, Private, Stored};
pub use error::Error;
pub use jwt::{Claims, peek};
pub use refresher::Renewing;
pub use store::keyring::available as keyring_available;
pub use store::{Places, Safe, StoreKind, Unlock};
pub use token_command::{Command, CommandLine, command};
