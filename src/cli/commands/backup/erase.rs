//! `ghl-bulk backup erase`: removes people from every snapshot, the local copy and the runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::erase_lines::{plan_lines, result_lines};
use super::open_repository::{IdentityArg, RepositoryArg, RepositoryRef, select_locations};
use crate::api::LocationDetails;
use crate::backup::{self, ErasePlan, EraseReport, EraseRequest};
use crate::cli::account::{ClientPurpose, LocationAccounts, MultiLocationArgs};
use crate::cli::args::contact_arg::{ContactArg, several_contacts_error};
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::{ContactId, LocationId};
use crate::inspect::{self, ContactLabel};
use crate::mirror::MirrorReader;
use crate::pull::ContactKey;
use crate::repository::{Erasures, Identities, Repository};
use crate::run::RunStore;
use crate::text::{escape_for_terminal, format_plural};

/// Erase people from every snapshot, the local copy and the runs
///
/// Writes the snapshots again without the contact, its notes, tasks and appointments, proves that everybody else is the
/// same, and deletes the former files; removes the contact from the local copy, and runs that have something of it. Takes
/// the key of an encrypted repository. Salted hashes of the id, the addresses and the numbers stay, so that no restore
/// brings the contact back. Delete it in HighLevel first: what the account still has, the next sync reads again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk backup erase --contact ada@example.com --dry-run --identity key.txt
  ghl-bulk backup erase --contact ocQHyuzHvysMo5N5VsXc --identity key.txt --yes

A removed run cannot be undone, and importing its file again may create notes and tasks twice. Exported files and copies
of the repository are listed or named, and left alone: erase the contact there, too. A run that is not finished, and has
something of the contact, stops the command (exit 4; 11 while it works).")]
pub(super) struct EraseArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// The contact's id, e-mail address or phone number (with `+`); repeat for more. If several contacts have it, they are
    /// listed (exit 2)
    #[arg(long, value_name = "ID|EMAIL|PHONE", required = true, allow_hyphen_values = true)]
    contact: Vec<String>,

    #[command(flatten)]
    identity: IdentityArg,

    /// Only show what would be erased
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Erases people.
pub(super) fn run(args: &EraseArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let named: Vec<ContactArg> = args.contact.iter().map(|text| text.as_str().into()).collect();
    named.iter().try_for_each(ContactArg::check)?;
    let place = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?;
    let repository = &place.open()?;
    let identities = place.identities(&args.identity)?;
    let screen = &CliReporter::new(settings.output_style);
    let home = &dirs::runs_home()?;
    let command = EraseCommand { args, settings, repository, identities, home, screen };
    command.run(&named)
}

struct EraseCommand<'a> {
    args: &'a EraseArgs,
    settings: &'a Settings,
    repository: &'a Repository,
    identities: Option<Identities>,
    home: &'a RunStore,
    screen: &'a CliReporter,
}

/// What became of a location.
struct LocationErasure {
    plan: ErasePlan,
    report: Option<EraseReport>,
    /// How many of the people the account still has; `None` if it was not asked.
    still_there: Option<u64>,
}

impl EraseCommand<'_> {
    fn run(&self, named: &[ContactArg]) -> Result<CliExitCode, CliError> {
        let locations = select_locations(self.repository, self.settings)?;
        let mut unknown: Vec<&ContactArg> = named.iter().collect();
        let mut requests = Vec::new();
        for location in &locations {
            let contacts = self.find_people(location, named, &mut unknown)?;
            requests.push(EraseRequest {
                home: self.home,
                repository: self.repository,
                identities: self.identities.as_ref(),
                location,
                sandbox: self.settings.sandbox,
                contacts,
            });
        }
        let mut locked = Vec::new();
        for request in &requests {
            let locks = if self.args.dry_run { None } else { Some(request.lock()?) };
            let plan = ErasePlan::read(request)?;
            unknown.retain(|contact| !knows(&plan, contact.text()));
            locked.push((request, plan, locks));
        }
        if let Some(unknown) = unknown.first() {
            return Err(unknown_error(unknown.text()));
        }
        locked.iter().try_for_each(|(_, plan, _)| self.refuse_unfinished_runs(plan))?;
        let mut done: BTreeMap<&LocationId, LocationErasure> = BTreeMap::new();
        let mut locks = BTreeMap::new();
        for (request, plan, lock) in locked {
            let still_there = self.count_still_there(request.location, &plan);
            done.insert(request.location, LocationErasure { plan, report: None, still_there });
            locks.insert(request.location, (request, lock));
        }
        let is_needed = done.values().any(|erasure| !erasure.plan.is_empty());
        self.show_plans(&done);
        if self.args.dry_run || !is_needed {
            return Ok(self.finish(&done));
        }
        if !self.args.yes {
            self.confirm(&done)?;
        }
        for (location, erasure) in &mut done {
            if let (request, Some(lock)) = &locks[location]
                && !erasure.plan.is_empty()
            {
                let now = Timestamp::now();
                erasure.report = Some(backup::erase_people(request, &erasure.plan, lock, now)?);
            }
        }
        Ok(self.finish(&done))
    }

    /// The ids of the people in a location. What was found, or erased before, is no longer unknown.
    fn find_people(
        &self,
        location: &LocationId,
        named: &[ContactArg],
        unknown: &mut Vec<&ContactArg>,
    ) -> Result<BTreeSet<String>, CliError> {
        let dir = self.home.mirror_dir(location, self.settings.sandbox);
        let mirror = MirrorReader::open(&dir)?;
        let list = self.repository.list_snapshots(location)?;
        let erasures = Erasures::load(self.repository, location)?;
        let settings = mirror.as_ref().map(MirrorReader::location_settings).transpose()?.flatten();
        let details = settings.and_then(|text| LocationDetails::from_json(text.as_bytes()).ok());
        let country = details.and_then(|details| details.country);
        let mut people = BTreeSet::new();
        for contact in named {
            let key = contact.parse(country.as_deref())?;
            if let ContactKey::Id(id) = &key {
                people.insert(id.to_string());
                continue;
            }
            let identities = self.identities.as_ref();
            let mut found =
                inspect::list_snapshot_contacts(self.repository, &list, identities, &key)?;
            if let Some(mirror) = &mirror {
                found.extend(inspect::list_known_contacts(mirror, &key)?);
            }
            let labels: Vec<ContactLabel> = found.into_values().collect();
            if labels.len() > 1 {
                return Err(several_contacts_error(contact, &labels));
            }
            let is_erased = erasures.find_value(key.as_str()).next().is_some();
            if is_erased || !labels.is_empty() {
                unknown.retain(|other| other.text() != contact.text());
            }
            people.extend(labels.into_iter().map(|label| label.id));
        }
        Ok(people)
    }

    fn refuse_unfinished_runs(&self, plan: &ErasePlan) -> Result<(), CliError> {
        let open: Vec<_> = plan.runs.iter().filter(|run| run.is_in_progress()).collect();
        let Some(first) = open.first() else { return Ok(()) };
        let ids = self.home.short_ids();
        let line = |run: &&&backup::RunWithTraces| {
            let state = run.state.map_or("unreadable", |state| state.name(run.running));
            let kind = run.kind.map_or_else(|| "run".to_owned(), |kind| kind.to_string());
            format!("{}: {kind}, {state}", ids.shorten(&run.id))
        };
        let lines = open.iter().map(|run| line(&run)).collect();
        let is_running = open.iter().any(|run| run.running);
        let code = if is_running { CliExitCode::Locked } else { CliExitCode::Refused };
        let runs = format_plural(open.len() as u64, "unfinished run");
        let has = if open.len() == 1 { "has" } else { "have" };
        let short = ids.shorten(&first.id);
        Err(CliError::new(code, format!("{runs} {has} something of these people"))
            .with_lines(lines)
            .with_hint(format!(
                "finish it with `ghl-bulk resume {short}`, or remove it with `ghl-bulk runs rm {short}`"
            )))
    }

    /// How many of the people the account still has.
    fn count_still_there(&self, location: &LocationId, plan: &ErasePlan) -> Option<u64> {
        let accounts =
            LocationAccounts::resolve_selected(self.settings, &MultiLocationArgs::default());
        let accounts = accounts.ok()?;
        let account = accounts.all.iter().find(|account| account.location == *location)?;
        let (screen, settings) = (self.screen, self.settings);
        let counted = signals::block_on(settings.deadline, screen, |stop| async move {
            let purpose = ClientPurpose::Interactive("backup erase");
            let observer = screen.location_observer(None);
            let client =
                account.build_client(&accounts.url, settings, purpose, &stop, &observer)?;
            let mut count = 0;
            for id in &plan.contacts {
                let Ok(id) = id.parse::<ContactId>() else { continue };
                count += u64::from(inspect::contact_exists(&client, &id).await?);
            }
            Ok::<_, CliError>(count)
        });
        // Without an answer, the report says that the account was not asked.
        counted.ok()
    }

    fn show_plans(&self, done: &BTreeMap<&LocationId, LocationErasure>) {
        if self.settings.json {
            return;
        }
        for (location, erasure) in done {
            let LocationErasure { plan, still_there, .. } = erasure;
            let location = escape_for_terminal(location.as_str());
            for line in plan_lines(&location, plan, *still_there, self.home) {
                self.screen.print_note(&line);
            }
        }
    }

    fn confirm(&self, done: &BTreeMap<&LocationId, LocationErasure>) -> Result<(), CliError> {
        let people: usize = done.values().map(|erasure| erasure.plan.contacts.len()).sum();
        if !can_ask() {
            return Err(CliError::usage("there is no terminal to ask on").with_hint(
                "`--yes` erases without asking, `--dry-run` only shows what would be erased",
            ));
        }
        let people = format_plural(people as u64, "person");
        let question = format!("erase {people} for good? This cannot be undone [y/N] ");
        let screen = self.screen;
        let agreed = signals::block_on(self.settings.deadline, screen, |stop| async move {
            let answer = ask_question(&question, &stop, screen).await;
            Ok(
                matches!(answer, QuestionAnswer::Line(line) if matches!(line.as_str(), "y" | "Y" | "yes")),
            )
        })?;
        if agreed { Ok(()) } else { Err(CliError::usage("nothing was erased")) }
    }

    fn finish(&self, done: &BTreeMap<&LocationId, LocationErasure>) -> CliExitCode {
        let is_left = done.values().any(|erasure| !erasure.plan.other_files.is_empty());
        let code = if is_left { CliExitCode::Partial } else { CliExitCode::Done };
        if self.settings.json {
            let locations: serde_json::Map<String, Value> = done
                .iter()
                .map(|(location, erasure)| (location.to_string(), erasure_json(erasure)))
                .collect();
            let outcome = if is_left { "partial" } else { "complete" };
            let summary = json!({"outcome": outcome, "kind": "backup_erase",
                "dry_run": self.args.dry_run, "locations": locations});
            emit_summary(self.screen, code, summary);
            return code;
        }
        for erasure in done.values() {
            for line in result_lines(&erasure.plan, erasure.report.as_ref()) {
                self.screen.print_note(&line);
            }
        }
        code
    }
}

/// Whether a plan has something of a contact, or knows that it was erased.
fn knows(plan: &ErasePlan, contact: &str) -> bool {
    let is_known = plan.contacts.contains(contact) || plan.erased_before.contains_key(contact);
    is_known || !plan.runs.is_empty() || plan.is_resumed
}

fn unknown_error(contact: &str) -> CliError {
    let message = format!("neither the repository nor this machine has a contact `{contact}`");
    CliError::new(CliExitCode::Missing, message)
        .with_hint("nothing was erased; `--location ID` looks into another location's local copy")
}

fn erasure_json(erasure: &LocationErasure) -> Value {
    let LocationErasure { plan, report, still_there } = erasure;
    let held = plan.snapshots.iter().filter(|(_, snapshot)| snapshot.is_held);
    let runs = plan.runs.iter().map(|run| json!({"run": run.id, "bytes": run.bytes}));
    json!({
        "erased": report.is_some(),
        "people": plan.contacts.len(),
        "erased_before": plan.erased_before.len(),
        "snapshots": plan.snapshots.keys().collect::<Vec<_>>(),
        "held": held.map(|(id, _)| id).collect::<Vec<_>>(),
        "lines": plan.lines(),
        "bytes": plan.bytes(),
        "leftovers": plan.leftovers,
        "local_records": plan.rows.records,
        "local_versions": plan.rows.versions,
        "events": plan.rows.events,
        "runs": runs.collect::<Vec<_>>(),
        "exports": plan.exports,
        "sinks": plan.sinks,
        "other_files": plan.other_files,
        "other_repositories": report.as_ref().map(|report| report.other_repositories),
        "account_still_has": still_there,
    })
}
