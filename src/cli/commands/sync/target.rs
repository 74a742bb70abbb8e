//! A location that is synced, and how it is reached.

use super::options::SyncOptionArgs;
use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts};
use crate::cli::args::at_once_arg::DEFAULT_AT_ONCE;
use crate::cli::config::dirs;
use crate::cli::machine_limits;
use crate::cli::output::error::CliError;
use crate::cli::settings::Settings;
use crate::context::EngineContext;
use crate::event::{CancelSignal, SharedObserver};
use crate::sync::{self, SyncReport};

/// A location that is synced, and how it is reached.
#[derive(Clone, Copy)]
pub(in crate::cli::commands) struct SyncTarget<'a> {
    account: &'a LocationAccount,
    url: &'a str,
    settings: &'a Settings,
    sandbox: bool,
    /// How many locations the command has.
    locations: usize,
}

impl<'a> SyncTarget<'a> {
    /// One of the accounts of a command.
    pub(in crate::cli::commands) fn new(
        account: &'a LocationAccount,
        accounts: &'a LocationAccounts,
        settings: &'a Settings,
    ) -> Self {
        let (url, sandbox, locations) = (&accounts.url, settings.sandbox, accounts.all.len());
        Self { account, url, settings, sandbox, locations }
    }

    /// The same, where a run says whether the embedded sandbox serves it.
    pub(super) fn with_sandbox(self, sandbox: bool) -> Self {
        Self { sandbox, ..self }
    }

    /// What a sync works with.
    pub(in crate::cli::commands) fn build_context(
        self,
        observer: SharedObserver,
        stop: &CancelSignal,
    ) -> Result<EngineContext, CliError> {
        let own_stop = stop.child_signal();
        let (url, purpose) = (self.url, ClientPurpose::Run("sync"));
        let client =
            self.account.build_client(url, self.settings, purpose, &own_stop, &observer)?;
        Ok(EngineContext {
            client,
            home: dirs::runs_home()?,
            stop: own_stop,
            observer,
            concurrency: machine_limits::share_requests(
                self.settings.concurrency,
                self.locations.min(DEFAULT_AT_ONCE),
            ),
            settle: dirs::read_settle_time(self.sandbox)?,
        })
    }

    /// Syncs the location.
    pub(in crate::cli::commands) async fn sync(
        self,
        how: &SyncOptionArgs,
        context: &EngineContext,
        stop: &CancelSignal,
    ) -> Result<SyncReport, CliError> {
        let request = how.build_request(self.account, self.url, self.sandbox)?;
        let ended = sync::sync_location(context, request).await;
        ended.map_err(|halted| CliError::from_sync_halt(halted, stop))
    }
}
