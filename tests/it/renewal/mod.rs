//! Renewal: tokens that end while they are needed, by one process and by many, with answers that never
//! come. Nobody is locked out, and nobody renews what somebody else has renewed.

mod agency;
mod login;
mod program;
mod together;
mod trouble;
