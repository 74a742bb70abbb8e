//! Access: where a profile's login is kept, and how its tokens stay valid.
//!
//! A [`Safe`] keeps one profile's record: a private integration's token, or an OAuth login with its app,
//! its refresh token and the tokens of a company's locations. [`Renewing`] and [`Agency`] hand tokens out of
//! it and renew them: under a lock that all processes share, and never without the new refresh token on disk
//! before the new token is used. What a token may do is for `api`, what is said to people for `cli`.

mod agency;
mod claims;
mod command;
mod error;
mod file;
mod held;
mod keeper;
mod keyring;
mod renewal;
mod safe;
mod seal;
mod stored;
#[cfg(test)]
#[cfg(unix)]
mod tests;

pub use agency::Agency;
pub use claims::{Claims, peek};
pub use command::{Command, CommandLine, command};
pub use error::Error;
pub use keeper::Renewing;
pub use keyring::available as keyring_available;
pub use safe::{Places, Safe, StoreKind, Unlock};
pub use stored::{Login, Private, Stored};
