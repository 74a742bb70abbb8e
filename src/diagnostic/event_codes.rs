//! Codes of what a run reports while it works: the warnings among its events, and the lines of `errors.csv`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A text that is not a code of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a code of this list")]
pub struct UnknownEventCode(String);

macro_rules! event_codes {
    ($(#[$doc:meta])* $list:ident { $($code:ident $spelling:literal: $meaning:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $list {
            $(#[doc = $meaning] $code,)+
        }

        impl $list {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// The spelling in events and files.
            #[must_use]
            pub fn spelling(self) -> &'static str {
                match self {
                    $(Self::$code => $spelling,)+
                }
            }

            /// What it means, and what the user can do.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning,)+
                }
            }
        }

        impl fmt::Display for $list {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.spelling())
            }
        }

        impl Serialize for $list {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.spelling())
            }
        }

        impl FromStr for $list {
            type Err = UnknownEventCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($spelling => Ok(Self::$code),)+
                    _ => Err(UnknownEventCode(text.to_owned())),
                }
            }
        }
    };
}

event_codes! {
    /// The stable name of a warning among the events of a run.
    EventWarningCode {
        CellsCut "cells_cut": "Texts are longer than a cell of a workbook may be and were cut; every other format has all of them.",
        CharactersReplaced "characters_replaced": "A template's encoding lacks some characters; they became `?` in its file.",
        ColumnsNotExported "columns_not_exported": "The template's files have no column for some values; add `--format csv` to keep them.",
        CustomColumnsLimited "custom_columns_limited": "The location has more custom fields than a table has columns; the column `extra` has the values of the others.",
        CustomFieldsUnreadable "custom_fields_unreadable": "The custom fields of contacts come in a form that the program does not know; their columns are empty, and the column `extra` has what was sent.",
        DeletedTasks "deleted_tasks": "The server sent tasks that were deleted; the table `tasks` does not have them.",
        DuplicateNames "duplicate_names": "A column that must be unique has a value more than once; the other system takes such rows as one.",
        FieldEmptied "field_emptied": "Contacts have lost their values of a field: a custom field was deleted, whose column stays, or many values were removed since the snapshot before.",
        FieldsChanged "fields_changed": "Custom fields were renamed, made again or have another type; `schema_changes` in the manifest says what the columns do.",
        FilterIgnored "filter_ignored": "The server sent contacts that do not match the filter; the tables have them, too.",
        FormulaCells "formula_cells": "Texts in a file for another system's importer look like formulas and have no guard; write it with `--csv-safe formulas` before you open it in a spreadsheet.",
        HeaderIgnored "header_ignored": "The API sent a number that its rate limit cannot have; it was ignored, and what was known before is used.",
        HiddenContacts "hidden_contacts": "The search counts more contacts than it shows; export again later to get the others.",
        JobIncident "job_incident": "A hook, the ping, the metrics or the old logs of a job failed; the message says why, and the steps went on.",
        LackingContacts "lacking_contacts": "Contacts that were named could not be found; of an export, `errors.csv` lists them.",
        LimitExhausted "limit_exhausted": "The API refuses requests because other applications use up its rate limit; the run goes on waiting.",
        LimitShared "limit_shared": "Another process of this machine uses the same rate limit; the two take turns.",
        ManifestNamesIgnored "manifest_names_ignored": "The old `manifest.json` names files that no export writes; they were not removed.",
        MassChange "mass_change": "Many contacts have changed since the snapshot before, which is held until `backup release`.",
        MassDeletion "mass_deletion": "More records than usual are missing in the account at once; each counts as deleted only where its own endpoint says so.",
        Misfit "misfit": "Values do not fit their column's type; they are kept in the column `extra`.",
        NotesByContacts "notes_by_contacts": "Notes are searched for by contact, which takes more requests than page by page; the message says why.",
        NotesPerContact "notes_per_contact": "Notes are read contact by contact, which takes a request for each; the message says why.",
        NotesWithoutContact "notes_without_contact": "The location counts more notes than its contacts have; the others are of other records, such as opportunities, and are not exported.",
        OtherLocation "other_location": "The server sent contacts of another location; the tables have them, and `errors.csv` lists them.",
        RepositoryChanged "repository_changed": "A backup repository does not have the snapshot that this machine wrote last, or has it in another form; the message says which.",
        RequiredValueMissing "required_value_missing": "Rows of a file for another system lack a value that the system requires; complete them in the file or in the account.",
        RowsSkipped "rows_skipped": "Rows lack a value that the template requires; its file does not have them.",
        SinkFailing "sink_failing": "A sink of `watch` did not take an event, which is kept and sent again; the message says why.",
        SinkGone "sink_gone": "A sink of `watch` takes no more events; they are kept, and sent when the command is started again.",
        SinksRestarted "sinks_restarted": "The local copy that `watch` sent from was lost; its sinks start again with the new copy, and what changed in between is not sent unless `--replay` is given.",
        SyncFailed "sync_failed": "A sync of `sync --every` or `watch` failed; the next one goes on where it stopped, and the message says why.",
        TagsPerContact "tags_per_contact": "Tags are changed contact by contact, which takes more requests; the message says why.",
        TasksPerContact "tasks_per_contact": "Tasks are read contact by contact, which takes more requests; the message says why.",
        TextTooLong "text_too_long": "Values are longer than the other system takes; shorten them there or before the export.",
        UndoInDoubt "undo_in_doubt": "It is not known whether some writes succeeded, so they are not undone; resolve them and undo again.",
        UndoPending "undo_pending": "Some writes of the import were never sent, so there is nothing to undo for them.",
        Unreachable "unreachable": "The API cannot be reached; `--retry-for` says for how long it is tried again.",
        UnreadableList "unreadable_list": "A list of the location cannot be read, so its table is empty; the message says why.",
    }
}

event_codes! {
    /// The stable name of the reason why a record could not be read.
    FetchFailureCode {
        FilterIgnored "filter_ignored": "The server sent contacts that do not match the filter; the tables have them, too.",
        Gone "gone": "The record was deleted while the export ran.",
        Hidden "hidden": "The search counts more contacts than it shows; export again later to get the others.",
        Incomplete "incomplete": "The server showed fewer rows of a list than it counts; retry with `--retry-errors`.",
        Lacking "lacking": "The account has no contact with the value that was named; check the value.",
        Late "late": "The record was found late and not requested yet; retry with `--retry-errors`.",
        Malformed "malformed": "A record has bytes that are not UTF-8 or not JSON; the message shows them, and the table has what can be read of it.",
        NoAnswer "no_answer": "The server did not respond to repeated attempts; retry with `--retry-errors`.",
        NoId "no_id": "A row of a response has no usable id, so its notes and tasks could not be read.",
        NoRow "no_row": "A row of a response is not a record, so no table has it.",
        OtherLocation "other_location": "The server sent a contact of another location; the tables have it, too.",
        Refused "refused": "The server refused the request; its reason is in the message.",
        Scope "scope": "The token lacks the scope that the request needs; add it and retry with `--retry-errors`.",
        Stuck "stuck": "The search repeats pages, so later contacts or tasks may be missing.",
        TooLarge "too_large": "The response is larger than the program accepts.",
        Unclear "unclear": "The value is not an id, e-mail address or phone number; correct the list for `--contacts`.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<C>(all: &[C], spelling: fn(C) -> &'static str, meaning: fn(C) -> &'static str)
    where
        C: Copy + fmt::Debug + FromStr<Err = UnknownEventCode> + PartialEq,
    {
        for code in all {
            assert_eq!(spelling(*code).parse(), Ok(*code));
            let meaning = meaning(*code);
            assert!(meaning.len() > 20 && meaning.ends_with('.'), "{code:?}: {meaning}");
            assert!(meaning.starts_with(char::is_uppercase), "{code:?}: {meaning}");
        }
        assert!(all.iter().map(|code| spelling(*code)).is_sorted());
        assert!("W_DATE_INVALID".parse::<C>().is_err());
    }

    #[test]
    fn every_code_is_read_back_documented_and_listed_in_order() {
        check(EventWarningCode::ALL, EventWarningCode::spelling, EventWarningCode::meaning);
        check(FetchFailureCode::ALL, FetchFailureCode::spelling, FetchFailureCode::meaning);
    }
}
