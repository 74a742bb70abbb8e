//! Which snapshot a command reads, and how.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::open_repository::{IdentityArg, RepositoryRef, list_snapshots, select_locations};
use crate::cli::args::time_arg::parse_past_time;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::repository::{Chain, Identities, Repository, SnapshotChoice};

/// Which snapshot a command reads.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SnapshotArg {
    /// The last snapshot of this time or before: a time, a date (UTC; the end of that day) or a duration such as `7d`
    /// [default: the latest]
    #[arg(long, value_name = "TIME", value_parser = parse_at, conflicts_with = "snapshot")]
    pub(crate) at: Option<Timestamp>,

    /// The snapshot: `latest`, `latest~1` for the one before, or its id, its beginning or its last four characters
    #[arg(long, value_name = "ID", value_parser = str::parse::<SnapshotChoice>)]
    pub(crate) snapshot: Option<SnapshotChoice>,

    #[command(flatten)]
    pub(crate) identity: IdentityArg,
}

/// A moment past. A date means all of that day: its snapshot may have been made at any hour.
fn parse_at(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<jiff::civil::Date>().ok().filter(|_| !text.contains(['T', ' ', ':']));
    let end = day.and_then(|day| day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok());
    let end =
        end.and_then(|end| end.timestamp().checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
    end.map_or_else(|| parse_past_time(text), Ok)
}

impl SnapshotArg {
    /// Which snapshot is meant.
    pub(crate) fn choice(&self) -> SnapshotChoice {
        match (self.at, &self.snapshot) {
            (Some(at), _) => SnapshotChoice::At(at),
            (None, Some(named)) => named.clone(),
            (None, None) => SnapshotChoice::default(),
        }
    }
}

/// A repository that is read, with what decrypts it.
pub(crate) struct SnapshotSource {
    pub(crate) repository: Repository,
    identities: Option<Identities>,
    choice: SnapshotChoice,
}

impl SnapshotSource {
    /// Opens the repository that is meant.
    pub(crate) fn open(
        from: Option<&str>,
        arg: &SnapshotArg,
        settings: &Settings,
    ) -> Result<Self, CliError> {
        let place = RepositoryRef::resolve(from, settings)?;
        let repository = place.open()?;
        let identities = place.identities(&arg.identity)?;
        Ok(Self { repository, identities, choice: arg.choice() })
    }

    /// The locations that are meant.
    pub(crate) fn locations(&self, settings: &Settings) -> Result<Vec<LocationId>, CliError> {
        let locations = select_locations(&self.repository, settings)?;
        if locations.is_empty() {
            return Err(CliError::new(CliExitCode::Missing, "the repository has no snapshots")
                .with_hint("`ghl-bulk backup` makes one"));
        }
        Ok(locations)
    }

    /// Opens the snapshot of a location.
    pub(crate) fn open_chain(&self, location: &LocationId) -> Result<Chain, CliError> {
        self.open_chosen_chain(location, &self.choice)
    }

    /// Opens another snapshot of a location.
    pub(crate) fn open_chosen_chain(
        &self,
        location: &LocationId,
        choice: &SnapshotChoice,
    ) -> Result<Chain, CliError> {
        let list = list_snapshots(&self.repository, location)?;
        let snapshot = list.choose(choice)?;
        Ok(self.repository.open_chain(&list, snapshot, self.identities.clone())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_end_of_its_day_and_a_time_is_itself() {
        assert_eq!(parse_at("2026-11-01").unwrap().to_string(), "2026-11-01T23:59:59.999999999Z");
        assert_eq!(parse_at("2026-11-01T06:00:00Z").unwrap().to_string(), "2026-11-01T06:00:00Z");
        assert_eq!(parse_at("2026-11-01T06:00").unwrap().to_string(), "2026-11-01T06:00:00Z");
        assert!(parse_at("7d").unwrap() < Timestamp::now());
        assert!(parse_at("soon").is_err());
    }
}
