//! The change feed: what its events say, and that none is lost, whatever fails.

mod batches;
mod events;
mod kills;
mod live;
mod lost_mirror;
mod own_writes;
mod reminders;
mod service;
mod sinks;
mod watch_world;
mod webhooks;
