//! Token refresh: tokens that expire while they are needed, by one process and by many, with answers that never
//! come. The login stays usable, and no process refreshes a token that another has refreshed.

mod concurrent_refresh;
mod location_tokens;
mod login_fixture;
mod refresh_failures;
mod refresh_in_commands;
