//! Tests of the mirror's merge: what the numbers of a record say, and that doing it twice is doing it once.

use super::*;
use crate::id::LocationId;
use crate::resource::UNDATED;
use crate::run::FetchFailure;

struct World {
    dir: tempfile::TempDir,
    writer: MirrorWriter,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let writer = MirrorWriter::open(dir.path(), &location()).unwrap();
        Self { dir, writer }
    }

    fn reader(&self) -> MirrorReader {
        MirrorReader::open(self.dir.path()).unwrap().unwrap()
    }

    /// Merges a batch as a sync of its own; gives its counts of contacts and notes.
    fn sync(&mut self, run: &str, batch: &MergeBatch) -> SyncRecord {
        let mut sync = self.writer.begin_merge(facts(run)).unwrap();
        if sync.state == SyncState::Merging {
            self.writer.merge_batch(&mut sync, batch, 0).unwrap();
            self.writer.finish_merge(&mut sync, &MergeEnd::default(), 0).unwrap();
        }
        sync
    }
}

fn location() -> LocationId {
    "loc".parse().unwrap()
}

fn facts(run: &str) -> SyncFacts {
    SyncFacts {
        run: run.parse().unwrap(),
        kind: SyncKind::Walk,
        started: jiff::Timestamp::UNIX_EPOCH,
        read_until: None,
        watermark_ms: 0,
        changes_ms: 0,
        counts_agree: true,
        requests: 1,
        counts: SyncCounts::new(),
        silent_changes: 0,
        notes: NoteFacts::default(),
        tasks_ms: None,
        readings: std::collections::BTreeMap::new(),
    }
}

fn row(kind: RecordKind, id: &str, parent: Option<&str>, version: u8) -> MergeRow {
    MergeRow {
        kind,
        added_ms: i64::from(version),
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        digest: [version; 16],
        claims_unchanged: false,
        is_fallback: false,
        body: format!("{{\"id\":\"{id}\",\"v\":{version}}}").into(),
    }
}

fn batch(rows: Vec<MergeRow>, deleted: &[(RecordKind, &str)], place: i64) -> MergeBatch {
    let deleted = deleted.iter().map(|(kind, id)| (*kind, (*id).to_owned())).collect();
    MergeBatch { rows, deleted, note_lists: Vec::new(), place }
}

fn counts(sync: &SyncRecord, kind: RecordKind) -> [u64; 3] {
    let counts = sync.facts.counts.get(kind.table_name()).copied().unwrap_or_default();
    [counts.added, counts.changed, counts.deleted]
}

use RecordKind::{Contact, Note, Tag};

#[test]
fn a_merge_that_is_repeated_or_goes_on_counts_everything_once() {
    let mut world = World::new();
    let first = batch(vec![row(Contact, "a", None, 1), row(Contact, "b", None, 1)], &[], 1);
    let second = batch(vec![row(Contact, "b", None, 1), row(Note, "n", Some("a"), 1)], &[], 2);
    let mut sync = world.writer.begin_merge(facts("r1")).unwrap();
    world.writer.merge_batch(&mut sync, &first, 0).unwrap();
    assert!(world.reader().is_merging().unwrap() && world.reader().last_sync().unwrap().is_none());
    // Killed here: another process goes on from the place.
    let mut again = world.writer.begin_merge(facts("r1")).unwrap();
    assert_eq!((again.seq, again.place), (1, 1));
    world.writer.merge_batch(&mut again, &first, 0).unwrap();
    world.writer.merge_batch(&mut again, &second, 0).unwrap();
    world.writer.finish_merge(&mut again, &MergeEnd::default(), 0).unwrap();
    assert_eq!(counts(&again, Contact), [2, 0, 0]);
    assert_eq!(counts(&again, Note), [1, 0, 0]);
    assert_eq!(world.writer.begin_merge(facts("r1")).unwrap().state, SyncState::Done);
}

#[test]
fn changes_are_never_dated_before_earlier_ones() {
    let mut world = World::new();
    let mut time_of = |run: &str, watermark_ms| {
        let facts = SyncFacts { watermark_ms, changes_ms: watermark_ms, ..facts(run) };
        let mut sync = world.writer.begin_merge(facts).unwrap();
        world.writer.finish_merge(&mut sync, &MergeEnd::default(), 0).unwrap();
        (sync.facts.changes_ms, sync.facts.watermark_ms)
    };
    assert_eq!(time_of("r1", 2000), (2000, 2000));
    assert_eq!(time_of("r2", 1000), (2000, 1000));
    assert_eq!(time_of("r3", 1500), (2000, 1500));
    assert_eq!(time_of("r4", 3000), (3000, 3000));
}

#[test]
fn a_task_gets_its_date_from_the_endpoint_that_says_it_and_keeps_it() {
    let mut world = World::new();
    let undated =
        |version| MergeRow { added_ms: UNDATED, ..row(RecordKind::Task, "t", Some("a"), version) };
    let dated = MergeRow { added_ms: 5_000, ..undated(1) };
    let added = |world: &World| {
        let rows = world.reader().load_rows(RecordKind::Task, None, DeletedRows::Drop, 10).unwrap();
        (rows[0].added_ms, rows[0].body.contains(r#""dateAdded":"1970-01-01T00:00:05.000Z""#))
    };
    world.sync("r1", &batch(vec![undated(1)], &[], 1));
    assert_eq!(added(&world), (UNDATED, false));
    // The two endpoints write the same task.
    let told = world.sync("r2", &batch(vec![dated, undated(1)], &[], 1));
    assert_eq!(counts(&told, RecordKind::Task), [0, 1, 0]);
    assert_eq!(added(&world).0, 5_000);
    world.sync("r3", &batch(vec![undated(2)], &[], 1));
    assert_eq!(added(&world), (5_000, true));
}

#[test]
fn numbers_say_what_happened_to_a_record() {
    let mut world = World::new();
    world
        .sync("r1", &batch(vec![row(Contact, "a", None, 1), row(Note, "n", Some("a"), 1)], &[], 1));
    let same = world.sync("r2", &batch(vec![row(Contact, "a", None, 1)], &[], 1));
    assert_eq!(counts(&same, Contact), [0, 0, 0]);
    assert_eq!(world.reader().last_change().unwrap(), 1);
    let changed = world.sync("r3", &batch(vec![row(Contact, "a", None, 2)], &[], 1));
    assert_eq!(counts(&changed, Contact), [0, 1, 0]);
    let deleted = world.sync("r4", &batch(vec![], &[(Contact, "a"), (Contact, "unknown")], 1));
    assert_eq!((counts(&deleted, Contact), counts(&deleted, Note)), ([0, 0, 1], [0, 0, 1]));
    assert_eq!(world.reader().count_live(Note).unwrap(), 0);
    let back = world.sync("r5", &batch(vec![row(Contact, "a", None, 2)], &[], 1));
    assert_eq!(counts(&back, Contact), [1, 0, 0]);
    let rows = world.reader().load_rows(Contact, None, DeletedRows::Drop, 10).unwrap();
    assert_eq!(rows[0].body, "{\"id\":\"a\",\"v\":2}");
    assert_eq!(world.reader().last_change().unwrap(), 5);
}

#[test]
fn every_version_of_a_record_is_kept_with_its_sync() {
    let mut world = World::new();
    world.sync("r1", &batch(vec![row(Contact, "a", None, 1), row(Contact, "b", None, 1)], &[], 1));
    world.sync("r2", &batch(vec![row(Contact, "a", None, 2)], &[], 1));
    world.sync("r3", &batch(vec![row(Contact, "b", None, 1)], &[(Contact, "a")], 1));
    world.sync("r4", &batch(vec![row(Contact, "a", None, 2)], &[], 1));
    let of = |change: RecordChange| (change.seq, change.id, change.change.spelling(), change.body);
    let is = |seq, id: &str, change, version| {
        (seq, id.to_owned(), change, format!("{{\"id\":\"{id}\",\"v\":{version}}}"))
    };
    let reader = world.reader();
    let history = reader.load_history(Contact, "a").unwrap();
    let versions = [
        is(1, "a", "insert", 1),
        is(2, "a", "update", 2),
        is(3, "a", "delete", 2),
        is(4, "a", "return", 2),
    ];
    assert_eq!(history.into_iter().map(of).collect::<Vec<_>>(), versions);
    let changes = reader.load_changes(Contact, (1, "a"), 3, 9).unwrap();
    let expected = [is(1, "b", "insert", 1), versions[1].clone(), versions[2].clone()];
    assert_eq!(changes.into_iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn rows_come_in_the_order_of_their_dates_and_ids() {
    let mut world = World::new();
    let rows = [("b", 2), ("a", 2), ("z", 1), ("c", 3)];
    let rows = rows.iter().map(|(id, version)| row(Contact, id, None, *version)).collect();
    world.sync("r1", &batch(rows, &[], 1));
    let reader = world.reader();
    let ids = |rows: Vec<MirrorRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.load_rows(Contact, None, DeletedRows::Drop, 2).unwrap()), ["z", "a"]);
    assert_eq!(
        ids(reader.load_rows(Contact, Some((2, "a")), DeletedRows::Drop, 9).unwrap()),
        ["b", "c"]
    );
    assert_eq!(reader.count_live_between(Contact, (Some(2), Some(3))).unwrap(), 2);
    assert_eq!(reader.middle_date(Contact, (None, None)).unwrap(), Some(2));
    assert_eq!(reader.middle_date(Contact, (Some(2), Some(3))).unwrap(), None, "one date only");
}

#[test]
fn a_whole_list_deletes_what_it_lacks() {
    let mut world = World::new();
    world.sync("r1", &batch(vec![row(Tag, "a", None, 1), row(Tag, "b", None, 1)], &[], 1));
    let mut sync = world.writer.begin_merge(facts("r2")).unwrap();
    let failure = FetchFailure {
        stream: "notes".to_owned(),
        subject: "c".to_owned(),
        code: crate::diagnostic::FetchFailureCode::NoAnswer,
        message: "500".to_owned(),
        status: Some(500),
        trace_id: None,
        transient: true,
        records: 1,
    };
    let end = MergeEnd {
        whole_lists: vec![(Tag, vec!["b".to_owned()])],
        failures: vec![failure.clone()],
        ..MergeEnd::default()
    };
    world.writer.finish_merge(&mut sync, &end, 0).unwrap();
    assert_eq!(counts(&sync, Tag), [0, 0, 1]);
    assert_eq!(world.reader().load_failures().unwrap(), [failure]);
}

#[test]
fn a_record_whose_checksum_is_wrong_is_damage() {
    let mut world = World::new();
    world.sync("r1", &batch(vec![row(Contact, "a", None, 1)], &[], 1));
    let path = database_path(world.dir.path());
    let connection = crate::run::connect_database(&path, false).unwrap();
    connection.execute("UPDATE record SET state = 3", []).unwrap();
    let found = world.reader().find_version(Contact, "a");
    assert!(matches!(found, Err(MirrorError::Damaged { .. })), "{found:?}");
}

#[test]
fn a_mirror_belongs_to_one_location() {
    let world = World::new();
    let other: LocationId = "other".parse().unwrap();
    let opened = MirrorWriter::open(world.dir.path(), &other);
    assert!(matches!(opened, Err(MirrorError::Damaged { .. })));
}

/// Ends a sync that has read the lists of these contacts, but not those of `unread`.
fn read_notes(
    world: &mut World,
    run: &str,
    (rows, lists): (Vec<MergeRow>, &[&str]),
    (unread, read_at_ms): (&[&str], i64),
) -> SyncRecord {
    let texts = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut sync = world.writer.begin_merge(facts(run)).unwrap();
    let batch = MergeBatch { rows, note_lists: texts(lists), place: 1, ..MergeBatch::default() };
    world.writer.merge_batch(&mut sync, &batch, 0).unwrap();
    // A merge that goes on merges its last batch again.
    world.writer.merge_batch(&mut sync, &batch, 0).unwrap();
    let notes = NotesEnd { read_at_ms, unread: texts(unread), ..NotesEnd::default() };
    let end = MergeEnd { notes, ..MergeEnd::default() };
    world.writer.finish_merge(&mut sync, &end, 0).unwrap();
    sync
}

#[test]
fn notes_are_due_until_they_are_read_after_the_last_change_of_their_contact() {
    let mut world = World::new();
    let contacts = ["a", "b", "c"].map(|id| row(Contact, id, None, id.as_bytes()[0]));
    read_notes(&mut world, "r1", (contacts.to_vec(), &["a", "b"]), (&["b"], 1_000));
    let due = |world: &World| world.reader().contacts_with_due_notes(i64::MAX, 9).unwrap();
    assert_eq!(
        due(&world),
        ["c", "b"],
        "the newest ones first, and a list that failed is not read"
    );
    let ages = world.reader().measure_note_ages(1_000).unwrap();
    assert_eq!((ages.contacts, ages.unread, ages.recent), (3, 2, 1));
    assert_eq!((ages.oldest_ms, ages.median_ms), (Some(1_000), Some(1_000)));
    read_notes(&mut world, "r2", (vec![], &["b", "c"]), (&[], 2_000));
    assert_eq!(due(&world), Vec::<String>::new());
    read_notes(&mut world, "r3", (vec![row(Contact, "a", None, 9)], &[]), (&[], 3_000));
    assert_eq!(due(&world), ["a"], "it has changed since");
    assert_eq!(world.reader().measure_note_ages(0).unwrap().outdated, 1);
    let oldest = world.reader().contacts_with_oldest_notes(i64::MAX, 1).unwrap();
    assert_eq!(oldest, ["b"], "what is due anyway is not among them");
    world.sync("r4", &batch(vec![], &[(Contact, "a")], 1));
    assert_eq!(world.reader().measure_note_ages(0).unwrap().contacts, 2);
}

#[test]
fn a_change_of_notes_is_silent_if_the_date_of_the_contact_has_not_moved() {
    let mut world = World::new();
    let contacts = vec![row(Contact, "a", None, 1), row(Contact, "b", None, 1)];
    let first = read_notes(&mut world, "r1", (contacts, &["a", "b"]), (&[], 1));
    assert_eq!((first.facts.notes.announced, first.facts.notes.silent), (0, 0), "nothing differs");
    let moved = vec![
        row(Contact, "a", None, 2),
        row(Note, "n", Some("a"), 1),
        row(Note, "m", Some("b"), 1),
    ];
    let second = read_notes(&mut world, "r2", (moved, &["a", "b"]), (&[], 2));
    assert_eq!((second.facts.notes.announced, second.facts.notes.silent), (1, 1));
}

/// Rows of contacts that are alike, as many as a dictionary needs.
fn many_rows(prefix: &str) -> Vec<MergeRow> {
    let body = |at: usize| {
        format!("{{\"id\":\"{prefix}{at}\",\"firstName\":\"Ann\",\"dateAdded\":\"2026-11-29\"}}")
    };
    let row = |at: usize| MergeRow {
        body: body(at).into(),
        ..row(Contact, &format!("{prefix}{at}"), None, 1)
    };
    (0..1_500).map(row).collect()
}

fn bodies(reader: &MirrorReader) -> Vec<(String, String)> {
    let rows = reader.load_rows(Contact, None, DeletedRows::Keep, usize::MAX).unwrap();
    rows.into_iter().map(|row| (row.id, row.body)).collect()
}

#[track_caller]
fn check_bodies(world: &World, rows: &[MergeRow]) {
    let mut expected: Vec<_> =
        rows.iter().map(|row| (row.id.clone(), row.body.to_string())).collect();
    expected.sort();
    assert_eq!(bodies(&world.reader()), expected);
}

#[test]
fn bodies_are_read_as_they_were_written_with_and_without_a_dictionary() {
    let mut world = World::new();
    let rows = many_rows("c");
    // Too few for a dictionary.
    world.sync("r1", &batch(rows[..10].to_vec(), &[], 1));
    world.sync("r2", &batch(rows.clone(), &[], 2));
    check_bodies(&world, &rows);
    let connection = rusqlite::Connection::open(database_path(world.dir.path())).unwrap();
    let size = "SELECT sum(length(body)) FROM record WHERE id = ?";
    let size = |id: &str| connection.query_row(size, [id], |row| row.get::<_, i64>(0)).unwrap();
    assert!(size("c1400") < size("c5"), "{} {}", size("c1400"), size("c5"));
}

#[test]
fn a_mirror_of_the_format_without_dictionaries_is_read_and_goes_on() {
    let mut world = World::new();
    let old = vec![row(Contact, "a", None, 1), row(Contact, "b", None, 1)];
    world.sync("r1", &batch(old.clone(), &[], 1));
    let connection = rusqlite::Connection::open(database_path(world.dir.path())).unwrap();
    connection.execute_batch("DROP TABLE dictionary; PRAGMA user_version = 1").unwrap();
    check_bodies(&world, &old);
    world.writer = MirrorWriter::open(world.dir.path(), &location()).unwrap();
    let rows = [old, many_rows("c")].concat();
    world.sync("r2", &batch(rows.clone(), &[], 2));
    check_bodies(&world, &rows);
}

#[test]
fn a_damaged_dictionary_is_found() {
    let mut world = World::new();
    world.sync("r1", &batch(many_rows("c"), &[], 1));
    let connection = rusqlite::Connection::open(database_path(world.dir.path())).unwrap();
    let changed = connection.execute("UPDATE dictionary SET content = zeroblob(99)", []);
    assert_eq!(changed, Ok(1));
    let rows = world.reader().load_rows(Contact, None, DeletedRows::Keep, usize::MAX);
    assert!(matches!(rows, Err(MirrorError::Damaged { .. })), "{rows:?}");
    world.writer = MirrorWriter::open(world.dir.path(), &location()).unwrap();
    let mut sync = world.writer.begin_merge(facts("r2")).unwrap();
    let merged = world.writer.merge_batch(&mut sync, &batch(many_rows("d"), &[], 1), 0);
    assert!(matches!(merged, Err(MirrorError::Damaged { .. })), "{merged:?}");
}

#[test]
fn a_row_written_in_another_way_counts_only_where_nothing_is_known() {
    let mut world = World::new();
    let fallback = |version| MergeRow { is_fallback: true, ..row(Contact, "a", None, version) };
    let first = world
        .sync("r1", &batch(vec![fallback(1), row(Contact, "a", None, 2), fallback(3)], &[], 1));
    assert_eq!(counts(&first, Contact), [1, 0, 0]);
    let second = world.sync("r2", &batch(vec![fallback(4)], &[], 1));
    assert_eq!(counts(&second, Contact), [0, 0, 0]);
    assert!(bodies(&world.reader())[0].1.contains("\"v\":2"));
}
