//! The column name of a custom field: made from its key or, if that says nothing, from its label.
//!
//! The service makes a key from the label that a field had first, and leaves out what it cannot
//! spell: the key of `身長` is empty, that of `Größe` has holes, and some clients set keys that are
//! random. Such keys are unreadable, and the label in Latin letters is used instead. Names consist
//! of lower-case letters, digits and underscores. Nothing here knows which names are taken.

use deunicode::deunicode;

use super::column::CustomFieldSource;

/// The longest name that is made from a label, which may be a whole question. Together with a
/// number for uniqueness it stays below the shortest limit of a database (63 in Postgres).
const MAX_LABEL_LENGTH: usize = 50;

/// From this length on, a key of one word may be an id.
const MIN_ID_LENGTH: usize = 16;

/// The column name of a custom field, without regard to other fields.
pub(super) fn name_custom_field(field: &CustomFieldSource) -> String {
    let from_key =
        is_readable_key(&field.key, &field.id).then(|| custom_column_name(&field.key)).flatten();
    from_key
        .or_else(|| transliterated_name(&field.label))
        .or_else(|| transliterated_name(&field.key))
        .or_else(|| custom_column_name(&field.id))
        .unwrap_or_else(|| "custom_field".to_owned())
}

/// The column name of a custom field with a readable key; `None` if no character of it is valid in a
/// column name.
#[must_use]
pub fn custom_column_name(key: &str) -> Option<String> {
    let mapped = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '_',
    };
    let name: String = key.chars().map(mapped).collect();
    name.contains(|c| c != '_').then(|| format!("custom_{name}"))
}

/// Whether a person can tell from the key what the field is.
fn is_readable_key(key: &str, id: &str) -> bool {
    key.is_ascii() && !key.eq_ignore_ascii_case(id) && !is_generated(key)
}

/// Whether a key looks like an id: a long word of letters with several digits, or hexadecimal
/// digits in groups.
fn is_generated(key: &str) -> bool {
    let word: String = key.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    let is_one_word = word.len() == key.len();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= MIN_ID_LENGTH
        && (3..word.len()).contains(&digits)
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && (is_one_word || word.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A column name from a text in any script; `None` if nothing of it can be spelled.
fn transliterated_name(text: &str) -> Option<String> {
    let latin = deunicode(text).to_ascii_lowercase();
    let words = latin.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        if !name.is_empty() && name.len() + word.len() >= MAX_LABEL_LENGTH {
            break;
        }
        name.push('_');
        name.extend(word.chars().take(MAX_LABEL_LENGTH));
    }
    (!name.is_empty()).then(|| format!("custom{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, label: &str, name: &str) {
        let field = CustomFieldSource {
            id: "Fh3kX".to_owned(),
            key: key.to_owned(),
            label: label.to_owned(),
            data_type: "TEXT".to_owned(),
        };
        assert_eq!(name_custom_field(&field), name);
    }

    #[test]
    fn a_readable_key_is_the_name() {
        check("deal_value", "Volume (EUR)", "custom_deal_value");
        check("Score", "x", "custom_score");
        check("../../etc", "x", "custom_______etc");
        check("address_line_2024_12_31", "x", "custom_address_line_2024_12_31");
        check("emergencycontactname", "x", "custom_emergencycontactname");
        check("2024", "x", "custom_2024");
    }

    #[test]
    fn an_unreadable_key_gives_way_to_the_label() {
        check("", "🎂", "custom_birthday");
        check("größe \"cm\"", "Größe \"cm\"", "custom_grosse_cm");
        check("___", "身長", "custom_shen_chang");
        check("5ob8rvjj1hmqeogsbwgt", "Straße & Nr.", "custom_strasse_nr");
        check("0b1c9e7a-77aa-4be2-9f43-bb0c6f1f2d10", "Plan", "custom_plan");
        check("fh3kx", "Имя отца", "custom_imia_ottsa");
    }

    #[test]
    fn without_a_label_that_can_be_spelled_the_key_is_spelled() {
        check("größe", "", "custom_grosse");
        check("", "…", "custom_fh3kx");
        check("___", "", "custom_fh3kx");
    }

    #[test]
    fn a_long_label_is_cut_between_words() {
        let question = "¿Cuál es el mayor desafío que enfrenta tu empresa en este momento?";
        check("", question, "custom_cual_es_el_mayor_desafio_que_enfrenta_tu_empresa");
        check("", &"é".repeat(200), &format!("custom_{}", "e".repeat(50)));
    }
}
