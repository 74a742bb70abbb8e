//! Codes: every warning, rejection and refusal that an import can report, one line each.
//!
//! A code's name in the program is its spelling in files and events, so one search finds where it is created,
//! tested and documented. The first letter is the severity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The effect of a diagnostic on the row or file it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticSeverity {
    /// The row is imported; at most one of its fields is left out.
    Warning,
    /// The row is not imported.
    Rejection,
    /// The file is not imported.
    Refusal,
}

impl DiagnosticSeverity {
    /// All severities, mildest first.
    pub const ALL: [Self; 3] = [Self::Warning, Self::Rejection, Self::Refusal];

    /// The effect, as a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Warning => "the row is imported; at most a field is left out (warnings.csv)",
            Self::Rejection => "the row is not imported, or not completely (rejected.csv)",
            Self::Refusal => "the file is not imported, and nothing is sent",
        }
    }

    /// The name used in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Rejection => "rejection",
            Self::Refusal => "refusal",
        }
    }
}

/// The error for a text that is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a diagnostic code")]
pub struct UnknownDiagnosticCode(String);

macro_rules! diagnostic_codes {
    ($($severity:ident { $($code:ident: $meaning:literal,)+ })+) => {
        /// The stable name of a warning, rejection or refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(non_camel_case_types, reason = "a code's name in the program is its spelling everywhere else")]
        pub enum DiagnosticCode {
            $($(#[doc = $meaning] $code,)+)+
        }

        impl DiagnosticCode {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$($(Self::$code,)+)+];

            /// The spelling in files, events and messages.
            #[must_use]
            pub fn spelling(self) -> &'static str {
                match self {
                    $($(Self::$code => stringify!($code),)+)+
                }
            }

            /// What the code means, and what the user can do.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $($(Self::$code => $meaning,)+)+
                }
            }

            /// The effect on the row or file.
            #[must_use]
            pub fn severity(self) -> DiagnosticSeverity {
                match self {
                    $($(Self::$code)|+ => DiagnosticSeverity::$severity,)+
                }
            }
        }

        impl FromStr for DiagnosticCode {
            type Err = UnknownDiagnosticCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($(stringify!($code) => Ok(Self::$code),)+)+
                    _ => Err(UnknownDiagnosticCode(text.to_owned())),
                }
            }
        }
    };
}

diagnostic_codes! {
    Warning {
        W_ANSWER_DIFFERS: "The write succeeded, but the account holds another value than the one that was sent; check the contact.",
        W_APOSTROPHE_STRIPPED: "A leading apostrophe, with which spreadsheets mark text, was removed.",
        W_BIDI_CONTROL: "Characters that change the direction of writing were removed.",
        W_BOOLEAN_UNKNOWN: "The value is neither yes nor no, so the field is left out; correct the cell or map its words under `values`.",
        W_CARD_PROPERTIES: "The vCards have properties that are not imported, such as photos.",
        W_CLEAR_NOT_ALLOWED: "Empty cells would clear a field, which needs `--allow-clear`; nothing is cleared.",
        W_CONSENT_CONFLICT: "One column allows contacting the person and another forbids it; the contact will not be contacted.",
        W_COUNTRY_UNKNOWN: "The country is not known or fits several countries, so the field is left out; use its two-letter code.",
        W_CUSTOM_FIELD_UNKNOWN: "The location has no custom field of this name, so the value is left out; create the field or map the column to another one.",
        W_DAMAGED_COPY: "The cell is what a spreadsheet leaves of the contact's value, such as a number without its `+`; nothing is changed.",
        W_DATE_AMBIGUOUS: "The date can be read in several ways; use `--date-order`, or write it as `2026-12-31`.",
        W_DATE_FUTURE: "The date of birth is in the future, so the field is left out; correct the cell.",
        W_DATE_INVALID: "The value is not a valid date, so the field is left out; correct the cell.",
        W_DATE_NO_YEAR: "The date has no year, so the field is left out; add the year.",
        W_DATE_ORDER_INFERRED: "The order of day and month was inferred from the whole column; `--date-order` sets it.",
        W_DATE_SERIAL: "The value may be a spreadsheet's serial number for a date; format the cell as a date.",
        W_DIAL_CODE: "The column of countries holds dialling codes; they are used for phone numbers, and no country is stored.",
        W_DND_NOT_LIFTED: "The contact has opted out and the row would lift that, which needs `--allow-resubscribe`; the opt-out stays.",
        W_DONE_EARLIER: "An earlier run created the same record, so it is not created again; map a column to `sourceId` to tell equal records apart.",
        W_DUE_NO_TIME: "The due date has no time of day; midnight in the location's time zone is used.",
        W_DUPLICATE_HEADER: "Several columns have the same name; name one by its letter.",
        W_DUPLICATE_VALUE: "The cell holds the same value more than once; it is used once.",
        W_EDITED_SINCE: "The record was edited after the import, so the undo leaves the edited fields unchanged.",
        W_EMAIL_EXCHANGE_DN: "The cell holds an Exchange directory name instead of an e-mail address; it is left out.",
        W_EMAIL_INVALID: "The value is not an e-mail address, so the field is left out; correct the cell.",
        W_EMAIL_UNUSUAL: "The e-mail address is valid but unusual (quotes, or letters beyond ASCII); check it.",
        W_EMPTIED_VALUES: "Cells of the column hold a text of `--empty-values` and count as empty.",
        W_ENCODING: "The file has bytes that its encoding does not define; name the encoding with `--encoding`.",
        W_ENCODING_GUESSED: "The file does not say which encoding it uses, so it was guessed; name it with `--encoding` if names look wrong.",
        W_EXTENSION_MISMATCH: "The file's extension does not match its content; it is read by its content.",
        W_EXTRA_URLS: "The cell holds several web addresses; the first one is used.",
        W_FIELD_AS_TEXT: "The column looks like a pick list, whose options the API cannot create, so its new custom field takes text.",
        W_FIELD_KEPT: "A contact keeps a value of a custom field that the import created, so the undo leaves the field.",
        W_FIELD_NOT_CREATED: "The column does not become a custom field, because it is about consent, ids or has no name; map it, or ignore it.",
        W_FORMULA_NO_VALUE: "The file holds no result for this formula, so the field is left out; open the file in a spreadsheet program and save it.",
        W_GENDER_NOT_UPDATED: "The API does not change the gender of an existing contact, so it is left out.",
        W_HEADER_UNKNOWN: "The row that `--header-row` names has no known column name; check that it is the header.",
        W_HIDDEN_UNSEEN: "Hidden rows cannot be detected in this kind of spreadsheet; check that none is meant to be left out.",
        W_HTML_ENTITY: "The text held HTML entities such as `&amp;`, which were decoded.",
        W_HTML_ENTITY_KEPT: "The text holds HTML entities such as `&amp;` and may be HTML, so it is left unchanged; decode it in the file if it is not.",
        W_IGNORED_COLUMNS: "A deletion reads only the columns that identify records; the others are ignored.",
        W_INVISIBLE_CHARACTER: "Invisible characters were removed.",
        W_LONG_NUMBER: "The spreadsheet holds numbers with more than 15 digits, of which it keeps 15; format the column as text and enter them again.",
        W_MERGED_CELLS: "The spreadsheet has merged cells: a value merged over rows is used in each of them, one merged over columns in the first.",
        W_MOJIBAKE: "The text looks as if it was decoded with the wrong encoding, or not decoded at all; name the encoding with `--encoding`, or decode it in the file.",
        W_MULTI_EMAIL: "There are more e-mail addresses than the API takes for a contact; add the others in HighLevel, or see `--extra-values`.",
        W_MULTI_PHONE: "There are more phone numbers than the API takes for a contact; add the others in HighLevel, or see `--extra-values`.",
        W_NAME_NOT_UPDATED: "The contact already has a name in separate parts, so the full name is not written; map first and last name.",
        W_NAME_REVERSED: "The name has the form `Last, First`; it was read as last and first name.",
        W_NOTE_DATE_NOT_SETTABLE: "The API sets a note's date itself, so the date is left out; `--note-date prefix` writes it in front of the text.",
        W_NOTE_SPLIT: "The note is longer than the API allows, so it becomes several notes.",
        W_NOTE_TRUNCATED: "The note is longer than the API allows, so it is shortened.",
        W_NOT_BROUGHT_BACK: "The undo cannot recreate this part of a deleted record, because the API offers no way to write it.",
        W_NOT_OPTED_IN: "The person did not opt in here, which is not an opt-out; nothing is changed.",
        W_NO_ROWS: "The file has a header but no rows.",
        W_NUMBER_AMBIGUOUS: "The `.` of the number may be a decimal sign or group thousands; it is read as a decimal sign, and `--decimal` sets it.",
        W_NUMBER_INVALID: "The value is not a number, so the field is left out; correct the cell, or set `--decimal`.",
        W_OPTION_UNKNOWN: "The value is not one of the custom field's options, so it is left out, as `--unknown-option drop-value` says.",
        W_PHONE_EXTENSION: "The extension of the phone number was left out, because the API does not store extensions.",
        W_PHONE_FLOAT: "A spreadsheet turned the phone number into a decimal number; the decimals were removed.",
        W_PHONE_IDD_00: "The leading `00` or `011` of the phone number was read as `+`.",
        W_PHONE_INVALID: "The value is not a valid phone number, so the field is left out; correct the cell, or set `--default-country`.",
        W_PHONE_SCIENTIFIC: "A spreadsheet turned the phone number into scientific notation; all its digits could be restored.",
        W_PHONE_UNUSUAL: "The phone number does not follow its country's numbering plan; it is sent as it is.",
        W_PLACEHOLDER: "The cell holds what programs write for no value, such as `NULL`, so it is left out; `--empty-values` treats it as empty.",
        W_PLACEHOLDER_KEPT: "The cell seems to stand for no value, as `N/A` does, but it is stored; `--empty-values` treats it as empty.",
        W_PREAMBLE_SKIPPED: "Lines before the header were skipped; `--header-row` says where the header is.",
        W_PRIOR_RUN_UNREADABLE: "The ledger of an earlier run is damaged, so the notes, tasks and contacts that it created are not recognized and may be created again.",
        W_ROWS_SELECTED: "Only some rows of the file are imported, as `--skip-rows` and `--limit` say.",
        W_SHARED_PHONE: "Several rows have the same phone number; a location that identifies contacts by phone treats them as one.",
        W_SHARED_VALUE_DROPPED: "Several people in the file have this address or number, so it is left out, as `--on-shared-email` or `--on-shared-phone` says.",
        W_SHEET_CHOSEN: "The spreadsheet has several sheets, and the only one that looks like contacts was chosen; `--sheet` names one.",
        W_SHORT_ROW: "The row has fewer cells than the header; the missing cells count as empty and clear nothing.",
        W_SPREADSHEET_ERROR: "The cell holds a spreadsheet error such as `#N/A`, so the field is left out; correct the formula.",
        W_TIMEZONE_UNKNOWN: "The time zone is not known, so the field is left out; use a name such as `Europe/Berlin`.",
        W_TRAILING_NULS: "NUL bytes at the end of the file were ignored.",
        W_UNMAPPED_COLUMNS: "Some columns are not imported; give them a target with `--map`, or list them with `--ignore-column`.",
        W_UNNAMED_COLUMN: "A column with values has no name; it can be mapped by its letter.",
        W_URL_INVALID: "The value is not a web address, so the field is left out; correct the cell.",
        W_ZIP_PADDED: "The leading zeros that a US ZIP code had lost were restored.",
        W_ZIP_SUSPECT: "The postal code may have lost leading zeros or been formatted as a number; check it, and format the column as text.",
    }
    Rejection {
        R_AMBIGUOUS_MATCH: "Several contacts have the row's value; name the right one by its contact id.",
        R_BAD_QUOTING: "The quotes of the row do not match; correct them in the file.",
        R_BLANK: "The cell is empty, and the mapping requires a value; fill it in.",
        R_BOOLEAN_UNKNOWN: "The value is neither yes nor no; correct the cell or map its words under `values`.",
        R_BROKEN_LINE: "The row is a piece of one that was broken by a line break inside a cell without quotes; join the pieces.",
        R_BUSINESS_AMBIGUOUS: "Several businesses of the location have this name; use the business's id.",
        R_BUSINESS_UNKNOWN: "The location has no business of this name; correct it, or create the business.",
        R_CARD_INCOMPLETE: "The vCard has no end, so a part of it may be missing; export it again.",
        R_CELL_TOO_LONG: "The cell is longer than the API allows; shorten it.",
        R_CONFLICT: "The record was edited after the plan was made, so it was not overwritten; plan the row again.",
        R_CONTACT_GONE: "The contact was deleted after the plan was made; plan the row again.",
        R_CONTROL_CHARACTER: "The cell holds a control character; remove it.",
        R_COUNTRY_UNKNOWN: "The country is not known or fits several countries; use its two-letter code.",
        R_DATE_INVALID: "The value is not a valid, unambiguous date; correct the cell, or set `--date-order`.",
        R_DUPLICATE_IN_FILE: "An earlier row is about the same contact; `--on-duplicate` says what to do with such rows.",
        R_EMAIL_OF_ANOTHER: "The e-mail address belongs to another contact, and the location allows only one contact to have it.",
        R_ENCODING: "The row has bytes that the file's encoding does not define; name the encoding with `--encoding`.",
        R_EXISTS: "The contact exists already; `--on-existing` or another `--mode` says what to do with it.",
        R_EXISTS_NOW: "The contact was created after the plan was made; plan the row again.",
        R_FOOTER_ROW: "The row is text below the table, not a record; rows after it are not imported either.",
        R_FORMULA_NO_VALUE: "The file holds no result for this formula; open the file in a spreadsheet program and save it.",
        R_INVALID_CONTACT_ID: "The value is not a contact id; correct the cell.",
        R_INVALID_EMAIL: "The value is not an e-mail address; correct the cell.",
        R_INVALID_PHONE: "The value is not a valid phone number; correct the cell, set `--default-country`, or use `--on-invalid-phone drop`.",
        R_IN_DOUBT: "It is not known whether the server applied the write; `ghl-bulk resume` checks again.",
        R_IN_DOUBT_EARLIER: "An earlier run sent this row, and it is not known whether that succeeded; resume and resolve that run first.",
        R_JSON_INVALID: "The line is not a JSON object; correct it.",
        R_NOTE_EMPTY: "The row is about a note but has no text for it; fill in the text.",
        R_NOT_FOUND: "The account has no record that the row is about; check the id or address, or choose another `--mode`.",
        R_NOT_FREED: "The row's address or number belongs to a contact to which another row gives another one, and that is not done yet; import the rejected rows again afterwards.",
        R_NOT_KEPT: "Not all of the contact can be read, so it could not be restored and is not deleted.",
        R_NO_ANSWER: "The server did not respond to repeated attempts and did not apply the write; import the row again.",
        R_NO_CONTACT_ID: "The row has no contact id, which this import requires; fill it in.",
        R_NO_IDENTITY: "Nothing in the row identifies the contact; add an e-mail address or phone number, or see `--no-identity`.",
        R_NO_MATCH_KEY: "The row has no value for the field of `--key`; fill it in.",
        R_NO_RECORD_ID: "The row has no id of the note or task to delete; fill it in.",
        R_NUMBER_INVALID: "The value is not a number; correct the cell, or set `--decimal`.",
        R_OPTION_UNKNOWN: "The value is not one of the custom field's options; correct it, map it under `values`, or see `--unknown-option`.",
        R_OTHER_LOCATION: "The contact that the row is about belongs to another location; nothing is written to it.",
        R_OWNER_AMBIGUOUS: "Several users of the location have this name; use the user's e-mail address.",
        R_OWNER_UNKNOWN: "The location has no user with this name or e-mail address; correct it.",
        R_PHONE_OF_ANOTHER: "The phone number belongs to another contact, and the location allows only one contact to have it.",
        R_PHONE_SCIENTIFIC: "A spreadsheet turned the phone number into scientific notation and digits are lost; format the column as text and enter it again.",
        R_REFUSED: "The server refused the write; its reason is in the message.",
        R_REPEATED_HEADER: "The row repeats the header; remove it.",
        R_ROW_TOO_LONG: "The row has more cells than the header; a delimiter in a cell may lack its quotes.",
        R_SECONDARY_EMAIL: "The e-mail address is an additional address of a contact; use the contact's primary address or its id.",
        R_SHARED_PHONE: "An earlier row has the same phone number, and the location takes it only once; see `--on-shared-phone`.",
        R_SKIPPED: "This part of the row was not sent, because another part of it failed.",
        R_SPREADSHEET_ERROR: "The cell holds a spreadsheet error such as `#N/A`; correct the formula.",
        R_TASK_NO_DUE: "The row is about a task but has no due date; fill it in.",
        R_TASK_NO_TITLE: "The row is about a task but has no title; fill it in.",
        R_TASK_STATUS: "The value does not say whether the task is completed; correct it, or map it under `values`.",
        R_TEST_LEAD: "The row is a test lead of an advertising platform; remove it.",
        R_TIMEZONE_UNKNOWN: "The time zone is not known; use a name such as `Europe/Berlin`.",
        R_TOO_MANY_VALUES: "There are more values than the API takes for this field; remove some.",
        R_TOTALS_ROW: "The row holds totals, not a record; remove it.",
        R_TWO_CONTACTS: "The row matches two different contacts; merge them, or remove one of the values from the row.",
        R_VALUE_INVALID: "The value cannot be used, and the mapping rejects such rows; correct the cell.",
        R_VALUE_SWAP: "Rows exchange their addresses or numbers, which no order of writes can do; give one contact another value first, then import the rejected rows again.",
    }
    Refusal {
        E_CHANGED: "The file changed while it was read; run the command again when no program writes to it.",
        E_COLUMN_UNDECIDED: "A column may be for a target, but not surely; decide with `--map` or `--ignore-column`.",
        E_CONFIG: "The configuration file has an error; the message names the line.",
        E_CONTACTS: "The list for `--contacts` names no contact; give one id, e-mail address or phone number per line.",
        E_DELIMITER: "The delimiter cannot be determined or is not possible; name it with `--delimiter`.",
        E_DUPLICATE_HEADER: "Two columns go to a target that takes one; decide with `--map` or `--ignore-column`.",
        E_EMPTY_FILE: "The file is empty; check the export that wrote it, or choose another file.",
        E_ENCODING: "The encoding is not known or does not fit the file; name it with `--encoding`, or save the file as UTF-8.",
        E_ENCRYPTED_OR_LEGACY_XLS: "The spreadsheet is encrypted or in an old format; save it as `.xlsx` without a password, or as CSV.",
        E_HEADERS_DIFFER: "The files of one command have different columns; import them one by one.",
        E_HEADER_TOO_SHORT: "Every row has one cell more than the header, so the names may belong to the wrong cells; name the first column.",
        E_HIDDEN_ROWS: "The spreadsheet has hidden rows; `--hidden` says whether to skip or include them.",
        E_HTML_FILE: "The file is a web page, whatever its extension; save it as `.xlsx` or CSV.",
        E_IO: "The file cannot be read; check that it exists and that you may read it.",
        E_MAPPING: "The mapping has errors, or does not fit the file or the location; the lines below say which.",
        E_NEW_FIELD: "Some columns cannot become custom fields of the location; the lines below say why.",
        E_NOT_TEXT: "The file is neither text nor a supported spreadsheet; save it as `.xlsx` or CSV.",
        E_NO_HEADER: "No row with column names was found; `--header-row` says where it is.",
        E_PRESET_AMBIGUOUS: "Several presets fit the file equally well; choose one with `--preset`.",
        E_SHEET_AMBIGUOUS: "The spreadsheet has several sheets, and it is not clear which one to import; name it with `--sheet`.",
        E_TEXT_TOO_LONG: "A row or cell is longer than is read; a quote may be missing, or remove the column that it is in.",
        E_UNTERMINATED_QUOTE: "A quote is not closed before the end of the file; correct it in the file.",
        E_XLSX_CORRUPT: "The spreadsheet is damaged; open it in a spreadsheet program and save it again.",
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.spelling())
    }
}

impl Serialize for DiagnosticCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.spelling())
    }
}

impl<'de> Deserialize<'de> for DiagnosticCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Lets tests compare a code with its spelling.
#[cfg(test)]
impl PartialEq<&str> for DiagnosticCode {
    fn eq(&self, other: &&str) -> bool {
        self.spelling() == *other
    }
}
