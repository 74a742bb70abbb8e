//! `--with`: what is read in addition to contacts.

use clap::ValueEnum;

/// A table that is read in addition to contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WithTableArg {
    Tasks,
    Notes,
    Appointments,
    Businesses,
    None,
}
