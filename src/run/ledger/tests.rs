//! Tests of the ledger: written, read, killed and damaged.

use std::path::PathBuf;

use tempfile::TempDir;

use super::super::{RunErrorKind, db};
use super::*;

/// A run's database with a ledger, and its writer thread.
struct Written {
    _dir: TempDir,
    db: PathBuf,
}

fn plan(ops: Vec<OpRecord>) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("run.db");
    drop(db::create(&db).unwrap());
    store_ops(&db, ops.into_iter().map(Ok::<_, RunError>)).unwrap();
    Written { _dir: dir, db }
}

fn op(id: u64, class: IdempotencyClass) -> OpRecord {
    OpRecord {
        id,
        key: format!("key-{id}"),
        row: id,
        step: 0,
        serial_group: id,
        class,
        bulk: false,
        contact: None,
        body: format!(r#"{{"change":{{"do":"create","body":{{"n":{id}}}}},"before":null}}"#),
        state: OpState::Pending,
        made: None,
        details: None,
    }
}

fn intent(op: u64) -> Intent {
    let (line, body_sum) = ("POST /contacts/".to_owned(), "00".repeat(32));
    Intent { op, line, body_sum, reference: None }
}

fn settled(state: OpState) -> AttemptOutcome {
    AttemptOutcome {
        state,
        settled_by: SettledBy::Answer,
        status: Some(201),
        trace_id: Some("trace".to_owned()),
        made: Some("made".to_owned()),
        details: None,
    }
}

impl Written {
    fn open(&self) -> Ledger {
        let (ledger, work) = Ledger::open(&self.db).unwrap();
        std::thread::spawn(work);
        ledger
    }

    fn reader(&self) -> LedgerReader {
        LedgerReader::open(&self.db).unwrap()
    }

    fn states(&self) -> Vec<OpState> {
        let mut states = Vec::new();
        let each = |op: OpRecord| {
            states.push(op.state);
            Ok(())
        };
        self.reader().for_each_op(each).unwrap();
        states
    }

    /// Transactions in the write-ahead log: frames that contain the size of the database after
    /// them.
    fn commits(&self) -> usize {
        let log = std::fs::read(self.db.with_extension("db-wal")).unwrap();
        let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
        log[32..].chunks(24 + page).filter(|frame| frame[4..8] != [0; 4]).count()
    }
}

async fn one(ledger: &Ledger, op: u64) -> Result<AttemptHandle, RunError> {
    ledger.record_intents(vec![intent(op)]).await.map(|mut attempts| attempts.pop().unwrap())
}

#[tokio::test]
async fn intents_that_are_ready_together_share_one_transaction() {
    let run = plan((1..=40).map(|id| op(id, IdempotencyClass::Unique)).collect());
    let (ledger, work) = Ledger::open(&run.db).unwrap();
    let before = run.commits();
    let intents = futures::future::join_all((1..=40).map(|id| one(&ledger, id)));
    let (attempts, ()) = tokio::join!(intents, async {
        // Only now that all of them wait.
        std::thread::spawn(work);
    });
    assert!(attempts.iter().all(Result::is_ok));
    assert_eq!(run.commits() - before, 1);
    assert_eq!(run.states(), [OpState::Sent; 40]);
}

#[tokio::test]
async fn an_op_whose_last_attempt_is_unsettled_is_not_sent_again() {
    let run = plan(vec![
        op(1, IdempotencyClass::Unique),
        op(2, IdempotencyClass::Replayable),
        op(3, IdempotencyClass::Unique),
    ]);
    let ledger = run.open();
    let first = one(&ledger, 1).await.unwrap();
    let refused = ledger.record_intents(vec![intent(3), intent(1)]).await.unwrap_err();
    assert_eq!(refused.kind(), RunErrorKind::Bug);
    assert_eq!(run.states()[2], OpState::Pending, "none of the intents is stored");

    let _unsettled = one(&ledger, 2).await.unwrap();
    assert_eq!(one(&ledger, 2).await.unwrap().id, 2, "what is replay-safe may go again");

    ledger.record_outcome(first, settled(OpState::Pending)).await.unwrap();
    let second = one(&ledger, 1).await.unwrap();
    assert_eq!(second.id, 2);
    ledger.record_outcome(second, settled(OpState::Applied)).await.unwrap();
    assert_eq!(
        one(&ledger, 1).await.unwrap_err().kind(),
        RunErrorKind::Bug,
        "what is done is done"
    );
    ledger.close().await.unwrap();
    assert_eq!(run.reader().retried_op_ids().unwrap(), [1, 2]);
}

#[tokio::test]
async fn an_outcome_that_was_lost_leaves_an_attempt_to_look_up() {
    let run = plan(vec![op(1, IdempotencyClass::Unique), op(2, IdempotencyClass::Unique)]);
    let ledger = run.open();
    let attempts = ledger.record_intents(vec![intent(1), intent(2)]).await.unwrap();
    let [first, second] = attempts.try_into().unwrap();
    ledger.record_outcome(first, settled(OpState::Differs)).await.unwrap();
    ledger.close().await.unwrap();

    let ledger = run.open();
    let reader = run.reader();
    assert_eq!(reader.unfinished_serial_groups(0, 10).unwrap(), [2]);
    let left = reader.last_attempt(2).unwrap().unwrap();
    assert_eq!((left.attempt_handle(), left.outcome.as_ref()), (second, None));
    ledger.record_outcome(left.attempt_handle(), settled(OpState::Pending)).await.unwrap();
    ledger.flush().await.unwrap();
    assert_eq!(run.states(), [OpState::Differs, OpState::Pending]);
    let outcome = reader.last_attempt(1).unwrap().unwrap().outcome.unwrap();
    assert_eq!((outcome.settled_by, outcome.status), (SettledBy::Answer, Some(201)));
}

#[tokio::test]
async fn a_person_s_decision_settles_the_attempt_too() {
    let run = plan(vec![op(1, IdempotencyClass::Once), op(2, IdempotencyClass::Once)]);
    let ledger = run.open();
    let _unsettled = one(&ledger, 1).await.unwrap();
    let decided =
        AttemptOutcome { settled_by: SettledBy::Decision, made: None, ..settled(OpState::Pending) };
    ledger.set_op_state(1, decided).await.unwrap();
    ledger
        .set_op_state(2, AttemptOutcome { status: None, made: None, ..settled(OpState::Skipped) })
        .await
        .unwrap();
    assert_eq!(one(&ledger, 1).await.unwrap().id, 2);
    ledger.close().await.unwrap();
    assert_eq!(run.states(), [OpState::Sent, OpState::Skipped]);
    assert_eq!(
        run.reader().load_attempts(1).unwrap()[0].outcome.as_ref().unwrap().settled_by,
        SettledBy::Decision
    );
}

#[tokio::test]
async fn when_a_commit_fails_everyone_hears_of_it_and_the_writer_ends() {
    let run = plan(vec![
        op(1, IdempotencyClass::Unique),
        op(2, IdempotencyClass::Unique),
        op(3, IdempotencyClass::Unique),
    ]);
    let ledger = run.open();
    let first = one(&ledger, 1).await.unwrap();
    db::open(&run.db).unwrap().execute_batch("DROP TABLE standing").unwrap();
    let (second, third) = tokio::join!(one(&ledger, 2), one(&ledger, 3));
    assert_eq!(second.unwrap_err().kind(), RunErrorKind::Damaged);
    assert_eq!(third.unwrap_err().kind(), RunErrorKind::Damaged);
    assert!(ledger.record_outcome(first, settled(OpState::Applied)).await.is_err());
    assert!(ledger.clone().flush().await.is_err());
    assert!(ledger.close().await.is_err());
}

#[tokio::test]
async fn a_closed_ledger_takes_nothing_more() {
    let run = plan(vec![op(1, IdempotencyClass::Unique)]);
    let ledger = run.open();
    ledger.clone().close().await.unwrap();
    assert_eq!(one(&ledger, 1).await.unwrap_err().kind(), RunErrorKind::Bug);
}

#[tokio::test]
async fn lanes_and_bulk_ops_are_found_where_something_is_left_to_do() {
    let mut ops: Vec<_> = (1..=6).map(|id| op(id, IdempotencyClass::Unique)).collect();
    (ops[1].serial_group, ops[1].row, ops[1].step) = (1, 1, 1);
    ops[2].state = OpState::Skipped;
    for bulk in &mut ops[3..5] {
        (bulk.bulk, bulk.serial_group) = (true, 1);
    }
    let run = plan(ops);
    let reader = run.reader();
    assert_eq!(reader.unfinished_serial_groups(0, 10).unwrap(), [1, 6]);
    assert_eq!(reader.unfinished_serial_groups(1, 10).unwrap(), [6]);
    assert_eq!(reader.unfinished_serial_groups(0, 1).unwrap(), [1]);
    let ids = |ops: Vec<OpRecord>| ops.iter().map(|op| op.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.ops_in_serial_group(1).unwrap()), [1, 2, 4, 5]);
    assert_eq!(ids(reader.unfinished_bulk_ops(0, 10).unwrap()), [4, 5]);
    assert_eq!(ids(reader.unfinished_bulk_ops(4, 10).unwrap()), [5]);
    assert_eq!(ids(reader.ops_of_row(1).unwrap()), [1, 2]);
    assert_eq!(reader.count_by_state().unwrap()[&OpState::Pending], 5);

    let ledger = run.open();
    let first = one(&ledger, 1).await.unwrap();
    ledger.record_outcome(first, settled(OpState::Applied)).await.unwrap();
    ledger.close().await.unwrap();
    assert_eq!(reader.contact_id_of_row(1).unwrap(), "made".parse().ok());
    assert_eq!(reader.contact_id_of_row(6).unwrap(), None);
    let mut keys = Vec::new();
    let mut look = |op: OpRecord| {
        keys.push((op.key, op.state, op.made));
        Ok(())
    };
    for_each_op_in_state(&run.db, &[OpState::Applied, OpState::Skipped], &mut look).unwrap();
    let made = Some("made".to_owned());
    let expected = [
        ("key-1".to_owned(), OpState::Applied, made),
        ("key-3".to_owned(), OpState::Skipped, None),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_run_without_a_ledger_has_no_keys() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("run.db");
    drop(db::create(&db).unwrap());
    for_each_op_in_state(&db, &OpState::ALL, |op| panic!("{op:?}")).unwrap();
    assert!(LedgerReader::open(&db).unwrap().unfinished_serial_groups(0, 1).unwrap().is_empty());
}

#[test]
fn a_plan_is_stored_whole_or_not_at_all() {
    let run = plan(vec![op(1, IdempotencyClass::Unique)]);
    assert!(
        store_ops(
            &run.db,
            [op(2, IdempotencyClass::Unique), op(2, IdempotencyClass::Unique)]
                .map(Ok::<_, RunError>)
                .into_iter()
        )
        .is_err()
    );
    assert_eq!(run.states().len(), 1);
}

#[test]
fn a_plan_takes_the_place_of_one_that_was_never_sent_and_of_no_other() {
    let run = plan(vec![op(1, IdempotencyClass::Unique), op(2, IdempotencyClass::Unique)]);
    store_ops(&run.db, [op(1, IdempotencyClass::Countable)].map(Ok::<_, RunError>).into_iter())
        .unwrap();
    assert_eq!(run.states().len(), 1);
    let attempt = AttemptRecord {
        id: 1,
        op: 1,
        at_ms: 0,
        line: "POST /contacts/".to_owned(),
        body_sum: String::new(),
        reference: None,
        outcome: None,
    };
    super::sql::write_attempt(&db::open(&run.db).unwrap(), &attempt, true).unwrap();
    assert!(
        store_ops(&run.db, [op(1, IdempotencyClass::Unique)].map(Ok::<_, RunError>).into_iter())
            .is_err()
    );
}

/// Everything in the ledger, or the error that reading it gives.
fn whole(db: &Path) -> Result<Vec<(OpRecord, Vec<AttemptRecord>)>, RunError> {
    db::check_integrity(db, &db::open(db)?)?;
    let (ledger, _work) = Ledger::open(db)?;
    drop(ledger);
    let reader = LedgerReader::open(db)?;
    let mut all = Vec::new();
    for serial_group in reader.unfinished_serial_groups(0, usize::MAX)? {
        reader.ops_in_serial_group(serial_group)?;
    }
    reader.for_each_op(|op| {
        let attempts = reader.load_attempts(op.id)?;
        all.push((op, attempts));
        Ok(())
    })?;
    Ok(all)
}

#[tokio::test]
async fn a_flipped_bit_is_damage_and_never_another_story() {
    let run = plan((1..=12).map(|id| op(id, IdempotencyClass::Unique)).collect());
    let ledger = run.open();
    for (id, state) in (1..=8).zip(OpState::ALL) {
        let attempt = one(&ledger, id).await.unwrap();
        if state != OpState::Sent {
            ledger.record_outcome(attempt, settled(state)).await.unwrap();
        }
    }
    ledger.close().await.unwrap();
    let told = whole(&run.db).unwrap();
    let sound = std::fs::read(&run.db).unwrap();
    let mut found = 0;
    for _ in 0..1_200 {
        let mut bytes = sound.clone();
        let place = fastrand::usize(..bytes.len());
        let bit = 1 << fastrand::u8(..8);
        bytes[place] ^= bit;
        std::fs::write(&run.db, &bytes).unwrap();
        match whole(&run.db) {
            Ok(again) => assert_eq!(again, told, "byte {place}, bit {bit}"),
            Err(_) => found += 1,
        }
        for extension in ["db-wal", "db-shm"] {
            let _ = std::fs::remove_file(run.db.with_extension(extension));
        }
    }
    assert!(found > 20, "only {found} flips were noticed: does this test still damage the rows?");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(32))]
    #[test]
    fn any_text_comes_back_as_it_was_stored(key in ".*", body in ".*", contact in proptest::option::of(".*"), made in proptest::option::of(".*")) {
        let state = if made.is_some() { OpState::Applied } else { OpState::Pending };
        let contact = contact.and_then(|text| text.parse().ok());
        let stored = OpRecord { key, contact, body, state, made, ..op(1, IdempotencyClass::Unique) };
        let run = plan(vec![stored.clone()]);
        proptest::prop_assert_eq!(run.reader().load_op(1).unwrap(), stored);
    }
}
