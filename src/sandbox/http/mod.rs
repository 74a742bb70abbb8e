//! HTTP of the sandbox: server, routes, authorization, the rate limit, and the request log.

pub(super) mod app;
pub(super) mod auth;
pub(super) mod connection;
pub(super) mod rate_limit;
pub(super) mod request;
pub(super) mod request_log;
pub(super) mod response;
pub(super) mod routes;
pub(super) mod server;
