//! Phrases: how many values or rows have a problem, as part of a sentence for people.
//!
//! Codes are for files and programs. A plan on a terminal says `Budget: 1,005 values are not numbers` instead; the
//! example and what happens to the values are added where the sentence is shown.

use super::DiagnosticCode;

/// What a sentence about many problems of one kind counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemSubject {
    /// Values of a column that are left out.
    LeftOutValue,
    /// Values of a column.
    Value,
    /// Rows: no column is to blame.
    Row,
    /// Rows whose messages say what the code cannot: the server's reason, or what was edited.
    Message,
    /// The file as a whole: the message of the only such problem is the sentence.
    File,
}

/// The phrase for problems of one kind, without their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemPhrase {
    /// What is counted.
    pub subject: ProblemSubject,
    /// The phrase for one: `value is not a number`.
    pub one: &'static str,
    /// The phrase for several: `values are not numbers`.
    pub many: &'static str,
}

macro_rules! phrases {
    ($code:expr; $($subject:ident { $($name:ident: $one:literal, $many:literal;)+ })+) => {
        match $code {
            $($(DiagnosticCode::$name => {
                ProblemPhrase { subject: ProblemSubject::$subject, one: $one, many: $many }
            })+)+
            _ => ProblemPhrase { subject: ProblemSubject::File, one: "", many: "" },
        }
    };
}

impl DiagnosticCode {
    /// How a sentence says that values or rows have this problem.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table with a line for each code")]
    pub fn problem_phrase(self) -> ProblemPhrase {
        phrases! { self;
            LeftOutValue {
                W_BOOLEAN_UNKNOWN: "value is neither yes nor no", "values are neither yes nor no";
                W_COUNTRY_UNKNOWN: "value is not a known country", "values are not known countries";
                W_CUSTOM_FIELD_UNKNOWN: "value is for a custom field that the location lacks", "values are for custom fields that the location lacks";
                W_DATE_AMBIGUOUS: "date can be read in several ways", "dates can be read in several ways";
                W_DATE_FUTURE: "date of birth is in the future", "dates of birth are in the future";
                W_DATE_INVALID: "value is not a valid date", "values are not valid dates";
                W_DATE_NO_YEAR: "date has no year", "dates have no year";
                W_EMAIL_EXCHANGE_DN: "value is an Exchange directory name", "values are Exchange directory names";
                W_EMAIL_INVALID: "value is not an e-mail address", "values are not e-mail addresses";
                W_FORMULA_NO_VALUE: "formula has no stored result", "formulas have no stored result";
                W_GENDER_NOT_UPDATED: "gender is new to an existing contact, which the API does not allow", "genders are new to existing contacts, which the API does not allow";
                W_NAME_NOT_UPDATED: "full name is for a contact with a first or last name", "full names are for contacts with a first or last name";
                W_NOTE_DATE_NOT_SETTABLE: "date of a note cannot be set", "dates of notes cannot be set";
                W_NOT_BROUGHT_BACK: "part of a deleted record cannot be recreated", "parts of deleted records cannot be recreated";
                W_NUMBER_INVALID: "value is not a number", "values are not numbers";
                W_OPTION_UNKNOWN: "cell names an option that the field lacks", "cells name options that the field lacks";
                W_PHONE_EXTENSION: "phone number has an extension, which the API does not store", "phone numbers have extensions, which the API does not store";
                W_PHONE_INVALID: "value is not a valid phone number", "values are not valid phone numbers";
                W_PLACEHOLDER: "value stands for nothing (`--empty-values` empties such cells)", "values stand for nothing (`--empty-values` empties such cells)";
                W_SPREADSHEET_ERROR: "cell is a spreadsheet error (`--empty-values` empties such cells)", "cells are spreadsheet errors (`--empty-values` empties such cells)";
                W_TIMEZONE_UNKNOWN: "value is not a known time zone", "values are not known time zones";
                W_URL_INVALID: "value is not a web address", "values are not web addresses";
            }
            Value {
                W_DAMAGED_COPY: "value is what a spreadsheet leaves of the contact's own, which stays", "values are what a spreadsheet leaves of the contacts' own, which stay";
                W_DIAL_CODE: "value is a dialling code, which is used for phone numbers", "values are dialling codes, which are used for phone numbers";
                W_NAME_REVERSED: "name has the form `Last, First` and was read so", "names have the form `Last, First` and were read so";
                R_BLANK: "cell is empty, and a value is required", "cells are empty, and a value is required";
                R_BOOLEAN_UNKNOWN: "value is neither yes nor no", "values are neither yes nor no";
                R_BUSINESS_AMBIGUOUS: "value is the name of several businesses", "values are names of several businesses";
                R_BUSINESS_UNKNOWN: "value is not a business of the location", "values are not businesses of the location";
                R_CELL_TOO_LONG: "cell is too long", "cells are too long";
                R_CONTROL_CHARACTER: "cell has a control character", "cells have control characters";
                R_COUNTRY_UNKNOWN: "value is not a known country", "values are not known countries";
                R_DATE_INVALID: "value is not a valid, unambiguous date", "values are not valid, unambiguous dates";
                R_FORMULA_NO_VALUE: "formula has no stored result", "formulas have no stored result";
                R_INVALID_CONTACT_ID: "value is not a contact id", "values are not contact ids";
                R_INVALID_EMAIL: "value is not an e-mail address", "values are not e-mail addresses";
                R_INVALID_PHONE: "value is not a valid phone number", "values are not valid phone numbers";
                R_NUMBER_INVALID: "value is not a number", "values are not numbers";
                R_OPTION_UNKNOWN: "value is not one of the field's options", "values are not among the field's options";
                R_OWNER_AMBIGUOUS: "value is the name of several users", "values are names of several users";
                R_OWNER_UNKNOWN: "value is not a user of the location", "values are not users of the location";
                R_PHONE_SCIENTIFIC: "phone number has lost digits", "phone numbers have lost digits";
                R_SPREADSHEET_ERROR: "cell is a spreadsheet error", "cells are spreadsheet errors";
                R_TASK_STATUS: "value does not say whether the task is completed", "values do not say whether the task is completed";
                R_TIMEZONE_UNKNOWN: "value is not a known time zone", "values are not known time zones";
                R_VALUE_INVALID: "value cannot be used", "values cannot be used";
                W_ANSWER_DIFFERS: "value is missing or different", "values are missing or different";
                W_APOSTROPHE_STRIPPED: "value loses its leading apostrophe", "values lose their leading apostrophe";
                W_BIDI_CONTROL: "value loses characters that change the writing direction", "values lose characters that change the writing direction";
                W_CONSENT_CONFLICT: "row both allows and forbids contact; it is not allowed", "rows both allow and forbid contact; it is not allowed";
                W_DATE_SERIAL: "number may be a date's serial number", "numbers may be dates' serial numbers";
                W_DND_NOT_LIFTED: "opt-out stays, since `--allow-resubscribe` was not given", "opt-outs stay, since `--allow-resubscribe` was not given";
                W_DUE_NO_TIME: "due date has no time of day; midnight is used", "due dates have no time of day; midnight is used";
                W_DUPLICATE_VALUE: "cell has a value twice", "cells have a value twice";
                W_EMAIL_UNUSUAL: "e-mail address is unusual", "e-mail addresses are unusual";
                W_EXTRA_URLS: "cell has several web addresses; the first is used", "cells have several web addresses; the first is used";
                W_HTML_ENTITY: "value has HTML entities, which are decoded", "values have HTML entities, which are decoded";
                W_HTML_ENTITY_KEPT: "text has HTML entities and stays as it is", "texts have HTML entities and stay as they are";
                W_INVISIBLE_CHARACTER: "value loses invisible characters", "values lose invisible characters";
                W_MOJIBAKE: "text looks wrongly decoded", "texts look wrongly decoded";
                W_MULTI_EMAIL: "cell has more e-mail addresses than the API takes", "cells have more e-mail addresses than the API takes";
                W_MULTI_PHONE: "cell has more phone numbers than the API takes", "cells have more phone numbers than the API takes";
                W_NOTE_SPLIT: "note is too long and becomes several", "notes are too long and become several";
                W_NOTE_TRUNCATED: "note is too long and is shortened", "notes are too long and are shortened";
                W_NOT_OPTED_IN: "person did not opt in, which is not an opt-out", "people did not opt in, which is not an opt-out";
                W_NUMBER_AMBIGUOUS: "number may have thousands grouped by its `.`, which is read as a decimal sign", "numbers may have thousands grouped by their `.`, which is read as a decimal sign";
                W_PHONE_FLOAT: "phone number was a decimal number", "phone numbers were decimal numbers";
                W_PHONE_IDD_00: "phone number begins with `00` or `011`, read as `+`", "phone numbers begin with `00` or `011`, read as `+`";
                W_PHONE_SCIENTIFIC: "phone number was in scientific notation", "phone numbers were in scientific notation";
                W_PHONE_UNUSUAL: "phone number does not follow its country's plan", "phone numbers do not follow their country's plan";
                W_PLACEHOLDER_KEPT: "value seems to stand for nothing (`--empty-values` empties such cells) but is stored", "values seem to stand for nothing (`--empty-values` empties such cells) but are stored";
                W_ZIP_PADDED: "postal code gets its leading zeros back", "postal codes get their leading zeros back";
                W_ZIP_SUSPECT: "postal code may have been damaged as a number", "postal codes may have been damaged as numbers";
            }
            Row {
                R_TEST_LEAD: "row is a test lead", "rows are test leads";
                R_BAD_QUOTING: "row has quotes that do not match", "rows have quotes that do not match";
                R_BROKEN_LINE: "row is broken by a line break inside a cell", "rows are broken by line breaks inside cells";
                R_CARD_INCOMPLETE: "card has no end", "cards have no end";
                R_DUPLICATE_IN_FILE: "row repeats an earlier row's contact", "rows repeat an earlier row's contact";
                R_ENCODING: "row has bytes that its encoding does not define", "rows have bytes that their encoding does not define";
                R_FOOTER_ROW: "row is text below the table", "rows are text below the table";
                R_JSON_INVALID: "line is not a JSON object", "lines are not JSON objects";
                R_NOTE_EMPTY: "row is about a note without text", "rows are about notes without text";
                R_NO_CONTACT_ID: "row does not say which contact its note or task is for", "rows do not say which contact their note or task is for";
                R_NO_IDENTITY: "row has no usable e-mail address, phone number, id or name", "rows have no usable e-mail address, phone number, id or name";
                R_NO_MATCH_KEY: "row has only a name, which is not enough to find it again", "rows have only a name, which is not enough to find them again";
                R_NO_RECORD_ID: "row has no id of what to delete", "rows have no id of what to delete";
                R_REPEATED_HEADER: "row repeats the header", "rows repeat the header";
                R_ROW_TOO_LONG: "row has more cells than the header", "rows have more cells than the header";
                R_TASK_NO_DUE: "row is about a task without a due date", "rows are about tasks without a due date";
                R_TASK_NO_TITLE: "row is about a task without a title", "rows are about tasks without a title";
                R_TOO_MANY_VALUES: "row has more values than a contact can have", "rows have more values than a contact can have";
                R_TOTALS_ROW: "row holds totals", "rows hold totals";
                W_DONE_EARLIER: "row creates nothing, since an earlier run created the same", "rows create nothing, since an earlier run created the same";
                W_EDITED_SINCE: "row has fields that were edited since the import; they stay", "rows have fields that were edited since the import; they stay";
                W_SHARED_VALUE_DROPPED: "row shares an address or number with other people, so it is left out", "rows share addresses or numbers with other people, so these are left out";
                W_SHARED_PHONE: "row shares its phone number with another row", "rows share their phone numbers with other rows";
                W_SHORT_ROW: "row has fewer cells than the header", "rows have fewer cells than the header";
            }
            Message {
                R_AMBIGUOUS_MATCH: "row", "rows";
                R_CONFLICT: "row", "rows";
                R_CONTACT_GONE: "row", "rows";
                R_EMAIL_OF_ANOTHER: "row", "rows";
                R_EXISTS: "row", "rows";
                R_EXISTS_NOW: "row", "rows";
                R_IN_DOUBT: "row", "rows";
                R_IN_DOUBT_EARLIER: "row", "rows";
                R_NOT_FOUND: "row", "rows";
                R_NOT_FREED: "row", "rows";
                R_NOT_KEPT: "row", "rows";
                R_NO_ANSWER: "row", "rows";
                R_OTHER_LOCATION: "row", "rows";
                R_PHONE_OF_ANOTHER: "row", "rows";
                R_REFUSED: "row", "rows";
                R_SECONDARY_EMAIL: "row", "rows";
                R_SHARED_PHONE: "row", "rows";
                R_SKIPPED: "row", "rows";
                R_TWO_CONTACTS: "row", "rows";
                R_VALUE_SWAP: "row", "rows";
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::DiagnosticSeverity;

    #[test]
    fn every_rejection_has_a_phrase_and_the_phrases_differ_by_number() {
        for code in DiagnosticCode::ALL {
            let phrase = code.problem_phrase();
            let is_file = phrase.subject == ProblemSubject::File;
            assert!(!is_file || code.severity() != DiagnosticSeverity::Rejection, "{code}");
            assert!(is_file || phrase.one != phrase.many, "{code}");
        }
    }
}
