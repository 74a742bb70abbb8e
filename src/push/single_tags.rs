//! Tags contact by contact, for tokens and locations that may not change those of many contacts at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::{self, ApiErrorKind, EndpointFault, WriteOutcome};
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver};

/// Whether tags are changed contact by contact.
#[derive(Debug, Default)]
pub(super) struct SingleTags(AtomicBool);

impl SingleTags {
    pub(super) fn are_used(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Begins to change tags contact by contact, and says so once.
    pub(super) fn begin(&self, observer: &SharedObserver) {
        if self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        let message = "the API refuses to change the tags of many contacts at once, so they are changed contact by \
                       contact: one request for each instead of one for a hundred";
        observer.observe(&RunEvent::Warning(RunWarning::new(
            EventWarningCode::TagsPerContact,
            message,
        )));
    }
}

/// Whether an outcome is about the endpoint and no contact: it does not exist, or the token may not use it.
pub(super) fn refuses_endpoint(sent: &WriteOutcome) -> bool {
    match sent {
        WriteOutcome::NotApplied(error) => matches!(
            error.kind,
            ApiErrorKind::Scope | ApiErrorKind::EndpointFailing(EndpointFault::Scope)
        ),
        WriteOutcome::Answered { status: 404, body, .. } => !api::is_gone_response(404, body),
        WriteOutcome::Answered { status: 403 | 405 | 501, .. } => true,
        _ => false,
    }
}
