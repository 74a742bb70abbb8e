//! The HighLevel API: one method per endpoint, paced, retried and decoded.
//!
//! A caller asks the [`Client`] for a page and gets an [`Answer`]: the body as the server sent it and
//! the few things in it that steer the work. Every request goes through the location's [`Pace`] and
//! through the decision table of `retry`. This floor knows neither runs nor tables nor files.

mod budget;
mod client;
mod clock;
mod connection;
mod credential;
mod error;
mod mutate;
mod mutation;
mod oauth;
mod pace;
mod page;
mod path;
mod probe;
mod retry;
mod route;
mod search;
mod send;
mod token;
mod transport;
mod wire;

pub use budget::{Budget, Reserve};
pub use client::{Client, Config, VERSION};
pub use connection::Obstacle;
pub use credential::{Credential, Denied};
pub use error::{Error, Kind};
pub use mutation::{Mutation, Sent, Turn};
pub use oauth::{App, Grant, Installed, Oauth, OauthError, OauthKind, Resource, UserType};
pub use pace::{Allowance, Halt, Limits, Pace};
pub use page::{
    Answer, CalendarHead, CalendarPage, ChildPage, ContactHead, ContactPage, Cursor, ListPage,
    LocationHead, TaskPage, TaskPlace,
};
pub use probe::{Knock, Page, Probe};
pub use retry::{Bounds, duplicate_of, is_gone, said};
pub use route::{Route, SEARCH_LIMIT};
pub use search::Filter;
pub use token::Token;
pub use transport::{Transport, TransportError, is_loopback, proxy_before};
pub use wire::rows;
