//! The seeded custom fields: every type, and keys that cannot be column names.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::text::write_json_string;
use super::rng::SeededRng;
use super::word_lists::FIRST;

/// Name, key, type and options of every definition.
const DEFINITIONS: [(&str, &str, &str, &[&str]); 24] = [
    ("Nickname", "contact.nickname", "TEXT", &[]),
    ("Background", "contact.background", "LARGE_TEXT", &[]),
    ("Employees", "contact.employees", "NUMERICAL", &[]),
    ("Second phone", "contact.second_phone", "PHONE", &[]),
    ("Deal value", "contact.deal_value", "MONETORY", &[]),
    ("Interests", "contact.interests", "CHECKBOX", &["Solar", "Wind; offshore", "Gas, oil"]),
    ("Stage", "contact.stage", "SINGLE_OPTIONS", &["New", "Won", "Lost \"for now\""]),
    ("Products", "contact.products", "MULTIPLE_OPTIONS", &["A", "B; C", "[D]", " E "]),
    ("Score", "contact.score", "FLOAT", &[]),
    ("Best time", "contact.best_time", "TIME", &[]),
    ("Renewal date", "contact.renewal_date", "DATE", &[]),
    ("Household", "contact.household", "TEXTBOX_LIST", &["Spouse", "Children"]),
    ("Contract", "contact.contract", "FILE_UPLOAD", &[]),
    ("Signature", "contact.signature", "SIGNATURE", &[]),
    ("Preferred channel", "contact.preferred_channel", "RADIO", &["E-mail", "Phone"]),
    // The same key twice, with two types.
    ("Region", "contact.region", "TEXT", &[]),
    ("Region", "contact.region", "NUMERICAL", &[]),
    // They differ only in the case of one letter.
    ("SCORE", "contact.Score", "TEXT", &[]),
    ("Größe \"cm\" — 身長", "contact.größe \"cm\" 身長", "NUMERICAL", &[]),
    ("🎂", "contact.", "TEXT", &[]),
    // The same name as a native column.
    ("Email", "contact.email", "TEXT", &[]),
    ("Never used", "contact.never_used", "TEXT", &[]),
    ("Pipeline note", "opportunity.pipeline_note", "TEXT", &[]),
    ("Margin", "opportunity.margin", "FLOAT", &[]),
];

const NEVER_USED: &str = "contact.never_used";

/// The definitions of a location, as the service lists them.
pub(super) fn build_definitions(location: &str, rng: &mut SeededRng) -> Vec<Value> {
    let folder = rng.random_id();
    let define = |(position, (name, key, kind, options)): (usize, &(&str, &str, &str, &[&str]))| {
        let model = if key.starts_with("contact.") { "contact" } else { "opportunity" };
        let mut field = json!({
            "id": rng.random_id(), "name": name, "fieldKey": key, "dataType": kind, "placeholder": "",
            "position": position * 50, "locationId": location, "model": model, "parentId": folder,
        });
        if *kind == "TEXTBOX_LIST" {
            let boxes =
                options.iter().map(|label| json!({ "id": rng.random_id(), "label": label }));
            field["picklistOptions"] = boxes.collect();
        } else if !options.is_empty() {
            field["picklistOptions"] = json!(options);
            field["isAllowedCustomOption"] = false.into();
        }
        if *kind == "FILE_UPLOAD" {
            field["isMultiFileAllowed"] = true.into();
            field["maxFileLimit"] = 2.into();
        }
        field
    };
    DEFINITIONS.iter().enumerate().map(define).collect()
}

/// What is needed of a definition to generate a value.
#[derive(Debug)]
pub(super) struct FieldSampler {
    /// The start of a value in a row: `{"id":"…","value":`.
    start: String,
    kind: String,
    boxes: Vec<String>,
}

/// The contact fields that seeded contacts have values for.
pub(super) fn field_samplers(definitions: &[Value]) -> Vec<FieldSampler> {
    let used = |field: &&Value| field["model"] == "contact" && field["fieldKey"] != NEVER_USED;
    let drawn = |field: &Value| FieldSampler {
        start: format!("{{\"id\":{},\"value\":", field["id"]),
        kind: field["dataType"].as_str().unwrap_or_default().to_owned(),
        boxes: field["picklistOptions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|option| option["id"].as_str().map(str::to_owned))
            .collect(),
    };
    definitions.iter().filter(used).map(drawn).collect()
}

impl FieldSampler {
    /// Appends a value; a `misfit` has another type than the field.
    pub(super) fn write_value(&self, out: &mut Vec<u8>, misfit: bool, rng: &mut SeededRng) {
        out.extend_from_slice(self.start.as_bytes());
        if misfit {
            out.extend_from_slice(self.mistyped_json().as_bytes());
        } else {
            self.write_typed_value(out, rng);
        }
        out.push(b'}');
    }

    fn mistyped_json(&self) -> &'static str {
        match self.kind.as_str() {
            "TEXT" | "LARGE_TEXT" => "42",
            "NUMERICAL" | "FLOAT" => "\"about twelve\"",
            "MONETORY" => "\"$1,234.50\"",
            "CHECKBOX" | "MULTIPLE_OPTIONS" => "\"A, B\"",
            "DATE" => "\"soon\"",
            "SINGLE_OPTIONS" | "RADIO" => "[\"New\"]",
            _ => "true",
        }
    }

    fn write_typed_value(&self, out: &mut Vec<u8>, rng: &mut SeededRng) {
        let texts = ["plain", "two\nlines", "=2+3", "ünï ☃", "a \"b\"; c, d", " padded "];
        let mut text = String::new();
        let draw = rng.next_below(10_000);
        let written = match self.kind.as_str() {
            "NUMERICAL" => write!(text, "{}", if draw < 50 { 0 } else { draw }),
            "FLOAT" => write!(text, "{}.{}", draw / 100, draw % 100),
            "MONETORY" => write!(text, "{}.25", draw * 7),
            "PHONE" => write!(text, "\"+1212555{draw:04}\""),
            "CHECKBOX" | "MULTIPLE_OPTIONS" => {
                let lists =
                    [r#"["A"]"#, r#"["B; C","[D]"]"#, r#"[" E ","A"]"#, "[]", r#"["Gas, oil"]"#];
                write!(text, "{}", rng.pick(&lists))
            }
            "SINGLE_OPTIONS" => {
                write!(text, "{}", rng.pick(&["\"New\"", "\"Won\"", "\"Not an option\""]))
            }
            "RADIO" => write!(text, "{}", rng.pick(&["\"E-mail\"", "\"Phone\""])),
            "TIME" => write!(text, "\"{:02}:{:02}\"", draw % 24, draw % 60),
            // One date in ten as a number, as old clients wrote them.
            "DATE" if draw < 1000 => {
                write!(text, "{}", 1_700_000_000_000_u64 + draw as u64 * 86_400_000)
            }
            "DATE" => write!(
                text,
                "\"20{:02}-{:02}-{:02}\"",
                20 + draw % 10,
                1 + draw % 12,
                1 + draw % 28
            ),
            "TEXTBOX_LIST" => write!(
                text,
                "{{\"{}\":\"{}\",\"{}\":\"{}\"}}",
                self.boxes.first().map_or("", String::as_str),
                rng.pick(&FIRST),
                self.boxes.get(1).map_or("", String::as_str),
                draw % 5
            ),
            "FILE_UPLOAD" => write!(
                text,
                "{{\"f31175d4-2b06-4fc6-b7bc-74cd{draw:08}\":{{\"meta\":{{\"originalname\":\"contract {draw}.pdf\",\"size\":{draw}}},\"url\":\"https://files.example.com/{draw}\",\"documentId\":\"doc{draw}\"}}}}"
            ),
            "SIGNATURE" => write!(
                text,
                "{{\"url\":\"https://files.example.com/s/{draw}\",\"meta\":{{\"isSignature\":true}}}}"
            ),
            _ => {
                write_json_string(out, rng.pick::<&str>(&texts));
                return;
            }
        };
        written.expect("writing to a String cannot fail");
        out.extend_from_slice(text.as_bytes());
    }
}
