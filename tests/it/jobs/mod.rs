//! Jobs: the steps of the configuration, what surrounds them, and how the system runs them.

mod hooks;
mod installs;
mod job_world;
mod metrics;
mod pings;
mod settings;
mod steps;
