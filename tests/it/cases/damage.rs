//! What a spreadsheet takes from values when it saves a file is no edit.

use super::{contact, copy_case, warned_columns};
use crate::import_world::empty_world;

#[test]
fn a_list_that_a_spreadsheet_has_saved_changes_nothing() {
    let world = empty_world();
    for name in ["i01_seed.csv", "i01_excel_saved.csv"] {
        copy_case(&world, name);
    }
    let options = "--yes --default-country DE --out";
    world.run_command(&format!("import i01_seed.csv {options} seed")).exits(0);
    let before = world.read_contacts();
    let done = world.run_command(&format!("import i01_excel_saved.csv {options} res"));
    done.exits(0);
    assert_eq!(
        warned_columns(&world, "W_DAMAGED_COPY"),
        [("Phone".to_owned(), 7), ("phone".to_owned(), 3), ("postalCode".to_owned(), 8)]
    );
    assert_eq!(world.read_contacts(), before);
    assert_eq!(world.count_results(), [0, 15, 0, 0, 0]);

    // An edit is still one.
    world.write_sheet("edited.csv", "Email,Phone,Zip\na.i1@example.net,12025550999,1639\n");
    let edited = "import edited.csv --yes --default-country US --out edited";
    world.run_command(edited).exits(0);
    let edited = contact(&world, "a.i1@example.net");
    assert_eq!((&edited["phone"], &edited["postalCode"]), (&"+12025550999".into(), &"1639".into()));
}
