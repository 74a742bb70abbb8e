//! The HighLevel API: one method per endpoint, paced, retried and decoded.
//!
//! A caller asks the [`Client`] for a page and gets an [`Answer`]: the body as the server sent it and
//! the few things in it that steer the work. Every request goes through the location's [`Pace`] and
//! through the decision table of `retry`. This floor knows neither runs nor tables nor files.

mod client;
mod clock;
mod connect_error;
mod daily_quota;
mod decode;
mod endpoint;
mod error;
mod http;
mod mutation;
mod oauth;
mod probe;
mod rate_limit;
mod response;
mod retry;
mod search_request;
mod send;
mod token;
mod token_provider;
mod url;
mod write;

pub use client::{Client, Config, VERSION};
pub use connect_error::Obstacle;
pub use daily_quota::{Budget, Reserve};
pub use decode::rows;
pub use endpoint::{Route, SEARCH_LIMIT};
pub use error::{Error, Kind};
pub use http::{Transport, TransportError, is_loopback, proxy_before};
pub use mutation::{Mutation, Sent, Turn};
pub use oauth::{App, Grant, Installed, Oauth, OauthError, OauthKind, Resource, UserType};
pub use probe::{Knock, Page, Probe};
pub use rate_limit::{Allowance, Halt, Limits, Pace};
pub use response::{
    Answer, CalendarHead, CalendarPage, ChildPage, ContactHead, ContactPage, Cursor, ListPage,
    LocationHead, TaskPage, TaskPlace,
};
pub use retry::{Bounds, duplicate_of, is_gone, said};
pub use search_request::Filter;
pub use token::Token;
pub use token_provider::{Credential, Denied};
