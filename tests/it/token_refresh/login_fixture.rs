//! A login stored in a file, with tokens issued by the sandbox.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ghl_bulk::api::{BearerToken, HttpOptions, OauthApp, OauthGrant, UserType};
use ghl_bulk::auth::{
    AgeKeySource, AgencyAuth, AuthError, CredentialDir, CredentialStore, CredentialStoreKind,
    OauthLogin, RefreshingTokenProvider, StoredCredentials,
};
use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET, SandboxSettings};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::world::World;

/// The profile that is used when none is named.
pub(super) const PROFILE: &str = "default";

/// What is left of a token's day, in seconds: it has ended long ago, or it is time to renew it.
pub(super) const ENDED: i64 = -3600;
pub(super) const DUE: i64 = 60;
pub(super) const FRESH: i64 = 80_000;

/// A world whose commands have no token but that of the login.
pub(super) fn world(change: impl FnOnce(&mut SandboxSettings)) -> World {
    let world = World::with_settings(|settings| {
        settings.contacts = 6;
        change(settings);
    });
    let config = world.path("config").display().to_string();
    world.without_env("GHL_TOKEN").with_env("GHL_BULK_CONFIG", &config)
}

struct Nobody;

impl AgeKeySource for Nobody {
    fn ask_passphrase(&self, _: bool) -> Result<SecretString, AuthError> {
        panic!("a file needs no passphrase")
    }
}

fn places(world: &World) -> CredentialDir {
    CredentialDir { dir: world.path("config/credentials") }
}

/// Where the record lies.
pub(super) fn file(world: &World) -> PathBuf {
    world.path("config/credentials").join(format!("{PROFILE}.json"))
}

/// Keeps a login for what is wanted of the sandbox, with this much left of its token's day.
pub(super) fn keep(world: &World, wanted: &Value, left: i64) -> OauthLogin {
    let given = world.control_request("POST", "oauth/grant", wanted);
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    let expires = Timestamp::now() + SignedDuration::from_secs(left);
    let company = text("userType").as_deref() == Some("Company");
    let grant = OauthGrant {
        access: BearerToken::new(&text("access_token").unwrap()).unwrap(),
        refresh: text("refresh_token").map(SecretString::from),
        obtained: expires - SignedDuration::from_secs(86_399),
        expires,
        scopes: text("scope").unwrap().split(' ').map(str::to_owned).collect(),
        user_type: if company { UserType::Company } else { UserType::Location },
        company: text("companyId").map(|id| id.parse().unwrap()),
        location: text("locationId").map(|id| id.parse().unwrap()),
        user: text("userId"),
    };
    let client_secret = SecretString::from(CLIENT_SECRET);
    let app = OauthApp { client_id: CLIENT_ID.to_owned(), client_secret };
    let login = OauthLogin::new(app, grant, world.url().to_owned());
    save(world, &login);
    login
}

/// A login for the first location.
pub(super) fn keep_location(world: &World, left: i64) -> OauthLogin {
    keep(world, &json!({}), left)
}

/// A login for the whole agency.
pub(super) fn keep_agency(world: &World, left: i64) -> OauthLogin {
    keep(world, &json!({"userType": "Company"}), left)
}

/// Puts a login in the place of the one before.
pub(super) fn save(world: &World, login: &OauthLogin) {
    let safe = CredentialStore::create(
        &places(world),
        PROFILE,
        CredentialStoreKind::File,
        Arc::new(Nobody),
    )
    .unwrap();
    safe.save(&StoredCredentials::Oauth(Box::new(login.clone()))).unwrap();
}

fn found(world: &World) -> (CredentialStore, OauthLogin) {
    let safe =
        CredentialStore::open_existing(&places(world), PROFILE, Arc::new(Nobody)).unwrap().unwrap();
    match safe.load().unwrap() {
        StoredCredentials::Oauth(login) => (safe, *login),
        StoredCredentials::Private(_) => panic!("it is a private integration's"),
    }
}

/// The login as it is on disk.
pub(super) fn kept(world: &World) -> OauthLogin {
    found(world).1
}

fn transport() -> HttpOptions {
    let patience = Duration::from_secs(20);
    HttpOptions { patience, connect: patience, ca_file: None, allow_http: false }
}

/// The source of tokens that a process of its own would have.
pub(super) fn source(world: &World) -> RefreshingTokenProvider {
    let (safe, login) = found(world);
    RefreshingTokenProvider::new(safe, &login, &transport()).unwrap()
}

/// The agency as a process of its own would have it.
pub(super) fn agency(world: &World) -> AgencyAuth {
    let (safe, login) = found(world);
    AgencyAuth::from_login(safe, &login, &transport()).unwrap().unwrap()
}

/// A token's text.
pub(super) fn text(token: &BearerToken) -> String {
    token.secret().expose_secret().to_owned()
}

/// A count of the sandbox's.
pub(super) fn count(world: &World, name: &str) -> u64 {
    world.get_control("oauth")[name].as_u64().unwrap()
}

/// Refresh tokens that were honoured, those that were refused, and new authorisations.
#[track_caller]
pub(super) fn assert_counts(world: &World, honoured: u64, refused: u64, reconnects: u64) {
    let counts = ["refreshes_honoured", "refreshes_refused", "reconnects"];
    assert_eq!(counts.map(|name| count(world, name)), [honoured, refused, reconnects]);
}
