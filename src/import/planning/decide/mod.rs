//! Deciding: drafts and live contacts become decisions on rows and numbered ops, in the run's store.

mod decide_deletion;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use super::merge_rows;
use super::op_buffer::{Spill, record};
use super::ordering::Lanes;
use super::prior_runs::Earlier;
use super::validate_rows::{identities, json, kind, rejected};
use crate::id::ContactId;
use crate::import::Error;
use crate::model::remote::Live;
use crate::model::{Directory, Draft, DuplicateRule, Field, Policy, Unread};
use crate::plan::Removed;
use crate::plan::diff::{self, LiveChildren, Planned, Planner, Source};
use crate::plan::identity::{self, Action, Found};
use crate::plan::validate::{Rejection, Unknown};
use crate::run::{Decision, Judged, Noted, Rows};

/// Rows that are decided at a time.
const LOT: usize = 1_000;

/// What is needed to decide.
pub(crate) struct Decide<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) directory: &'a Directory,
    pub(crate) planner: Planner<'a>,
    pub(crate) policy: &'a Policy,
    pub(crate) key: Option<String>,
    pub(crate) input_digest: String,
    pub(crate) children_only: bool,
    /// What the rows delete, if they delete.
    pub(crate) removes: Option<Removed>,
    pub(crate) earlier: Earlier,
    /// How often a name that could not be read was what the account has, by column and name.
    pub(crate) excused: RefCell<HashMap<(Option<usize>, String), u64>>,
}

/// What one row is among the rows that are the same contact.
enum Role {
    /// The one that counts, with the drafts of the others where they are merged.
    Leader(Vec<u64>),
    /// Another one counts.
    Follower { leader: u64, line: u64 },
}

impl Decide<'_> {
    /// Decides on every row that was not rejected; spills the ops.
    pub(crate) fn run(&self, lanes: &mut Lanes, ops: &mut Spill) -> Result<(), Error> {
        // Rows that delete the same are known by what they delete.
        let roles = if self.removes.is_some() { HashMap::new() } else { self.roles()? };
        if self.removes.is_none() {
            self.warn_of_shared_phones(&roles)?;
        }
        self.rows.together(|rows| {
            let mut after = 0;
            loop {
                let lot = rows.rows(after, LOT)?;
                let Some(last) = lot.last() else { break Ok::<(), Error>(()) };
                after = last.n;
                for row in &lot {
                    if let Some(draft) = &row.draft {
                        self.row(row, self::draft(draft)?, roles.get(&row.n), lanes, ops)?;
                    }
                }
            }
        })
    }

    fn row(
        &self,
        row: &Judged,
        mut draft: Draft,
        role: Option<&Role>,
        lanes: &mut Lanes,
        ops: &mut Spill,
    ) -> Result<(), Error> {
        match role {
            Some(Role::Follower { leader, line }) => {
                return Ok(self.rows.decide(row.n, &self.follower(&draft, *leader, *line))?);
            }
            Some(Role::Leader(others)) => self.join(&mut draft, others)?,
            None => {}
        }
        let planned = match self.removes {
            Some(what) => self.removal(row, &draft, what)?,
            None => self.plan(row, &draft)?,
        };
        match planned {
            Err(rejection) => Ok(self.rows.decide(row.n, &rejection)?),
            Ok(planned) => self.keep(row.n, &draft, planned, lanes, ops),
        }
    }

    /// Adds to a draft what the other rows of the same contact say.
    fn join(&self, draft: &mut Draft, others: &[u64]) -> Result<(), Error> {
        let join = match self.policy.on_duplicate {
            DuplicateRule::Reject | DuplicateRule::First => return Ok(()),
            DuplicateRule::Merge => merge_rows::merge,
            DuplicateRule::Last => merge_rows::overlay,
        };
        for other in others {
            let Some(other) = self.rows.row(*other)?.and_then(|row| row.draft) else { continue };
            join(draft, self::draft(&other)?);
        }
        Ok(())
    }

    /// What becomes of a draft: its contact is found, and what differs becomes ops.
    fn plan(&self, row: &Judged, draft: &Draft) -> Result<Result<Planned, Decision>, Error> {
        let found = self.found(draft)?;
        let action = match identity::decide(draft, &found, self.policy, self.directory) {
            Ok(action) => self.beside_the_rows_before(row.n, draft, action)?,
            Err(rejection) => {
                self.excuse(draft.unread.iter());
                return Ok(Err(rejected(&rejection)));
            }
        };
        let live = match action.contact() {
            Some(id) => self.live(id)?,
            None => None,
        };
        let named = draft.notes.iter().any(|note| note.id.is_some())
            || draft.tasks.iter().any(|task| task.id.is_some());
        let children = match action.contact() {
            Some(id) if named => self.children(id)?,
            _ => LiveChildren::default(),
        };
        if let Some(rejection) = self.unread(row, draft, live.as_ref(), &children)? {
            return Ok(Err(rejection));
        }
        let source = Source {
            location: &self.directory.location,
            input: &self.input_digest,
            place: &row.place,
        };
        let planned =
            self.planner.plan_row(row.n, &source, draft, &action, live.as_ref(), &children);
        let planned = planned.and_then(|planned| self.earlier.without_what_is_done(planned));
        Ok(planned.map_err(|rejection| rejected(&rejection)))
    }

    /// The unknown names that the account does not have either.
    pub(crate) fn still_unknown(&self, mut unknown: Vec<Unknown>) -> Vec<Unknown> {
        let excused = self.excused.borrow();
        for name in &mut unknown {
            let excused = excused.get(&(name.column, name.value.clone())).copied();
            name.rows = name.rows.saturating_sub(excused.unwrap_or(0));
        }
        unknown.retain(|name| name.rows > 0);
        unknown
    }

    /// Takes names that nobody has for settled: they ask for nothing.
    fn excuse<'d>(&self, names: impl Iterator<Item = &'d Unread>) {
        for unread in names {
            let name = (unread.column, unread.text.clone());
            *self.excused.borrow_mut().entry(name).or_default() += 1;
        }
    }

    /// What could not be read of a row and is not what the account has: the first that rejects the row
    /// does so, of the others is warned.
    fn unread(
        &self,
        row: &Judged,
        draft: &Draft,
        live: Option<&Live>,
        children: &LiveChildren,
    ) -> Result<Option<Decision>, Error> {
        if draft.unread.is_empty() {
            return Ok(None);
        }
        let differing = diff::unread(draft, live, children);
        self.excuse(draft.unread.iter().filter(|unread| !differing.contains(unread)));
        if let Some(unread) = differing.iter().find(|unread| unread.rejects) {
            return Ok(Some(Decision {
                action: crate::import::action::REJECTED.to_owned(),
                code: Some(unread.code.clone()),
                field: Some(unread.field.clone()),
                reason: Some(unread.message.clone()),
                ..Decision::default()
            }));
        }
        for unread in differing {
            let (code, field) = (unread.code.clone(), unread.field.clone());
            let message = unread.message.clone();
            self.rows.warn(&Noted { n: row.n, code, field, message })?;
        }
        Ok(None)
    }

    /// A location that allows duplicates would find the contact of a row before by the phone number that
    /// the two share, and put this one in its place.
    fn beside_the_rows_before(
        &self,
        n: u64,
        draft: &Draft,
        action: Action,
    ) -> Result<Action, Error> {
        let (Action::Create, Some(_), Some(phone)) =
            (&action, draft.email_key(), draft.phone_key())
        else {
            return Ok(action);
        };
        let first = self.rows.first_named(kind::PHONE, phone)?;
        let shared = self.directory.allows_duplicates && first.is_some_and(|first| first < n);
        Ok(if shared { Action::CreateBeside { email: false, phone: true } } else { action })
    }

    fn found(&self, draft: &Draft) -> Result<Found, Error> {
        let mut found = Found::default();
        let ids = |kind: &str, value: &str| -> Result<Vec<ContactId>, Error> {
            let ids = self.rows.matches(kind, value)?;
            Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
        };
        for (kind, value) in identities(draft, self.key.as_deref()) {
            match kind {
                kind::ID => {
                    let id = value.parse().ok();
                    // What is to be deleted is read by its id.
                    let there = self.removes.is_some() || self.rows.is_kept(&value)?;
                    found.by_id = id.filter(|_| there);
                }
                kind::EMAIL => {
                    found.by_email = ids(kind, &value)?;
                    found.by_other_email = ids(kind::OTHER_EMAIL, &value)?;
                }
                kind::PHONE => {
                    found.by_phone = ids(kind, &value)?;
                    for id in found.by_phone.iter().filter(|id| found.by_id.as_ref() != Some(id)) {
                        let email = self.live(id)?;
                        let email =
                            email.and_then(|live| live.field(Field::Email).map(str::to_lowercase));
                        found.emails.extend(email.map(|email| (id.clone(), email)));
                    }
                }
                _ => found.by_key = ids(kind, &value)?,
            }
        }
        Ok(found)
    }

    fn live(&self, id: &ContactId) -> Result<Option<Live>, Error> {
        let Some((body, _)) = self.rows.kept(id.as_str())? else { return Ok(None) };
        let live = serde_json::from_str(&body);
        live.map(Some).map_err(|error| Error::Bug(format!("a contact: {error}")))
    }

    fn children(&self, id: &ContactId) -> Result<LiveChildren, Error> {
        let of = |kind| -> Result<Vec<serde_json::Value>, Error> {
            let bodies = self.rows.children(kind, id.as_str())?;
            Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
        };
        Ok(LiveChildren { notes: of(kind::NOTES)?, tasks: of(kind::TASKS)? })
    }

    fn keep(
        &self,
        n: u64,
        draft: &Draft,
        planned: Planned,
        lanes: &mut Lanes,
        ops: &mut Spill,
    ) -> Result<(), Error> {
        for it in planned.warnings {
            self.rows.warn(&Noted {
                n,
                code: it.code.to_owned(),
                field: it.field,
                message: it.message,
            })?;
        }
        let contact = planned.contact.as_ref().map(ToString::to_string);
        self.rows.decide(
            n,
            &Decision {
                action: planned.action.to_owned(),
                contact: contact.clone(),
                changes: (!planned.changes.is_empty()).then(|| json(&planned.changes)),
                ..Decision::default()
            },
        )?;
        if planned.ops.is_empty() {
            return Ok(());
        }
        let (email, phone) = (draft.email_key(), draft.phone_key());
        lanes.join(n, [("id", contact.as_deref()), ("email", email.as_deref()), ("phone", phone)]);
        for op in planned.ops {
            ops.push(&record(&op, ops.next()))?;
        }
        Ok(())
    }

    /// The rows that are the same as others.
    fn roles(&self) -> Result<HashMap<u64, Role>, Error> {
        let mut roles = HashMap::new();
        for (_, group) in self.rows.repeated(kind::SELF)? {
            let last = self.policy.on_duplicate == DuplicateRule::Last;
            let leader = if last { group.last() } else { group.first() };
            let Some(leader) = leader.copied() else { continue };
            let line = self.rows.row(leader)?.map_or(0, |row| row.line);
            let mut others: Vec<u64> = group.iter().copied().filter(|n| *n != leader).collect();
            if last {
                // The later one counts, among the others too.
                others.reverse();
            }
            for other in &others {
                roles.insert(*other, Role::Follower { leader, line });
            }
            roles.insert(leader, Role::Leader(others));
        }
        Ok(roles)
    }

    fn follower(&self, draft: &Draft, leader: u64, line: u64) -> Decision {
        let place = format!("record {leader} (line {line})");
        match self.policy.on_duplicate {
            DuplicateRule::Reject => {
                let what = match draft {
                    _ if self.children_only => "note or task id",
                    Draft { contact: Some(_), .. } => "contact id",
                    draft if draft.email_key().is_some() => "e-mail address",
                    _ => "phone number",
                };
                rejected(&Rejection {
                    code: "R_DUPLICATE_IN_FILE",
                    field: what.to_owned(),
                    column: None,
                    message: format!(
                        "it has the same {what} as {place}; `--on-duplicate` says what else to do with such rows"
                    ),
                })
            }
            DuplicateRule::Merge | DuplicateRule::Last => {
                following(crate::import::action::MERGED, format!("merged into {place}"))
            }
            DuplicateRule::First => {
                following(crate::import::action::SUPERSEDED, format!("{place} counts instead"))
            }
        }
    }

    /// One phone number on rows that are different people: the location may take them for one.
    fn warn_of_shared_phones(&self, roles: &HashMap<u64, Role>) -> Result<(), Error> {
        if self.children_only {
            return Ok(());
        }
        for (phone, group) in self.rows.repeated(kind::PHONE)? {
            let group: BTreeSet<u64> = group
                .into_iter()
                .filter(|n| !matches!(roles.get(n), Some(Role::Follower { .. })))
                .collect();
            let named: Vec<_> = group.iter().map(|n| format!("record {n}")).take(5).collect();
            for n in group.iter().filter(|_| group.len() > 1) {
                let message = format!(
                    "the phone number {phone} stands in {}: a location that knows contacts by phone takes them for one",
                    named.join(", ")
                );
                let code = "W_SHARED_PHONE".to_owned();
                self.rows.warn(&Noted { n: *n, code, field: "phone".to_owned(), message })?;
            }
        }
        Ok(())
    }
}

fn draft(text: &str) -> Result<Draft, Error> {
    serde_json::from_str(text).map_err(|error| Error::Bug(format!("a draft: {error}")))
}

fn following(action: &str, reason: String) -> Decision {
    Decision { action: action.to_owned(), reason: Some(reason), ..Decision::default() }
}
