//! The keeper of an OAuth login: who gets which token, and who renews it.
//!
//! In a process one renewal serves everyone who waits; between processes the safe's lock sees to it, and
//! whoever comes to it reads the record again before anything is sent. A renewal is a task of its own: it
//! goes on when those who wait for it are gone, since an answer that nobody stores is a lost login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use super::credentials::{Login, Stored};
use super::error::Error;
use super::expiry::Held;
use super::refresh::Renewal;
use super::store::Safe;
use crate::api::{Credential, Denied, Kind, Oauth, Token, Transport};
use crate::concurrency;
use crate::id::LocationId;

/// How long nothing is tried again after a renewal that failed while the old token still lives.
const REST: Duration = Duration::from_secs(30);

/// Whose token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// The login's own.
    Login,
    /// That of a location of the company which the login is for.
    Location(LocationId),
}

/// Holds a login's tokens.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) safe: Safe,
    pub(super) oauth: Oauth,
    /// Whose turn it is to renew.
    turn: Arc<tokio::sync::Mutex<()>>,
    hand: Mutex<Hand>,
}

/// What is in hand.
#[derive(Debug, Default)]
struct Hand {
    tokens: BTreeMap<Whose, Held>,
    /// The last renewal, if it failed.
    failed: Option<Failed>,
}

/// A renewal that failed.
#[derive(Debug)]
struct Failed {
    whose: Whose,
    at: Instant,
    denied: Denied,
}

impl Keeper {
    pub(super) fn new(
        safe: Safe,
        login: &Login,
        transport: &Transport,
    ) -> Result<Arc<Self>, Error> {
        let oauth = Oauth::new(&login.api_url, transport)?;
        let (turn, hand) = (Arc::default(), Mutex::default());
        let keeper = Self { safe, oauth, turn, hand };
        keeper.take(login);
        Ok(Arc::new(keeper))
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Hand> {
        self.hand.lock().expect("nobody panics with it")
    }

    /// Takes over the tokens of a record that is on disk.
    pub(super) fn take(&self, login: &Login) {
        let mut tokens = BTreeMap::from([(Whose::Login, Held::new(&login.grant))]);
        let locations = login.locations.iter();
        tokens.extend(locations.map(|(id, grant)| (Whose::Location(id.clone()), Held::new(grant))));
        self.hand().tokens = tokens;
    }

    /// A token that needs no renewal.
    pub(super) fn ready(&self, whose: &Whose, refused: Option<&Token>) -> Option<Token> {
        let hand = self.hand();
        let held = hand.tokens.get(whose)?;
        let resting = hand.failed.as_ref().is_some_and(|failed| failed.at.elapsed() < REST);
        let usable = held.fresh() || resting && held.alive();
        (usable && refused != Some(&held.token)).then(|| held.token.clone())
    }

    /// A token that the API should still take, though it is time to renew it.
    fn living(&self, whose: &Whose, refused: Option<&Token>) -> Option<Token> {
        let hand = self.hand();
        let held = hand.tokens.get(whose)?;
        (held.alive() && refused != Some(&held.token)).then(|| held.token.clone())
    }

    /// Why the renewal failed for which somebody has waited since then: it would not do better at once.
    fn failed_since(&self, whose: &Whose, came: Instant) -> Option<Denied> {
        let hand = self.hand();
        let failed = hand.failed.as_ref()?;
        (failed.whose == *whose && failed.at >= came).then(|| failed.denied.clone())
    }

    /// A token other than the refused one, renewed where it must be.
    pub(super) async fn token(
        self: &Arc<Self>,
        whose: &Whose,
        refused: Option<&Token>,
    ) -> Result<Token, Denied> {
        if let Some(token) = self.ready(whose, refused) {
            return Ok(token);
        }
        let came = Instant::now();
        let turn = match Arc::clone(&self.turn).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => match self.living(whose, refused) {
                // Somebody is renewing, and there is no need to wait for it.
                Some(token) => return Ok(token),
                None => Arc::clone(&self.turn).lock_owned().await,
            },
        };
        if let Some(token) = self.ready(whose, refused) {
            return Ok(token);
        }
        if let Some(denied) = self.failed_since(whose, came) {
            return Err(denied);
        }
        let (keeper, whose, refused) = (Arc::clone(self), whose.clone(), refused.cloned());
        concurrency::to_the_end(keeper.renewed(whose, refused, turn)).await
    }

    async fn renewed(
        self: Arc<Self>,
        whose: Whose,
        refused: Option<Token>,
        _turn: OwnedMutexGuard<()>,
    ) -> Result<Token, Denied> {
        let result = self.renew(&whose, refused.as_ref()).await;
        self.hand().failed = result.as_ref().err().map(|denied| {
            let (whose, denied) = (whose.clone(), denied.clone());
            Failed { whose, at: Instant::now(), denied }
        });
        let denied = match result {
            Ok(token) => return Ok(token),
            Err(denied) => denied,
        };
        match self.living(&whose, refused.as_ref()) {
            None => Err(denied),
            Some(token) => {
                let said = denied.said.escape_debug();
                tracing::warn!(%said, "the token could not be renewed; the old one is still valid");
                Ok(token)
            }
        }
    }

    async fn renew(&self, whose: &Whose, refused: Option<&Token>) -> Result<Token, Denied> {
        let safe = self.safe.clone();
        let opened = concurrency::blocking(move || {
            let lock = safe.lock()?;
            Ok((lock, safe.load()?))
        });
        let (_lock, stored) = opened.await.map_err(|error| self.unstored(&error))?;
        let Stored::Oauth(login) = stored else {
            return Err(self.ended("it was replaced by a private integration's token"));
        };
        // Somebody may have renewed it while we waited.
        self.take(&login);
        if let Some(token) = self.ready(whose, refused) {
            return Ok(token);
        }
        let mut renewal = Renewal { keeper: self, login: *login };
        match whose {
            Whose::Login => renewal.login().await?,
            Whose::Location(id) => renewal.location(id).await?,
        }
        let hand = self.hand();
        let held = hand.tokens.get(whose).expect("the renewal has put it there");
        Ok(held.token.clone())
    }

    /// The login cannot be had or kept.
    pub(super) fn unstored(&self, error: &Error) -> Denied {
        let said = format!("the login of profile `{}`: {error}", self.safe.profile());
        Denied { kind: Kind::Token, said }
    }

    /// The login is over: a person must log in again.
    pub(super) fn ended(&self, why: &str) -> Denied {
        let profile = self.safe.profile();
        let said = format!(
            "the login of profile `{profile}` has ended ({why}); log in again with `ghl-bulk login \
             --profile {profile}`, then go on with `ghl-bulk resume`"
        );
        Denied { kind: Kind::Token, said }
    }
}

/// A login's own tokens, renewed in time.
#[derive(Debug)]
pub struct Renewing {
    keeper: Arc<Keeper>,
    whose: Whose,
}

impl Renewing {
    /// The tokens of a login that was loaded from this safe. Nothing is sent yet.
    ///
    /// # Errors
    /// When connections cannot be set up.
    pub fn new(safe: Safe, login: &Login, transport: &Transport) -> Result<Self, Error> {
        Ok(Self::of(Keeper::new(safe, login, transport)?, Whose::Login))
    }

    pub(super) fn of(keeper: Arc<Keeper>, whose: Whose) -> Self {
        Self { keeper, whose }
    }
}

impl Credential for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Token, Denied>> {
        Box::pin(self.keeper.token(&self.whose, None))
    }

    fn renew<'a>(&'a self, refused: &'a Token) -> BoxFuture<'a, Result<Option<Token>, Denied>> {
        Box::pin(async move { self.keeper.token(&self.whose, Some(refused)).await.map(Some) })
    }
}
