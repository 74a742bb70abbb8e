//! Renewal: tokens that end while they are needed, by one process and by many, with answers that never
//! come. Nobody is locked out, and nobody renews what somebody else has renewed.

mod concurrent_refresh;
mod location_tokens;
mod login_fixture;
mod refresh_failures;
mod refresh_in_commands;
