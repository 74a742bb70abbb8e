//! Moves contacts between a HighLevel account and files.
pub mod api;
pub mod cli;
pub mod event;
pub mod export;
pub mod flight;
pub mod id;
pub mod publish;
pub mod pull;
pub mod resource;
pub mod run;
pub mod sandbox;
pub mod table;
