//! Moves contacts between a HighLevel account and files.
pub mod api;
pub mod event;
pub mod flight;
pub mod id;
pub mod pull;
pub mod run;
