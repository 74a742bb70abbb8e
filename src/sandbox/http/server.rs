//! The door: one request from its bytes to its answer.
//!
//! Reads it, counts it against the limit, lets faults have their way, runs the route, and writes
//! the journal. The lock is taken twice at most and never held while anything waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::header::DATE;
use axum::http::{HeaderValue, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::connection::Cut;
use super::rate_limit::Standing;
use super::request::Ask;
use super::response::{Answer, Refusal};
use super::routes;
use crate::sandbox::control;
use crate::sandbox::faults::barrier::Gate;
use crate::sandbox::faults::inject::{Ending, Mischief, Wait};
use crate::sandbox::sandbox_settings::Settings;
use crate::sandbox::store::state::State;

/// More than any body that the service takes.
const LARGEST_BODY: usize = 64 << 20;

/// One sandbox.
#[derive(Debug)]
pub(crate) struct App {
    state: Mutex<State>,
    pub(crate) gate: Gate,
    numbers: AtomicU64,
}

impl App {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = Mutex::new(State::new(settings));
        Self { state, gate: Gate::new(), numbers: AtomicU64::new(0) }
    }

    /// Ends every wait.
    pub(crate) fn close(&self) {
        self.gate.close();
    }

    /// The memory; a panic of another request does not spoil it for the rest.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was counted, and what is to become of it.
struct Admitted {
    arrived: Duration,
    /// Whose allowance it uses, and what is left of that; requests for tokens use nobody's.
    bucket: Option<String>,
    standing: Option<Standing>,
    mischief: Mischief,
    /// The answer already, when nothing has to wait for it.
    answer: Option<Answer>,
}

/// Answers one request.
pub(crate) async fn answer(
    Shared(app): Shared<Arc<App>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response<Body> {
    let mut response = reply(Arc::clone(&app), cut, request).await;
    if let Some(date) = date(app.state().clock()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// A time as the `Date` header spells it.
fn date(milliseconds: i64) -> Option<HeaderValue> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()?;
    HeaderValue::try_from(text).ok()
}

async fn reply(app: Arc<App>, cut: Cut, request: Request) -> Response<Body> {
    let ask = match read(request, &app).await {
        Ok(ask) => ask,
        Err(answer) => return answer.into_response(None),
    };
    if ask.is_control() {
        return control::answer(&app, &ask).await.into_response(None);
    }
    let Served { answer, ending, standing } = if ask.writes() {
        // The service finishes what it has begun, though the client has given up. Left on its own
        // connection, this would be dropped with it.
        tokio::spawn(serve(app, ask)).await.expect("answering a request does not panic")
    } else {
        serve(app, ask).await
    };
    match ending {
        Ending::Whole => answer.into_response(standing),
        Ending::Truncated => crate::sandbox::faults::inject::truncated(answer, standing),
        Ending::Cut => {
            cut.cut();
            answer.into_response(standing)
        }
    }
}

/// An answer, and how it leaves.
struct Served {
    answer: Answer,
    ending: Ending,
    standing: Option<Standing>,
}

async fn serve(app: Arc<App>, ask: Ask) -> Served {
    let Admitted { arrived, bucket, standing, mischief, answer } = admit(&app, &ask);
    let answer = match answer {
        Some(answer) => answer,
        None => suffer(&app, &ask, &mischief).await,
    };
    let ending = mischief.ending();
    let status = if ending == Ending::Cut { 0 } else { answer.status };
    let shown = ask.shown();
    app.state().journal.write(ask.method, shown, status, arrived, bucket);
    app.gate.served();
    Served { answer, ending, standing }
}

async fn read(request: Request, app: &App) -> Result<Ask, Answer> {
    let number = app.numbers.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let mut ask = Ask::new(&Request::from_parts(parts, ()), number);
    if ask.method == "GET" {
        return Ok(ask);
    }
    match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(bytes) => {
            ask.set_body(&bytes);
            Ok(ask)
        }
        Err(_) => Err(Refusal::status(413).into_answer(&ask.trace)),
    }
}

/// Counts the request, and answers it at once unless a fault makes it wait.
fn admit(app: &App, ask: &Ask) -> Admitted {
    let mut state = app.state();
    let arrived = state.now();
    let bucket = (!ask.is_oauth()).then(|| state.bucket(ask));
    let standing = bucket.as_ref().map(|bucket| state.limiter.admit(bucket, arrived));
    if let Some(wait) = standing.and_then(|standing| standing.refused) {
        let mut answer = Refusal::too_many().into_answer(&ask.trace);
        answer.retry_after = Some(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
        let mischief = Mischief::default();
        return Admitted { arrived, bucket, standing, mischief, answer: Some(answer) };
    }
    let mischief = Mischief::of(&mut state, ask);
    let answer = mischief.is_none().then(|| run(&mut state, ask));
    Admitted { arrived, bucket, standing, mischief, answer }
}

/// Answers a request that faults have struck.
async fn suffer(app: &App, ask: &Ask, mischief: &Mischief) -> Answer {
    app.gate.pause(mischief.latency()).await;
    match mischief.wait_before() {
        Wait::Not => {}
        Wait::AtMost(longest) => app.gate.hold(Some(longest)).await,
        Wait::Released => app.gate.hold(None).await,
    }
    let answer = if let Some(answer) = mischief.instead(&ask.trace) {
        answer
    } else {
        let mut state = app.state();
        let answer = match mischief.ignores(ask) {
            Some(less) => run(&mut state, &less),
            None => run(&mut state, ask),
        };
        mischief.spoil(&mut state, ask, answer)
    };
    if mischief.waits_after() {
        app.gate.hold(None).await;
    }
    answer
}

fn run(state: &mut State, ask: &Ask) -> Answer {
    routes::run(state, ask).unwrap_or_else(|refusal| refusal.into_answer(&ask.trace))
}
