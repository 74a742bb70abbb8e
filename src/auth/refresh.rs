//! One renewal, made by whoever holds the lock: what is asked, what is written before and after, and the
//! way out when the refresh token is used up.
//!
//! That a renewal has begun is on disk before the refresh token is sent, and the answer is on disk before
//! its token is used. An answer that never came (killed, cut off) leaves a refresh token that may be used up;
//! then it is refused, and the app asks for a new authorisation (api.md §9).

use std::time::Duration;

use jiff::Timestamp;

use super::credentials::{Login, Stored};
use super::refresher::Keeper;
use crate::api::{Denied, Grant, Kind, OauthError, OauthKind};
use crate::concurrency;
use crate::failpoint::{self, Point};
use crate::id::LocationId;

/// How often a renewal is asked for while the server fails.
const TRIES: u32 = 3;
/// How long to wait between two.
const PAUSE: Duration = Duration::from_secs(1);
/// How long after its end a location's token is still kept in the record.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A renewal under way.
pub(super) struct Renewal<'a> {
    pub(super) keeper: &'a Keeper,
    pub(super) login: Login,
}

impl Renewal<'_> {
    /// Renews the login's own token.
    pub(super) async fn login(&mut self) -> Result<(), Denied> {
        let grant = self.grant().await?;
        failpoint::reach(Point::AfterRefresh);
        self.settle(grant);
        self.save().await?;
        failpoint::reach(Point::AfterRenewal);
        self.keeper.take(&self.login);
        Ok(())
    }

    /// The next grant, by the refresh token or by a new authorisation.
    async fn grant(&mut self) -> Result<Grant, Denied> {
        let Some(refresh) = self.login.grant.refresh.clone() else {
            return self.reconnected("there is no refresh token").await;
        };
        let cut_off = self.login.begun.replace(Timestamp::now());
        self.save().await?;
        failpoint::reach(Point::BeforeRefresh);
        let user_type = self.login.grant.user_type;
        let mut tries = 0;
        let error = loop {
            let asked = self.keeper.oauth.refresh(&self.login.app, &refresh, user_type).await;
            let error = match asked {
                Ok(grant) => return Ok(grant),
                Err(error) => error,
            };
            tries += 1;
            // Whether a failed server has taken it shows when it is sent again: then it is refused.
            if error.kind != OauthKind::Failed || tries == TRIES || self.alive() {
                break error;
            }
            tokio::time::sleep(PAUSE).await;
        };
        match error.kind {
            OauthKind::Unreachable | OauthKind::Failed => Err(self.unrenewed(&error)),
            _ => match self.elsewhere().await? {
                Some(grant) => Ok(grant),
                None => self.reconnected(&refused(&error, cut_off)).await,
            },
        }
    }

    /// Whether there is no hurry.
    fn alive(&self) -> bool {
        super::expiry::Held::new(&self.login.grant).alive()
    }

    /// What somebody else has put into the record, who does not share our lock: another machine.
    async fn elsewhere(&mut self) -> Result<Option<Grant>, Denied> {
        let safe = self.keeper.safe.clone();
        let stored = concurrency::blocking(move || safe.load()).await;
        match stored.map_err(|error| self.keeper.unstored(&error))? {
            Stored::Oauth(login) if login.grant.access != self.login.grant.access => {
                self.login = *login;
                Ok(Some(self.login.grant.clone()))
            }
            _ => Ok(None),
        }
    }

    /// A grant by a new authorisation of what the app was authorised for before.
    async fn reconnected(&self, refused: &str) -> Result<Grant, Denied> {
        let Some(resource) = self.login.resource() else { return Err(self.keeper.ended(refused)) };
        tracing::info!("the refresh token is used up; the app asks for a new authorisation");
        let (oauth, login) = (&self.keeper.oauth, &self.login);
        let user_type = login.grant.user_type;
        let result = async {
            let code = oauth.reconnect(&login.app, &resource).await?;
            // The code was sent to no address.
            oauth.exchange(&login.app, &code, None, user_type).await
        };
        result.await.map_err(|error| match error.kind {
            OauthKind::Unreachable | OauthKind::Failed => self.unrenewed(&error),
            // What the first refusal said tells more than that the way out is closed, too.
            _ => self.keeper.ended(refused),
        })
    }

    fn unrenewed(&self, error: &OauthError) -> Denied {
        let profile = self.keeper.safe.profile();
        let said = format!("the login of profile `{profile}` cannot be renewed: {error}");
        Denied { kind: Kind::Unreachable, said }
    }

    /// Puts a grant in the place of the one before, which tells what the new one does not.
    fn settle(&mut self, grant: Grant) {
        let before = &mut self.login.grant;
        let scopes = std::mem::take(&mut before.scopes);
        self.login.grant = Grant {
            refresh: grant.refresh.or(before.refresh.take()),
            scopes: if grant.scopes.is_empty() { scopes } else { grant.scopes },
            company: grant.company.or(before.company.take()),
            location: grant.location.or(before.location.take()),
            user: grant.user.or(before.user.take()),
            ..grant
        };
        self.login.begun = None;
    }

    /// Asks for the token of one of the company's locations.
    pub(super) async fn location(&mut self, id: &LocationId) -> Result<(), Denied> {
        let Some(company) = self.login.grant.company.clone() else {
            let said = "the login names no company, so it gives no tokens of locations".to_owned();
            return Err(Denied { kind: Kind::Location, said });
        };
        let mut renewed = false;
        if !super::expiry::Held::new(&self.login.grant).fresh() {
            // A token that still lives will do.
            match self.login().await {
                Ok(()) => renewed = true,
                Err(denied) if !self.alive() => return Err(denied),
                Err(_) => {}
            }
        }
        let oauth = self.keeper.oauth.clone();
        let mut asked = oauth.location_token(&self.login.grant.access, &company, id).await;
        if asked.as_ref().is_err_and(|error| error.kind == OauthKind::Token) && !renewed {
            self.login().await?;
            asked = oauth.location_token(&self.login.grant.access, &company, id).await;
        }
        let grant = asked.map_err(|error| without_location(id, &error))?;
        let now = Timestamp::now();
        self.login.locations.retain(|_, grant| now.duration_since(grant.expires) < KEPT);
        self.login.locations.insert(id.clone(), grant);
        self.save().await?;
        self.keeper.take(&self.login);
        Ok(())
    }

    async fn save(&self) -> Result<(), Denied> {
        let (safe, stored) =
            (self.keeper.safe.clone(), Stored::Oauth(Box::new(self.login.clone())));
        let saved = concurrency::blocking(move || safe.put(&stored)).await;
        saved.map_err(|error| self.keeper.unstored(&error))
    }
}

/// Why there is no other way but a new authorisation.
fn refused(error: &OauthError, cut_off: Option<Timestamp>) -> String {
    match cut_off {
        None => error.to_string(),
        Some(begun) => format!("a renewal at {begun:.0} was cut off; {error}"),
    }
}

fn without_location(id: &LocationId, error: &OauthError) -> Denied {
    let kind = match error.kind {
        OauthKind::Refused => Kind::Location,
        OauthKind::Scope => Kind::Scope,
        OauthKind::Token => Kind::Token,
        OauthKind::Unreachable | OauthKind::Failed => Kind::Unreachable,
    };
    Denied { kind, said: format!("no token for location `{id}`: {error}") }
}
