//! The HighLevel API: one method per endpoint, rate-limited, retried and decoded.
//!
//! A caller asks the [`ApiClient`] for a page and gets an [`ApiResponse`]: the body as the server
//! sent it, plus the ids, cursors and counts that drive paging. Every request goes through the
//! location's [`RateLimiter`] and the decision table in `retry`. This room knows nothing of runs,
//! tables or files. How the API behaves, each fact with its source, is described in [`facts`].

mod attempt;
mod attempt_log;
mod broken_record;
mod client;
mod clock;
mod connect_error;
mod contact_lookup;
mod daily_quota;
mod date_ranges;
mod decode;
mod endpoint;
mod endpoint_breaker;
mod error;
mod foreign_response;
mod http;
mod list_end;
mod location_access;
mod lookup_access;
mod mutation;
mod note_search;
mod oauth;
mod probe;
mod rate_limit;
mod refusal;
mod repair;
mod repeated_pages;
mod response;
mod retry;
mod retry_after;
mod retry_schedule;
mod search_options;
mod search_request;
mod send;
mod task_page;
mod task_search;
mod token;
mod token_provider;
mod url;
mod write;

#[expect(clippy::doc_markdown, reason = "prose about the API, not about items of this crate")]
#[doc = include_str!("README.md")]
pub mod facts {}

pub(crate) use attempt::root_cause;
pub use broken_record::BrokenRecord;
pub use client::{ApiClient, ApiClientConfig, VERSION};
pub use connect_error::ConnectError;
pub use contact_lookup::LookupValue;
pub use daily_quota::{QuotaPolicy, QuotaReserve};
#[cfg(feature = "fuzzing")]
pub use decode::fuzz_decoders;
pub use decode::parse_list_rows;
pub use endpoint::{ApiEndpoint, SEARCH_LIMIT};
pub use error::{ApiError, ApiErrorKind, EndpointFault};
pub use foreign_response::ForeignResponse;
pub use http::{HttpOptions, HttpSetupError, is_loopback_url, proxy_for_url};
pub use list_end::believable_total;
pub use mutation::{WriteOutcome, WritePermit, WriteRequest};
pub use note_search::{
    NOTE_SEARCH_LIMIT, NoteOrder, NotePage, NoteQuery, NoteRef, NoteSearchDialect,
    NoteSearchVersion, RelationForm, parse_note_ref,
};
pub use oauth::{
    InstalledLocation, OauthApp, OauthClient, OauthError, OauthErrorKind, OauthGrant,
    ReconnectTarget, UserType,
};
pub use probe::{ApiProbe, ResponseBodyKind, UnauthenticatedResponse};
pub use rate_limit::{
    HaltReason, LimitPriority, RateLimitStatus, RateLimiter, RateLimits, SharedWindow,
};
#[cfg(feature = "fuzzing")]
pub use repair::fuzz_repair;
pub use repeated_pages::{RepeatedPages, repeated_pages_error};
pub use response::{
    ApiResponse, BusinessPage, CalendarList, CalendarRef, ChildList, ContactPage, ContactRef,
    ListPage, LocationDetails, MissingRows, SearchCursor, WholeList,
};
pub use retry::{RetryPolicy, error_message, is_gone_response, parse_duplicate_refusal};
pub use search_request::ContactSearchFilter;
pub use task_page::{TaskPage, TaskSearchPosition, TaskWalkStep};
pub use token::BearerToken;
pub use token_provider::{TokenProvider, TokenUnavailable};
