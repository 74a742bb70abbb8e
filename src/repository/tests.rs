//! Tests of a repository on its stores: what is written is read, and damage never becomes data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::id::LocationId;
use crate::resource::UNDATED;

fn location() -> LocationId {
    "loc".parse().unwrap()
}

fn record(id: &str, added_ms: i64, version: u8) -> SnapshotRecord {
    SnapshotRecord {
        added_ms,
        id: id.to_owned(),
        of: None,
        seq: i64::from(version),
        seen_at_ms: 1_000,
        read_at_ms: 2_000,
        digest: vec![version; 16],
        body: format!("{{\"id\":\"{id}\",\"v\":{version},\"text\":\"ä\\n\"}}"),
    }
}

fn del(id: &str, added_ms: i64) -> SnapshotLine {
    let why = DeletionReason::OwnEndpoint;
    SnapshotLine::Del { added_ms, id: id.to_owned(), of: None, seq: 9, seen_at_ms: 1_000, why }
}

/// A repository whose snapshots a test writes by hand.
struct World {
    store: Arc<MemoryStore>,
    repository: Repository,
    recipients: Vec<String>,
}

impl World {
    fn new() -> Self {
        Self::for_recipients(Vec::new())
    }

    fn for_recipients(recipients: Vec<String>) -> Self {
        let store = Arc::new(MemoryStore::default());
        let repository = Repository::create(store.clone(), "repo", recipients.clone()).unwrap();
        Self { store, repository, recipients }
    }

    /// Writes a snapshot of contacts with these lines, on the one before; `live` is what exists then.
    fn write(
        &self,
        hour: u8,
        base: Option<&Manifest>,
        lines: &[SnapshotLine],
        live: &[SnapshotRecord],
    ) -> Manifest {
        let id: SnapshotId = format!("20261129T{hour:02}0000Z-aaaa").parse().unwrap();
        let file = self.repository.write_data_file::<RepositoryError>(
            (&location(), &id),
            "contacts",
            &self.recipients,
            |to| lines.iter().try_for_each(|line| to.add_line(line)),
        );
        let list = self.repository.list_snapshots(&location()).unwrap();
        let previous = list.newest().map(|newest| PreviousSnapshot {
            id: newest.id().clone(),
            sha256: newest.manifest_sha256(),
        });
        let mut state = StateHash::default();
        for record in live {
            state.add_record("contacts", &record.id, &record.digest);
        }
        let chain = base.iter().flat_map(|base| base.chain.clone()).chain([id.clone()]).collect();
        let manifest = Manifest {
            format: FORMAT,
            snapshot: id.clone(),
            location: ManifestLocation { id: location(), name: None, timezone: None },
            tool: "0".to_owned(),
            mirror: "m".to_owned(),
            seq: i64::from(hour),
            as_of: id.time(),
            started: id.time(),
            finished: id.time(),
            kind: if base.is_some() { SnapshotKind::Changes } else { SnapshotKind::Full },
            full_because: None,
            chain,
            previous,
            rewrites: Vec::new(),
            files: vec![file.unwrap()],
            totals: BTreeMap::new(),
            state: state.finish(),
            settings_digest: String::new(),
            recipients: self.recipients.clone(),
            coverage: None,
            evidence: None,
            unreadable: 0,
            is_complete: true,
            alerts: Vec::new(),
            schema_changes: Vec::new(),
            requests: BTreeMap::new(),
        };
        self.repository.write_manifest(&manifest).unwrap();
        manifest
    }

    /// A full snapshot and two of changes, and another full one; what each of them has.
    fn with_two_chains(recipients: Vec<String>) -> (Self, Vec<Vec<SnapshotRecord>>) {
        let world = Self::for_recipients(recipients);
        let put = |record: &SnapshotRecord| SnapshotLine::Put(record.clone());
        let first =
            vec![record("u", UNDATED, 1), record("a", 1, 1), record("b", 2, 1), record("c", 3, 1)];
        let full = world.write(1, None, &first.iter().map(put).collect::<Vec<_>>(), &first);
        // `u` gets its date, `a` is deleted, `b` is edited, `d` is new.
        let second =
            vec![record("b", 2, 2), record("c", 3, 1), record("u", 4, 1), record("d", 5, 1)];
        let lines = [del("a", 1), put(&second[0]), put(&second[2]), put(&second[3])];
        let changed = world.write(2, Some(&full), &lines, &second);
        // `a` is there again, `d` is gone.
        let third =
            vec![record("a", 1, 3), record("b", 2, 2), record("c", 3, 1), record("u", 4, 1)];
        world.write(3, Some(&changed), &[put(&third[0]), del("d", 5)], &third);
        let fourth = vec![record("x", 1, 1), record("y", 1, 1)];
        world.write(4, None, &fourth.iter().map(put).collect::<Vec<_>>(), &fourth);
        (world, vec![first, second, third, fourth])
    }
}

/// What a snapshot has, all of it proven.
fn read(
    repository: &Repository,
    list: &SnapshotList,
    snapshot: &Snapshot,
    identities: Option<&Identities>,
) -> Result<Vec<SnapshotRecord>, RepositoryError> {
    let chain = repository.open_chain(list, snapshot, identities.cloned())?;
    chain.verify_state()?;
    chain.records("contacts")?.collect()
}

#[test]
fn every_snapshot_is_read_as_it_was_written() {
    let (world, expected) = World::with_two_chains(Vec::new());
    let list = world.repository.list_snapshots(&location()).unwrap();
    for (snapshot, expected) in list.snapshots.iter().zip(expected) {
        assert_eq!(read(&world.repository, &list, snapshot, None).unwrap(), expected);
    }
    assert_eq!(world.repository.list_locations().unwrap(), [location()]);
}

/// Damages a repository in one way, and checks that no snapshot is read as something else: those whose chain has the file
/// are refused, the others are read. A manifest that is damaged shows in the list.
fn check_damage(
    store: &MemoryStore,
    (key, bytes): (&str, Vec<u8>),
    expected: &[Vec<SnapshotRecord>],
    identities: Option<&Identities>,
) {
    let damaged = Arc::new(store.copy());
    damaged.set_bytes(key, bytes);
    let Ok(repository) = Repository::open(damaged, "repo") else {
        assert_eq!(key, "repository.json", "the header is sound");
        return;
    };
    assert_ne!(key, "repository.json", "a damaged header shows");
    let list = repository.list_snapshots(&location()).unwrap();
    let hours = ["T01", "T02", "T03", "T04"];
    for (hour, expected) in hours.iter().zip(expected) {
        let found = list.snapshots.iter().find(|snapshot| snapshot.id().as_str().contains(hour));
        let is_of_chain = match *hour {
            "T01" => key.contains("T01"),
            "T02" => key.contains("T01") || key.contains("T02"),
            "T03" => !key.contains("T04"),
            _ => key.contains("T04"),
        };
        let Some(snapshot) = found else {
            assert!(key.contains(hour) && !list.damaged.is_empty(), "{key}");
            continue;
        };
        match read(&repository, &list, snapshot, identities) {
            Ok(records) => {
                assert!(!is_of_chain, "{hour} is read although {key} is damaged");
                assert_eq!(&records, expected, "{key}");
            }
            Err(error) => assert!(is_of_chain, "{hour}: {error}"),
        }
    }
}

#[test]
fn no_byte_of_a_repository_can_change_unnoticed() {
    let (world, expected) = World::with_two_chains(Vec::new());
    for key in world.store.keys() {
        let bytes = world.store.bytes(&key);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            check_damage(&world.store, (&key, flipped), &expected, None);
        }
    }
}

#[test]
fn files_that_are_cut_longer_or_swapped_are_noticed() {
    let (world, expected) = World::with_two_chains(Vec::new());
    for key in world.store.keys() {
        let bytes = world.store.bytes(&key);
        for len in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            check_damage(&world.store, (&key, bytes[..len].to_vec()), &expected, None);
        }
        let longer = [&bytes[..], b"x"].concat();
        check_damage(&world.store, (&key, longer), &expected, None);
        for other in world.store.keys().iter().filter(|other| **other != key) {
            check_damage(&world.store, (&key, world.store.bytes(other)), &expected, None);
        }
    }
}

#[cfg(feature = "encrypted-logins")]
#[test]
fn an_encrypted_repository_shows_damage_and_is_read_with_its_key_only() {
    let (secret, recipient) = generate_identity().unwrap();
    let (other, _) = generate_identity().unwrap();
    let identities = Identities::parse(&secret).unwrap();
    let (world, expected) = World::with_two_chains(vec![recipient]);
    let list = world.repository.list_snapshots(&location()).unwrap();
    let newest = list.newest().unwrap();
    let refused = read(&world.repository, &list, newest, None).unwrap_err();
    assert!(matches!(refused, RepositoryError::NoIdentity { .. }), "{refused}");
    let other = Identities::parse(&other).unwrap();
    let refused = read(&world.repository, &list, newest, Some(&other)).unwrap_err();
    assert!(matches!(refused, RepositoryError::WrongIdentity { .. }), "{refused}");
    for key in world.store.keys().iter().filter(|key| key.contains(".zst.age")) {
        let bytes = world.store.bytes(key);
        for at in (0..bytes.len()).step_by(3) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            check_damage(&world.store, (key, flipped), &expected, Some(&identities));
        }
    }
}

#[test]
fn lines_that_are_out_of_order_or_too_many_are_damage() {
    let world = World::new();
    let lines = [SnapshotLine::Put(record("b", 2, 1)), SnapshotLine::Put(record("a", 1, 1))];
    world.write(1, None, &lines, &[]);
    let list = world.repository.list_snapshots(&location()).unwrap();
    let error = read(&world.repository, &list, list.newest().unwrap(), None).unwrap_err();
    assert!(error.to_string().contains("not in order"), "{error}");
}

#[test]
fn a_chain_whose_files_do_not_have_its_state_is_damage() {
    let world = World::new();
    let one = record("a", 1, 1);
    world.write(1, None, &[SnapshotLine::Put(one.clone())], &[one, record("b", 2, 1)]);
    let list = world.repository.list_snapshots(&location()).unwrap();
    let error = read(&world.repository, &list, list.newest().unwrap(), None).unwrap_err();
    assert!(error.to_string().contains("do not have the state"), "{error}");
}

#[test]
fn long_lines_and_many_frames_are_read_as_they_were_written() {
    let world = World::new();
    let records: Vec<_> = (0..40)
        .map(|at| {
            let text = "x".repeat(if at == 7 { 3 << 20 } else { 100_000 });
            let body = format!("{{\"id\":\"{at}\",\"text\":\"{text}\"}}");
            SnapshotRecord { body, ..record(&format!("{at:02}"), at, 1) }
        })
        .collect();
    let lines: Vec<_> = records.iter().cloned().map(SnapshotLine::Put).collect();
    world.write(1, None, &lines, &records);
    let list = world.repository.list_snapshots(&location()).unwrap();
    assert_eq!(read(&world.repository, &list, list.newest().unwrap(), None).unwrap(), records);
}

#[test]
fn a_body_of_several_lines_is_one_line() {
    let world = World::new();
    let broken = SnapshotRecord { body: "{\n \"id\": \"a\"\r\n}".to_owned(), ..record("a", 1, 1) };
    world.write(1, None, &[SnapshotLine::Put(broken)], &[record("a", 1, 1)]);
    let list = world.repository.list_snapshots(&location()).unwrap();
    let found = read(&world.repository, &list, list.newest().unwrap(), None).unwrap();
    assert_eq!(found[0].body, "{  \"id\": \"a\"  }");
}

#[test]
fn snapshots_are_named_by_their_place_their_time_and_their_id() {
    let (world, _) = World::with_two_chains(Vec::new());
    let list = world.repository.list_snapshots(&location()).unwrap();
    let found = |text: &str| {
        let choice: SnapshotChoice = text.parse().unwrap();
        list.choose(&choice).map(|it| it.id().to_string())
    };
    assert_eq!(found("latest").unwrap(), "20261129T040000Z-aaaa");
    assert_eq!(found("latest~3").unwrap(), "20261129T010000Z-aaaa");
    assert!(matches!(found("latest~4"), Err(RepositoryError::NoSuchSnapshot { .. })));
    assert_eq!(found("20261129T02").unwrap(), "20261129T020000Z-aaaa");
    assert!(
        matches!(found("aaaa"), Err(RepositoryError::AmbiguousSnapshot { candidates, .. }) if candidates.len() == 4)
    );
    let at = |time: &str| {
        list.choose(&SnapshotChoice::At(time.parse().unwrap())).map(|it| it.id().to_string())
    };
    assert_eq!(at("2026-11-29T02:59:59Z").unwrap(), "20261129T020000Z-aaaa");
    assert!(at("2026-11-29T00:59:59Z").is_err());
}

/// What every store must do.
fn check_store(store: &dyn ObjectStore) {
    let put = |key: &str, text: &str| {
        store.put_new(key, &mut |to| to.write_all(text.as_bytes())).unwrap()
    };
    let get = |key: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut store.get(key).unwrap(), &mut text).unwrap();
        text
    };
    let keys = |prefix: &str| {
        let listed = store.list(prefix).unwrap();
        listed.into_iter().map(|object| object.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(""), Vec::<String>::new());
    assert_eq!(put("a/b/c.json", "one"), PutResult::Created);
    assert_eq!(put("a/b/c.json", "two"), PutResult::Exists);
    assert_eq!(get("a/b/c.json"), "one", "a file is written once");
    assert_eq!(put("a/b.json", "x"), PutResult::Created);
    assert_eq!(put("d.json", "yy"), PutResult::Created);
    assert_eq!(keys(""), ["a/b.json", "a/b/c.json", "d.json"]);
    assert_eq!(keys("a/"), ["a/b.json", "a/b/c.json"]);
    assert_eq!(keys("a/b/"), ["a/b/c.json"]);
    assert_eq!(store.head("d.json").unwrap().map(|object| object.bytes), Some(2));
    assert!(store.head("a").unwrap().is_none());
    let failed = store.put_new("e.json", &mut |to| {
        to.write_all(b"half")?;
        Err(std::io::Error::other("no more"))
    });
    assert!(failed.is_err());
    assert!(store.head("e.json").unwrap().is_none(), "what failed is not there");
    assert_eq!(put("e.json", "whole"), PutResult::Created);
    store.delete("a/b/c.json").unwrap();
    store.delete("a/b/c.json").unwrap();
    assert_eq!(store.get("a/b/c.json").err().unwrap().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(keys(""), ["a/b.json", "d.json", "e.json"]);
}

#[test]
fn every_store_keeps_the_contract() {
    check_store(&MemoryStore::default());
    let dir = tempfile::tempdir().unwrap();
    check_store(&*open_local_store(&dir.path().join("repo")));
}
