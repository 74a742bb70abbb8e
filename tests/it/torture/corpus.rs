//! The corpus: one test for each of its files.

use super::expectations::{check, files};

/// A test per file, with the options that the file needs.
macro_rules! files {
    ($($name:ident: $file:literal $($options:literal)?;)*) => {
        const TESTED: &[&str] = &[$($file,)*];
        $(
            #[test]
            fn $name() {
                check($file, concat!($($options)?));
            }
        )*
    };
}

files! {
    utf8_with_a_byte_order_mark: "01_utf8_bom_crlf.csv";
    utf16_with_tabs: "02_utf16le_bom_tab.csv";
    windows_1252: "05_windows1252.csv";
    semicolons_and_decimal_commas: "06_semicolon_decimal_comma.csv"
        "--decimal comma --map Umsatz=customFields.umsatz:number";
    line_breaks_in_cells: "09_embedded_newlines_quotes.csv";
    a_quote_that_stays_open: "10_unterminated_quote.csv";
    short_and_long_rows: "12_ragged_rows.csv";
    one_header_twice: "13b_duplicate_headers_single.csv";
    headers_in_all_spellings: "15_header_variants.csv";
    no_bytes: "16_zero_bytes.csv";
    no_rows: "17_header_only.csv";
    a_cell_of_a_mebibyte: "20_cell_1mb.csv";
    phones_as_numbers: "22_excel_scientific_phone.csv";
    leading_apostrophes: "23_leading_apostrophes.csv";
    postal_codes_without_zeros: "24_zip_lost_leading_zero.csv";
    dates_of_all_kinds: "25_dates_mixed.csv";
    dates_that_prove_their_order: "26_dates_dmy_inferable.csv";
    yes_and_no_in_all_spellings: "28_booleans.csv";
    several_addresses_in_a_cell: "29_multi_email_cell.csv";
    cells_that_look_like_formulas: "31_formula_injection.csv";
    an_address_in_two_cases: "32_dup_email_case.csv";
    addresses_that_are_none: "34a_invalid_emails.csv";
    phones_that_are_none: "34b_invalid_phones.csv";
    five_hundred_columns: "35_wide_500_columns.csv";
    lines_before_the_header: "37a_preamble_linkedin.csv";
    lines_behind_the_rows: "37b_footer_salesforce.csv";
    one_row_in_another_encoding: "39_invalid_utf8_one_row.csv";
    tags_in_all_spellings: "41_tags.csv";
    contact_ids: "43_contact_ids_update.csv";
    consent_of_both_kinds: "47_consent_polarity.csv";
    a_title_above_the_header: "50_title_row.xlsx";
    cells_with_types: "52_typed_cells.xlsx";
    rows_that_are_hidden: "53_hidden_rows.xlsx";
    formulas_and_their_results: "56_formula_cells.xlsx";
    countries_in_all_spellings: "61_countries.csv";
    // The times without a zone are the location's unless an option says otherwise.
    tasks: "63_tasks_dashclicks.csv" "--preset dashclicks-seed-tasks --timezone UTC";
    notes: "64_notes_dub.csv" "--preset dub-seed-notes";
}

#[test]
fn every_file_of_the_corpus_is_tested() {
    assert_eq!(files(), TESTED);
}
