//! Credential stores on disk: what they store, who can read them, and what they show.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    AgeKeySource, AuthError, CredentialDir, CredentialStore, CredentialStoreKind, OauthLogin,
    PrivateIntegration, StoredCredentials,
};
use crate::api::{BearerToken, OauthApp, OauthGrant, UserType};

/// A key source with a fixed passphrase, or with identities and recipients.
#[derive(Default)]
struct FixedKeySource {
    passphrase: &'static str,
    identity: Option<PathBuf>,
    recipients: Vec<String>,
    asked: AtomicU32,
}

impl AgeKeySource for FixedKeySource {
    fn ask_passphrase(&self, _: bool) -> Result<SecretString, AuthError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(SecretString::from(self.passphrase))
    }

    fn identity_file(&self) -> Option<PathBuf> {
        self.identity.clone()
    }

    fn recipients(&self) -> Vec<String> {
        self.recipients.clone()
    }
}

fn with_passphrase(passphrase: &'static str) -> Arc<FixedKeySource> {
    Arc::new(FixedKeySource { passphrase, ..FixedKeySource::default() })
}

fn no_key_source() -> Arc<FixedKeySource> {
    Arc::default()
}

fn credential_dir() -> (tempfile::TempDir, CredentialDir) {
    let dir = tempfile::tempdir().unwrap();
    let credential_dir = CredentialDir { dir: dir.path().join("config/credentials") };
    (dir, credential_dir)
}

fn grant(name: &str) -> OauthGrant {
    let obtained = Timestamp::from_second(1_800_000_000).unwrap();
    OauthGrant {
        access: BearerToken::new(&format!("access-{name}")).unwrap(),
        refresh: Some(SecretString::from(format!("refresh-{name}"))),
        obtained,
        expires: obtained + jiff::SignedDuration::from_secs(86_399),
        scopes: vec!["contacts.readonly".to_owned(), "contacts.write".to_owned()],
        user_type: UserType::Company,
        company: Some("the-company".parse().unwrap()),
        location: None,
        user: Some("ada".to_owned()),
    }
}

fn login() -> StoredCredentials {
    let client_secret = SecretString::from("the-secret");
    let app = OauthApp { client_id: "6578-x".to_owned(), client_secret };
    let mut login = OauthLogin::new(app, grant("now"), "https://example.com".to_owned());
    login.locations.insert("here".parse().unwrap(), grant("here"));
    login.begun = Some(Timestamp::UNIX_EPOCH);
    StoredCredentials::Oauth(Box::new(login))
}

fn private() -> StoredCredentials {
    let token = BearerToken::new("pit-secret").unwrap();
    StoredCredentials::Private(PrivateIntegration {
        token,
        location: Some("here".parse().unwrap()),
        stored: Some(Timestamp::UNIX_EPOCH),
    })
}

fn text(stored: &StoredCredentials) -> String {
    String::from_utf8(stored.to_json().expose_secret().to_vec()).unwrap()
}

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_keeps_everything_for_its_owner_alone() {
    let (_dir, credential_dir) = credential_dir();
    let store = CredentialStore::create(
        &credential_dir,
        "main",
        CredentialStoreKind::File,
        no_key_source(),
    )
    .unwrap();
    assert!(
        CredentialStore::open_existing(&credential_dir, "main", no_key_source()).unwrap().is_none()
    );
    store.save(&login()).unwrap();
    let found =
        CredentialStore::open_existing(&credential_dir, "main", no_key_source()).unwrap().unwrap();
    assert_eq!(text(&found.load().unwrap()), text(&login()));
    let path = credential_dir.dir.join("main.json");
    assert_eq!((mode(&path), mode(&credential_dir.dir)), (0o600, 0o700));
    assert_eq!(found.kind(), CredentialStoreKind::File);
    assert_eq!(found.describe_storage(), format!("file `{}` (0600)", path.display()));
    assert_eq!(fs::read_dir(&credential_dir.dir).unwrap().count(), 2, "the record and the lock");
    assert!(found.delete_record().unwrap());
    assert!(!found.delete_record().unwrap());
    assert!(matches!(found.load().unwrap_err(), AuthError::Missing(_)));
}

#[test]
fn what_others_can_read_is_refused_with_the_command_that_closes_it() {
    let (_dir, credential_dir) = credential_dir();
    CredentialStore::create(&credential_dir, "main", CredentialStoreKind::File, no_key_source())
        .unwrap()
        .save(&private())
        .unwrap();
    let path = credential_dir.dir.join("main.json");
    for open in [0o640, 0o604, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let refused = CredentialStore::open_existing(&credential_dir, "main", no_key_source())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(&format!("`chmod 600 {}`", path.display())), "{refused}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&credential_dir.dir, fs::Permissions::from_mode(0o755)).unwrap();
    let store =
        CredentialStore::open_existing(&credential_dir, "main", no_key_source()).unwrap().unwrap();
    let refused = store.save(&private()).unwrap_err().to_string();
    assert!(
        refused.contains(&format!("`chmod 700 {}`", credential_dir.dir.display())),
        "{refused}"
    );
}

#[test]
fn a_profile_is_never_a_path() {
    let (_dir, credential_dir) = credential_dir();
    for name in ["", ".", "..", "../x", "a/b", "a.b", "a b", "é", "\u{1b}[2J", &"x".repeat(65)] {
        let refused = CredentialStore::create(
            &credential_dir,
            name,
            CredentialStoreKind::File,
            no_key_source(),
        )
        .unwrap_err();
        assert!(matches!(refused, AuthError::Name(_)), "{name}");
        assert!(!refused.to_string().contains('\u{1b}'));
    }
}

#[test]
fn a_passphrase_is_asked_for_once_and_opens_what_it_sealed() {
    let (_dir, credential_dir) = credential_dir();
    let me = with_passphrase("tea");
    let store =
        CredentialStore::create(&credential_dir, "main", CredentialStoreKind::Age, me.clone())
            .unwrap();
    store.save(&login()).unwrap();
    store.save(&login()).unwrap();
    assert_eq!(text(&store.load().unwrap()), text(&login()));
    assert_eq!(me.asked.load(Ordering::Relaxed), 1);
    let bytes = fs::read_to_string(credential_dir.dir.join("main.json")).unwrap();
    for secret in ["access-now", "refresh", "the-secret", "AGE-SECRET", "tea"] {
        assert!(!bytes.contains(secret), "{secret}");
    }
    let found = CredentialStore::open_existing(&credential_dir, "main", with_passphrase("coffee"))
        .unwrap()
        .unwrap();
    assert_eq!(found.kind(), CredentialStoreKind::Age);
    assert!(matches!(found.load().unwrap_err(), AuthError::Sealed(_)));
    let me = with_passphrase("tea");
    let found =
        CredentialStore::open_existing(&credential_dir, "main", me.clone()).unwrap().unwrap();
    assert_eq!(text(&found.load().unwrap()), text(&login()));
    found.save(&private()).unwrap();
    assert_eq!(text(&found.load().unwrap()), text(&private()));
    assert_eq!(me.asked.load(Ordering::Relaxed), 1);
    assert!(
        found.describe_storage().ends_with("(with a passphrase)"),
        "{}",
        found.describe_storage()
    );
}

#[test]
fn recipients_seal_without_an_identity_which_alone_opens() {
    let (dir, credential_dir) = credential_dir();
    let (identity, recipient) = super::store::age::generate_key_pair().unwrap();
    let recipients = vec![recipient];
    let sealing = Arc::new(FixedKeySource { recipients, ..FixedKeySource::default() });
    let store = CredentialStore::create(&credential_dir, "main", CredentialStoreKind::Age, sealing)
        .unwrap();
    store.save(&login()).unwrap();
    let refused = store.load().unwrap_err().to_string();
    assert!(refused.contains("no identity is given"), "{refused}");
    let file = dir.path().join("identity.txt");
    let lines = format!("# created: today\n{}\n", identity.expose_secret());
    fs::write(&file, lines).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let opening = Arc::new(FixedKeySource { identity: Some(file), ..FixedKeySource::default() });
    let found = CredentialStore::open_existing(&credential_dir, "main", opening).unwrap().unwrap();
    assert_eq!(text(&found.load().unwrap()), text(&login()));
    found.save(&private()).unwrap();
    assert_eq!(text(&found.load().unwrap()), text(&private()));
}

#[test]
fn what_is_no_recipient_is_refused() {
    let (_dir, credential_dir) = credential_dir();
    let wrong =
        FixedKeySource { recipients: vec!["age1x".to_owned()], ..FixedKeySource::default() };
    let refused =
        CredentialStore::create(&credential_dir, "main", CredentialStoreKind::Age, Arc::new(wrong))
            .unwrap_err();
    assert!(refused.to_string().contains("`age1x` is not an age recipient"), "{refused}");
}

#[test]
fn a_record_of_another_kind_takes_the_place_of_the_one_before() {
    let (_dir, credential_dir) = credential_dir();
    CredentialStore::create(
        &credential_dir,
        "main",
        CredentialStoreKind::Age,
        with_passphrase("tea"),
    )
    .unwrap()
    .save(&login())
    .unwrap();
    let old =
        CredentialStore::open_existing(&credential_dir, "main", no_key_source()).unwrap().unwrap();
    CredentialStore::create(&credential_dir, "main", CredentialStoreKind::File, no_key_source())
        .unwrap()
        .save(&private())
        .unwrap();
    assert_eq!(text(&old.load().unwrap()), text(&private()), "it is seen by who found the other");
    assert_eq!(old.kind(), CredentialStoreKind::File);
}

#[test]
fn damage_and_newer_formats_are_reported_without_their_content() {
    let (_dir, credential_dir) = credential_dir();
    let store = CredentialStore::create(
        &credential_dir,
        "main",
        CredentialStoreKind::File,
        no_key_source(),
    )
    .unwrap();
    store.save(&private()).unwrap();
    let path = credential_dir.dir.join("main.json");
    let cases = [
        (r#"{"version":2,"private":"pit-secret"}"#, "has format 2; this version reads up to 1"),
        (r#"{"version":1,"private":"pit-secret"}"#, "it is not a login record"),
        (r#"{"version":1}"#, "it contains no login"),
        ("pit-secret", "it is not a login record"),
        ("", "it is not a login record"),
        (r#"{"version":1,"private":{"token":"pit secret"}}"#, "it contains no login"),
    ];
    for (bytes, why) in cases {
        super::store::record_file::replace_atomically(&path, bytes.as_bytes()).unwrap();
        let refused = store.load().unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}

#[test]
fn no_secret_shows_when_a_record_is_printed() {
    for stored in [login(), private()] {
        let shown = format!("{stored:?}");
        for secret in ["access-", "refresh-", "the-secret", "pit-"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
