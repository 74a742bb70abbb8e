//! What is restored, and how. Stored in the run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::choice::choice_enum;
use crate::id::LocationId;
use crate::import::{ImportAccount, MaxErrors, PriorConsent};

/// A restore, as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// Where the repository is.
    pub repository: String,
    /// Its id.
    pub repository_id: String,
    /// The location whose snapshot is restored. The run's own location is the one that is written to.
    pub source: LocationId,
    /// The snapshot.
    pub snapshot: String,
    /// When what it has was read.
    pub as_of: Timestamp,
    /// The later snapshot, where the changes between two are taken back.
    pub later: Option<String>,
    /// What is restored.
    pub scope: RestoreScope,
    /// Whether contacts were chosen one by one; those that need nothing are then listed, too.
    pub chosen: bool,
    /// The names of the fields to put back; none for all.
    pub fields: Vec<String>,
    /// What to do with a contact whose e-mail address or phone number another one has.
    pub on_existing: AddressTakenRule,
    /// What the target may lack.
    pub may_lack: LackingNamesRule,
    /// Which of the target's users stand in for the snapshot's: id or e-mail address to id, e-mail address or name.
    pub user_map: BTreeMap<String, String>,
    /// The user who gets what belonged to users that the target lacks.
    pub unassigned: Option<String>,
    /// A tag for contacts that are recreated.
    pub tag: Option<String>,
    /// Which contacts come first.
    pub order: RestoreOrder,
    /// Whether people are replaced by made-up ones.
    pub anonymise: bool,
    /// How many rows are applied at first.
    pub sample: Option<u64>,
    /// How many rows may fail.
    pub max_errors: Option<MaxErrors>,
    /// The directory of the result files, absolute; `None` for one in `base` that is named after the run.
    pub out: Option<PathBuf>,
    /// The directory in which unnamed result directories are created, absolute.
    pub base: PathBuf,
    /// Whether nothing is sent until the plan is applied.
    pub dry_run: bool,
    /// What the user agreed to before the plan was made.
    pub consent: PriorConsent,
    /// The account.
    pub account: ImportAccount,
}

/// What is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreScope {
    /// Contacts that the account no longer has, with their notes and tasks.
    Missing,
    /// Chosen contacts: recreated if they are gone, else the notes and tasks that they have lost.
    Chosen,
    /// Lost notes and tasks of contacts that are there.
    Children,
    /// Fields of contacts that are there.
    Fields,
    /// What changed between two snapshots.
    Undo,
    /// Everybody, into another location.
    All,
}

impl RestoreScope {
    /// Whether notes and tasks of contacts that are there are compared.
    #[must_use]
    pub fn compares_children(self) -> bool {
        matches!(self, Self::Chosen | Self::Children)
    }

    /// Whether contacts that are gone are recreated.
    #[must_use]
    pub fn recreates(self) -> bool {
        matches!(self, Self::Missing | Self::Chosen | Self::Undo | Self::All)
    }
}

choice_enum! {
    /// What to do with a contact whose e-mail address or phone number another contact has by now.
    pub enum AddressTakenRule = Reject {
        /// do not restore it, and list it
        Reject = "reject",
        /// give its notes and tasks to the other contact
        Attach = "attach",
        /// give its fields to the other contact, too
        Update = "update",
    }
}

choice_enum! {
    /// Which contacts of a snapshot come first.
    pub enum RestoreOrder = Oldest {
        /// those that were added first
        Oldest = "oldest",
        /// those that were added last
        Newest = "newest",
    }
}

/// Which names the target may lack: what has them is restored without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LackingNamesRule {
    /// Custom fields.
    pub fields: bool,
    /// Users.
    pub users: bool,
    /// Businesses.
    pub businesses: bool,
}
