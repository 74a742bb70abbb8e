//! A drill: restores a snapshot into the embedded sandbox by the real engine, and compares field by field. It proves that
//! the snapshot can be restored, and sends no request to the account.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::drill_comparison::{count_missing_notes, count_missing_tasks, differing_fields};
use crate::api::{ApiClient, BearerToken, RetryPolicy};
use crate::cli::account::{ClientPurpose, LocationAccount};
use crate::cli::output::error::CliError;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::event::CancelSignal;
use crate::id::{ContactId, LocationId};
use crate::import::{
    self, AddressTakenRule, ImportAccount, LackingNamesRule, PriorConsent, RestoreOrder,
    RestoreRequest, RestoreScope, RestoreSource,
};
use crate::model::LocationDirectory;
use crate::repository::{Chain, DrillRecord};
use crate::run::RunStore;
use crate::sandbox::{self, LocationLists, LocationRateLimit, SandboxSettings, UniqueIdentifier};
use crate::text::{escape_for_terminal, format_count, format_plural};

/// The location of the sandbox that is restored into.
const LOCATION: &str = "restoreDrillLocation";
/// Differences that are listed.
const SHOWN: usize = 20;
/// Contacts whose notes and tasks are compared between two checks for a stop.
const LOT: usize = 500;

/// How a drill ended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DrillReport {
    #[serde(flatten)]
    pub(super) record: DrillRecord,
    /// Some of the differences: a contact's id and the field.
    pub(super) examples: Vec<(String, String)>,
}

/// Restores a snapshot for a trial and compares.
pub(super) fn run_drill(
    chain: &Chain,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<DrillReport, CliError> {
    let fail = |error: std::io::Error| {
        CliError::usage(format!("a directory for the drill cannot be made: {error}"))
    };
    let dir = tempfile::Builder::new().prefix("ghl-bulk-drill-").tempdir().map_err(fail)?;
    let directory = import::load_source_directory(chain)?;
    let sandbox = sandbox::start(sandbox_settings(chain, &directory)?).map_err(|error| {
        CliError::usage(format!("the sandbox cannot listen on this machine: {error}"))
    })?;
    let (url, out) = (sandbox.url().to_owned(), dir.path().join("result"));
    let ended = signals::block_on(settings.deadline, screen, |stop| async move {
        let context = drill_context(dir.path(), &url, settings, screen, &stop)?;
        restore(&context, chain, &url, &out, &stop).await?;
        let drill = DrillFiles::read(&out)?;
        compare(&context.client, chain, &drill).await
    });
    drop(sandbox);
    ended
}

/// An empty location with the definitions of the snapshot.
fn sandbox_settings(
    chain: &Chain,
    directory: &LocationDirectory,
) -> Result<SandboxSettings, CliError> {
    let list = |table: &str| -> Result<Vec<Value>, CliError> {
        let mut rows = Vec::new();
        for record in chain.records(table)? {
            rows.extend(serde_json::from_str::<Value>(&record?.body));
        }
        Ok(rows)
    };
    let is_unique = |name: &str| {
        directory.unique.is_empty()
            || directory.unique.iter().any(|it| it.eq_ignore_ascii_case(name))
    };
    let unique = [("email", UniqueIdentifier::Email), ("phone", UniqueIdentifier::Phone)];
    Ok(SandboxSettings {
        contacts: 0,
        awkward: false,
        limit: LocationRateLimit::NONE,
        locations: vec![LOCATION.to_owned()],
        allow_duplicates: directory.allows_duplicates,
        unique: unique.into_iter().filter(|(name, _)| is_unique(name)).map(|(_, it)| it).collect(),
        lists: Some(LocationLists {
            custom_fields: list("custom_fields")?,
            users: list("users")?,
            businesses: list("businesses")?,
        }),
        ..SandboxSettings::default()
    })
}

fn drill_context(
    dir: &Path,
    url: &str,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<EngineContext, CliError> {
    let location: LocationId = LOCATION.parse().expect("the drill's location is an id");
    let token = BearerToken::new(sandbox::TOKEN).expect("the sandbox's token can be sent");
    let account = LocationAccount::with_token(location, token);
    let observer = screen.location_observer(None);
    // Not a run: it joins no other process's rate limit.
    let purpose = ClientPurpose::Interactive("drill");
    Ok(EngineContext {
        client: account.build_client(url, settings, purpose, stop, &observer)?,
        home: RunStore::new(&dir.join("home")),
        stop: stop.clone(),
        observer,
        concurrency: settings.concurrency,
        settle: std::time::Duration::ZERO,
    })
}

async fn restore(
    context: &EngineContext,
    chain: &Chain,
    url: &str,
    out: &Path,
    stop: &CancelSignal,
) -> Result<(), CliError> {
    let manifest = chain.manifest();
    let request = RestoreRequest {
        repository: chain.repository().place().to_owned(),
        repository_id: chain.repository().header().id.clone(),
        source: manifest.location.id.clone(),
        snapshot: manifest.snapshot.to_string(),
        as_of: manifest.as_of,
        later: None,
        scope: RestoreScope::All,
        chosen: false,
        fields: Vec::new(),
        on_existing: AddressTakenRule::Reject,
        may_lack: LackingNamesRule { fields: true, users: true, businesses: true },
        user_map: BTreeMap::new(),
        unassigned: None,
        tag: None,
        order: RestoreOrder::Oldest,
        anonymise: false,
        sample: None,
        max_errors: None,
        out: Some(out.to_owned()),
        base: out.to_owned(),
        dry_run: false,
        consent: PriorConsent { yes: true, deletions: None },
        account: ImportAccount {
            url: url.to_owned(),
            token_variable: None,
            profile: None,
            sandbox: true,
        },
    };
    let source = RestoreSource { chain: chain.clone(), later: None, contacts: None };
    let failed = |halted| CliError::from_import_halt(halted, stop);
    let planned = import::plan_restore(context, source, request).await.map_err(failed)?;
    import::apply_plan(context, planned).await.map_err(failed)?;
    Ok(())
}

/// What the restore says of itself.
struct DrillFiles {
    /// The new ids of contacts by their former ids.
    made: HashMap<String, String>,
    rejected: u64,
    /// The contact and field of each named loss.
    losses: BTreeSet<(String, String)>,
    loss_count: u64,
}

impl DrillFiles {
    fn read(out: &Path) -> Result<Self, CliError> {
        let mut files =
            Self { made: HashMap::new(), rejected: 0, losses: BTreeSet::new(), loss_count: 0 };
        read_csv(&out.join("idmap.csv"), |row| {
            if row.first().is_some_and(|table| table == "contacts") {
                files.made.insert(row[1].clone(), row[2].clone());
            }
        })?;
        read_csv(&out.join("rejected.csv"), |_| files.rejected += 1)?;
        read_csv(&out.join("losses.csv"), |row| {
            files.loss_count += 1;
            // A loss names a custom field by its key, a comparison by its id.
            let field = row[3].split('.').next().unwrap_or_default().to_owned();
            files.losses.insert((row[0].clone(), field));
        })?;
        Ok(files)
    }

    fn is_named_loss(&self, contact: &str, field: &str) -> bool {
        let field = field.split('.').next().unwrap_or_default();
        self.losses.contains(&(contact.to_owned(), field.to_owned()))
    }
}

/// Reads the rows below the header of a file that may not be there.
fn read_csv(path: &Path, mut take: impl FnMut(&[String])) -> Result<(), CliError> {
    if !path.exists() {
        return Ok(());
    }
    let wrong = |error: csv::Error| CliError::usage(format!("`{}`: {error}", path.display()));
    let mut reader = csv::ReaderBuilder::new().from_path(path).map_err(wrong)?;
    for row in reader.records() {
        let row: Vec<String> = row.map_err(wrong)?.iter().map(str::to_owned).collect();
        take(&row);
    }
    Ok(())
}

/// Reads everything back and compares it with the snapshot.
async fn compare(
    client: &ApiClient,
    chain: &Chain,
    files: &DrillFiles,
) -> Result<DrillReport, CliError> {
    let manifest = chain.manifest();
    let mut report = DrillReport {
        record: DrillRecord {
            at: Timestamp::now(),
            snapshot: manifest.snapshot.clone(),
            contacts: manifest.totals.get("contacts").map_or(0, |totals| totals.live),
            restored: files.made.len() as u64,
            rejected: files.rejected,
            notes: 0,
            tasks: 0,
            losses: files.loss_count,
            differences: 0,
        },
        examples: Vec::new(),
    };
    let mut children = SnapshotChildren::load(chain)?;
    let mut lot = Vec::with_capacity(LOT);
    for record in chain.records("contacts")? {
        let record = record?;
        let Some(new) = files.made.get(&record.id).and_then(|id| id.parse::<ContactId>().ok())
        else {
            continue;
        };
        let contact: Value = serde_json::from_str(&record.body).unwrap_or_default();
        let (notes, tasks) = children.take(&record.id);
        report.record.notes += notes.len() as u64;
        report.record.tasks += tasks.len() as u64;
        lot.push(RestoredPair { former: record.id, new, contact, notes, tasks });
        if lot.len() == LOT {
            compare_lot(client, std::mem::take(&mut lot), files, &mut report).await?;
        }
    }
    compare_lot(client, lot, files, &mut report).await?;
    let accounted = report.record.restored + report.record.rejected;
    if accounted < report.record.contacts {
        report.record.differences += report.record.contacts - accounted;
    }
    Ok(report)
}

/// A contact of the snapshot and the one that was made of it.
struct RestoredPair {
    former: String,
    new: ContactId,
    contact: Value,
    notes: Vec<Value>,
    tasks: Vec<Value>,
}

async fn compare_lot(
    client: &ApiClient,
    lot: Vec<RestoredPair>,
    files: &DrillFiles,
    report: &mut DrillReport,
) -> Result<(), CliError> {
    use futures::StreamExt as _;
    let compared = futures::stream::iter(lot).map(|pair| async move {
        let differing = compare_pair(client, &pair).await?;
        Ok::<_, CliError>((pair.former, differing))
    });
    let compared: Vec<_> = compared.buffer_unordered(16).collect().await;
    for pair in compared {
        let (former, differing) = pair?;
        for field in differing.into_iter().filter(|field| !files.is_named_loss(&former, field)) {
            report.record.differences += 1;
            if report.examples.len() < SHOWN {
                report.examples.push((former.clone(), field));
            }
        }
    }
    Ok(())
}

/// The fields in which a restored contact differs, with its notes and tasks.
async fn compare_pair(client: &ApiClient, pair: &RestoredPair) -> Result<Vec<String>, CliError> {
    let policy = RetryPolicy::PERSISTENT;
    let (contact, notes, tasks) = tokio::try_join!(
        client.get_raw_contact(&pair.new),
        client.list_contact_notes(&pair.new, policy),
        client.list_contact_tasks(&pair.new, policy),
    )?;
    let contact = contact.head.and_then(|row| serde_json::from_str::<Value>(row.get()).ok());
    let Some(contact) = contact else { return Ok(vec!["contact".to_owned()]) };
    let list = |body: &[u8], key: &str| {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        body[key].as_array().cloned().unwrap_or_default()
    };
    let mut differing = differing_fields(&pair.contact, &contact);
    if count_missing_notes(&pair.notes, &list(&notes.body, "notes")) > 0 {
        differing.push("note".to_owned());
    }
    if count_missing_tasks(&pair.tasks, &list(&tasks.body, "tasks")) > 0 {
        differing.push("task".to_owned());
    }
    Ok(differing)
}

/// The notes and tasks of a snapshot by their contacts.
struct SnapshotChildren {
    notes: HashMap<String, Vec<Value>>,
    tasks: HashMap<String, Vec<Value>>,
}

impl SnapshotChildren {
    fn load(chain: &Chain) -> Result<Self, CliError> {
        let list = |table: &str| -> Result<HashMap<String, Vec<Value>>, CliError> {
            let mut by_contact: HashMap<String, Vec<Value>> = HashMap::new();
            for record in chain.records(table)? {
                let record = record?;
                if let (Some(of), Ok(body)) = (record.of, serde_json::from_str(&record.body)) {
                    by_contact.entry(of).or_default().push(body);
                }
            }
            Ok(by_contact)
        };
        Ok(Self { notes: list("notes")?, tasks: list("tasks")? })
    }

    fn take(&mut self, contact: &str) -> (Vec<Value>, Vec<Value>) {
        let take =
            |list: &mut HashMap<String, Vec<Value>>| list.remove(contact).unwrap_or_default();
        (take(&mut self.notes), take(&mut self.tasks))
    }
}

/// What a drill has found, for people.
pub(super) fn drill_lines(drill: &DrillReport) -> Vec<String> {
    let record = &drill.record;
    let [contacts, notes, tasks] = [record.restored, record.notes, record.tasks].map(format_count);
    let mut lines = vec![format!(
        "  snapshot {} was restored for a trial: {contacts} contacts, {notes} notes, {tasks} tasks, {}",
        record.snapshot,
        match record.differences {
            0 => "all as they were".to_owned(),
            count => format_plural(count, "difference"),
        }
    )];
    if record.losses > 0 {
        let losses = format_plural(record.losses, "value");
        lines.push(format!(
            "  {losses} cannot be brought back by any restore, such as dates and ids"
        ));
    }
    if record.rejected > 0 {
        let contacts = format_plural(record.rejected, "contact");
        lines.push(format!(
            "  {contacts} cannot be restored, because the location allows their addresses only once"
        ));
    }
    for (contact, field) in &drill.examples {
        let line = format!("  differs: contact {contact}, {field}");
        lines.push(escape_for_terminal(&line).into_owned());
    }
    lines
}
