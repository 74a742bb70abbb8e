//! Watch: tells sinks what has changed in a location.
//!
//! After each sync, [`EventFeed`] turns the changes that the mirror's log has into events and puts them into the outbox of
//! each sink; [`SinkWorker`]s deliver them, each at its own pace, and remove an event once its sink has it. So every
//! change is delivered at least once, with the same event id each time, and the events about one record arrive in order.
//! A sink that fails keeps its events and holds up no other one. Nothing here reads the account or prints.

mod deliver;
mod error;
mod event_body;
mod event_feed;
mod event_layout;
mod event_name;
mod own_writes;
mod reminder_feed;
mod row_members;
mod row_reader;
mod sink;
mod watched_mirror;

pub use deliver::{DeliveryMode, DeliveryResult, SinkWorker};
pub use error::WatchError;
pub use event_feed::{EventFeed, FeedOptions, SinkStart};
pub use event_name::{EventFilter, EventName, UnknownEventName};
pub use sink::{ExecSink, JsonLinesSink, PostSink, PostUrlError, Sink, SinkError, WebhookSecret};
pub use watched_mirror::WatchedMirror;
