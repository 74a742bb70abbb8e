//! The recount: at the end, what was sent more than once is searched once more.
//!
//! A look-up can be wrong: a request may be applied later than the settle time allows. So ops that were
//! sent twice are counted when all is over, and two hits are named.

use serde_json::json;

use super::classify;
use super::lookup::identity;
use super::{Case, Doubt, Error, Reference};
use crate::model::remote::Live;
use crate::model::{Change, Class};

impl Doubt {
    /// The ids of everything that the op seems to have made, if that is more than one. `siblings` are
    /// the equal children that the run has written for other ops since the case's reference was taken.
    ///
    /// # Errors
    /// When a read fails for good or the tap is closed.
    pub async fn doubles(&self, case: &Case<'_>, siblings: usize) -> Result<Vec<String>, Error> {
        self.rest(self.settled(case.at_ms)).await?;
        match (&case.op.change, case.op.class) {
            (Change::CreateNote { .. } | Change::CreateTask { .. }, _) => {
                self.child_doubles(case, siblings).await
            }
            (change, Class::Marked) => Ok(several(self.with_marker(change).await?)),
            _ => self.contact_doubles(case).await,
        }
    }

    async fn child_doubles(&self, case: &Case<'_>, siblings: usize) -> Result<Vec<String>, Error> {
        let Some(id) = case.contact else { return Ok(Vec::new()) };
        let Some(children) = self.children(id, &case.op.change).await? else {
            return Ok(Vec::new());
        };
        let before = case.reference.clone().unwrap_or_default();
        let now = Reference::of(&case.op.change, &children);
        if now.equal <= before.equal + siblings + 1 {
            return Ok(Vec::new());
        }
        Ok(now.ids.into_iter().filter(|id| !before.ids.contains(id)).collect())
    }

    async fn contact_doubles(&self, case: &Case<'_>) -> Result<Vec<String>, Error> {
        let identity = identity(&case.op.change);
        let window = self.window_of(case);
        let mut found: Vec<Live> = Vec::new();
        for (field, value) in [("email", identity.email), ("phone", identity.phone)] {
            let Some(value) = value else { continue };
            let filter = json!({ "field": field, "operator": "eq", "value": value });
            for live in self.search(vec![filter], 1).await? {
                let ours = classify::came_since(&case.op.change, window, &live)
                    && !classify::is_another(&case.op.change, &live);
                let known = found.iter().any(|it| it.id == live.id);
                // Whoever shares the phone has come by a row of their own.
                if ours && !known && !self.made_by_another(live.id.as_str(), case.op.id).await? {
                    found.push(live);
                }
            }
        }
        Ok(several(found))
    }
}

/// The ids, when there are several.
fn several(found: Vec<Live>) -> Vec<String> {
    if found.len() < 2 {
        return Vec::new();
    }
    found.into_iter().map(|live| live.id.to_string()).collect()
}
