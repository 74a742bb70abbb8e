//! `ghl-bulk backup verify --live`: contacts of the latest snapshot, compared with the account.

use std::collections::BTreeMap;

use super::open_repository::list_snapshots;
use crate::cli::account::{ClientPurpose, LocationAccounts, MultiLocationArgs};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::LocationId;
use crate::inspect::{LiveReport, LiveSample};
use crate::repository::{Identities, Repository, SnapshotChoice};
use crate::text::{escape_for_terminal, format_plural};

/// How many contacts that differ are named.
const NAMED: usize = 20;
/// Seeds that a person may type again.
const SEEDS: u64 = 1_000_000;

/// Compares contacts with the account.
pub(super) struct LiveCheck {
    count: usize,
    seed: u64,
    replay: Option<SnapshotChoice>,
    accounts: LocationAccounts,
    /// What came of it, by location.
    pub(super) reports: BTreeMap<LocationId, LiveReport>,
}

impl LiveCheck {
    /// What the options ask for, if they do. A missing token is an error before anything is read.
    pub(super) fn prepare(
        count: Option<u32>,
        seed: Option<u64>,
        replay: Option<&SnapshotChoice>,
        settings: &Settings,
    ) -> Result<Option<Self>, CliError> {
        let Some(count) = count else { return Ok(None) };
        let accounts = LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?;
        Ok(Some(Self {
            count: count as usize,
            seed: seed.unwrap_or_else(|| fastrand::u64(0..SEEDS)),
            replay: replay.cloned(),
            accounts,
            reports: BTreeMap::new(),
        }))
    }

    /// Compares contacts of a location's snapshot: the latest, or the one that is merged.
    pub(super) fn compare(
        &mut self,
        repository: &Repository,
        location: &LocationId,
        identities: Option<Identities>,
        settings: &Settings,
        screen: &CliReporter,
    ) -> Result<(), CliError> {
        let account = self.accounts.all.iter().find(|account| account.location == *location);
        let account = account.ok_or_else(|| {
            let shown = escape_for_terminal(location.as_str());
            CliError::new(CliExitCode::Access, format!("there is no token for location `{shown}`"))
                .with_hint("name the locations to compare with `--location ID`")
        })?;
        let list = list_snapshots(repository, location)?;
        let snapshot = list.choose(&self.replay.clone().unwrap_or_default())?;
        let chain = repository.open_chain(&list, snapshot, identities)?;
        let sample = LiveSample::choose(&chain, self.count, self.seed)?;
        let (url, seed) = (&self.accounts.url, self.seed);
        let compared = signals::block_on(settings.deadline, screen, |stop| async move {
            let purpose = ClientPurpose::Run("backup verify");
            let observer = screen.location_observer(None);
            let client = account.build_client(url, settings, purpose, &stop, &observer)?;
            Ok(sample.compare(&client, seed).await?)
        })?;
        screen.finish();
        self.reports.insert(location.clone(), compared);
        Ok(())
    }
}

/// What people read about it. No value of a person is in it.
pub(super) fn live_lines(report: &LiveReport) -> Vec<String> {
    let LiveReport { seed, contacts, equal, changed, gone, hidden, differing } = report;
    let compared = format_plural(*contacts, "contact");
    let mut lines = vec![format!(
        "  {compared} compared with the account: {equal} equal, {changed} changed since, {gone} gone, {} differ \
         (`--seed {seed}` chooses the same)",
        differing.len()
    )];
    if *hidden > 0 {
        let contacts = format_plural(*hidden, "contact");
        lines
            .push(format!("  {contacts} of the account not shown by its search, and not compared"));
    }
    for difference in differing.iter().take(NAMED) {
        let fields: Vec<&str> = difference.fields.iter().map(String::as_str).collect();
        let line = format!("  differs: {}: {}", difference.contact, fields.join(", "));
        lines.push(escape_for_terminal(&line).into_owned());
    }
    if differing.len() > NAMED {
        lines.push(format!("  and {} more", differing.len() - NAMED));
    }
    lines
}
