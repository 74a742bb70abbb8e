//! Mutations against a server that answers what the test wrote down for it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Map, json};

use crate::api::{
    ApiClient, ApiClientConfig, ApiErrorKind, BearerToken, HaltReason, HttpOptions, QuotaPolicy,
    RateLimiter, WriteOutcome, WriteRequest,
};
use crate::event::{CancelCause, CancelSignal, NullObserver};
use crate::id::ContactId;

/// A server that gives each connection the next of its answers, and the requests it has read.
fn serve(answers: &[&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers.to_vec();
    let requests = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            requests.push(request(&mut stream));
            stream.write_all(answer.as_bytes()).unwrap();
            if answer == SILENCE {
                // Until the client gives up.
                let _ = stream.read(&mut [0]);
            }
        }
        requests
    });
    (url, requests)
}

const SILENCE: &str = "";
const CUT: &str = "HTTP/1.1 2";

fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut some = [0; 4096];
    loop {
        let count = stream.read(&mut some).unwrap();
        text.extend_from_slice(&some[..count]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return whole;
        }
    }
}

fn client(url: &str, stop: &CancelSignal) -> ApiClient {
    let config = ApiClientConfig {
        url: url.to_owned(),
        credential: Arc::new(BearerToken::new("pit-test").unwrap()),
        location: "here".parse().unwrap(),
        unreachable_for: UNREACHABLE_FOR,
        transport: HttpOptions {
            patience: Duration::from_millis(300),
            connect: Duration::from_millis(300),
            ca_file: None,
            allow_http: false,
        },
    };
    let limiter = RateLimiter::new(QuotaPolicy::default(), stop.clone(), Arc::new(NullObserver));
    ApiClient::new(&config, limiter, Arc::new(NullObserver)).unwrap()
}

async fn send(client: &ApiClient) -> WriteOutcome {
    send_this(client, &client.create_contact(&body())).await
}

async fn send_this(client: &ApiClient, mutation: &WriteRequest) -> WriteOutcome {
    match client.acquire_write_permit(mutation).await {
        Ok(turn) => client.send_write(mutation, turn).await,
        Err(error) => WriteOutcome::NotApplied(error),
    }
}

fn body() -> Map<String, serde_json::Value> {
    json!({"firstName": "Ada"}).as_object().unwrap().clone()
}

fn word(sent: &WriteOutcome) -> String {
    match sent {
        WriteOutcome::Answered { status, .. } => format!("answered {status}"),
        WriteOutcome::AppliedUnreadable { status, .. } => format!("unread {status}"),
        WriteOutcome::NotApplied(error) => format!("not applied: {:?}", error.kind),
        WriteOutcome::Unknown { status: Some(status), .. } => format!("doubt {status}"),
        WriteOutcome::Unknown { status: None, .. } => "doubt".to_owned(),
    }
}

/// What becomes of a create that is answered like this; all of the answers must be asked for.
#[track_caller]
fn check(answers: &[&'static str], expected: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (url, requests) = serve(answers);
    let sent = runtime.block_on(async {
        let client = client(&url, &CancelSignal::new());
        send(&client).await
    });
    // Closes the connections.
    drop(runtime);
    assert_eq!(word(&sent), expected, "{answers:?}");
    assert_eq!(requests.join().unwrap().len(), answers.len());
}

macro_rules! answer {
    ($status:literal, $body:literal) => {
        concat!("HTTP/1.1 ", $status, " X\r\nconnection: close\r\n\r\n", $body)
    };
}

/// For how long a server that cannot be reached is tried again.
const UNREACHABLE_FOR: Duration = Duration::from_mins(3);

const LIMITED: &str = "HTTP/1.1 429 X\r\nconnection: close\r\nretry-after: 0\r\n\r\n";

#[test]
fn an_answer_is_handed_over_with_its_body() {
    check(&[answer!(201, r#"{"contact":{"id":"a"}}"#)], "answered 201");
    check(&[answer!(400, r#"{"message":"no","meta":{"contactId":"a"}}"#)], "answered 400");
    check(&[answer!(400, r#"{"message":"Contact not found for id:x"}"#)], "answered 400");
    check(&[answer!(404, "")], "answered 404");
    check(&[answer!(413, "<html>")], "answered 413");
    check(&[answer!(422, r#"{"message":["property x should not exist"]}"#)], "answered 422");
}

#[test]
fn a_success_that_cannot_be_read_is_applied_all_the_same() {
    check(&[answer!(200, "")], "unread 200");
    check(&[answer!(200, "<html>")], "unread 200");
    check(&[answer!(201, "[]")], "unread 201");
    check(&[answer!(201, r#"{"contact":{"id"#)], "unread 201");
    check(&["HTTP/1.1 201 X\r\ncontent-length: 99\r\n\r\n{\"contact\""], "unread 201");
}

#[test]
fn what_may_have_been_applied_is_never_sent_again() {
    for answer in [answer!(408, ""), answer!(425, ""), answer!(500, "{}"), answer!(502, "<html>")] {
        check(&[answer], &format!("doubt {}", &answer[9..12]));
    }
    check(&[answer!(302, "")], "doubt 302");
    check(&["HTTP/1.1 400 X\r\ncontent-length: 99\r\n\r\n{\"mess"], "doubt 400");
    check(&[SILENCE], "doubt");
    check(&[CUT], "doubt");
    check(&["nonsense"], "doubt");
}

#[test]
fn what_was_refused_at_the_door_ends_the_work() {
    check(&[answer!(401, r#"{"message":"Invalid JWT"}"#)], "not applied: Token");
    let scope = answer!(401, r#"{"message":"The token is not authorized for this scope."}"#);
    check(&[scope], "not applied: Scope");
    let location =
        answer!(403, r#"{"message":"The token does not have access to this location."}"#);
    check(&[location], "not applied: Location");
    check(&[answer!(403, "<html>no</html>")], "answered 403");
}

#[test]
fn what_the_limiter_refused_is_sent_again_within_bounds() {
    check(&[LIMITED, LIMITED, answer!(201, "{}")], "answered 201");
    check(&[LIMITED, answer!(500, "{}")], "doubt 500");
    // A run waits for as long as it takes.
    let mut replies = vec![LIMITED; 12];
    replies.push(answer!(201, "{}"));
    check(&replies, "answered 201");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_is_tried_again_within_bounds() {
    let closed_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let begun = tokio::time::Instant::now();
    let client = client(&format!("http://{closed_port}"), &CancelSignal::new());
    let sent = send(&client).await;
    let WriteOutcome::NotApplied(error) = sent else { panic!("{sent:?}") };
    assert_eq!(error.kind, ApiErrorKind::Unreachable);
    assert!(error.attempts > 8, "{} attempts", error.attempts);
    assert!(begun.elapsed() <= UNREACHABLE_FOR);
}

#[tokio::test]
async fn behind_a_closed_tap_nothing_is_sent() {
    let stop = CancelSignal::new();
    stop.cancel_with(CancelCause::Interrupt);
    let client = client("http://127.0.0.1:1", &stop);
    let sent = send(&client).await;
    assert_eq!(
        word(&sent),
        format!("not applied: {:?}", ApiErrorKind::Halted(HaltReason::Cancelled))
    );
}

#[tokio::test]
async fn a_request_carries_its_method_its_location_and_its_escaped_ids() {
    let id: ContactId = "a/b".parse().unwrap();
    let stop = CancelSignal::new();
    let (url, requests) = serve(&[answer!(200, "{}"); 5]);
    let client = client(&url, &stop);
    let mutations = [
        client.upsert_contact(&body()),
        client.update_contact(&id, &body()),
        client.delete_note(&id, ".."),
        client.complete_task(&id, "t?x", true),
        client.set_business(std::slice::from_ref(&id), None),
    ];
    for mutation in &mutations {
        assert_eq!(word(&send_this(&client, mutation).await), "answered 200");
    }
    let requests = requests.join().unwrap();
    let requested: Vec<_> = requests
        .iter()
        .map(|request| {
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            (head.lines().next().unwrap().trim_end_matches(" HTTP/1.1"), body)
        })
        .collect();
    let expected = [
        ("POST /contacts/upsert", r#"{"firstName":"Ada","locationId":"here"}"#),
        ("PUT /contacts/a%2Fb", r#"{"firstName":"Ada"}"#),
        ("DELETE /contacts/a%2Fb/notes/_", ""),
        ("PUT /contacts/a%2Fb/tasks/t%3Fx/completed", r#"{"completed":true}"#),
        (
            "POST /contacts/bulk/business",
            r#"{"businessId":null,"ids":["a/b"],"locationId":"here"}"#,
        ),
    ];
    assert_eq!(requested, expected);
    for (mutation, (line, body)) in mutations.iter().zip(requested) {
        assert_eq!((mutation.request_line().as_str(), mutation.body()), (line, body.as_bytes()));
    }
}

#[tokio::test]
async fn the_server_s_clock_is_known_from_any_answer() {
    let answer =
        "HTTP/1.1 200 X\r\nconnection: close\r\ndate: Sat, 21 Nov 2026 06:15:12 GMT\r\n\r\n{}";
    let (url, _) = serve(&[answer]);
    let client = client(&url, &CancelSignal::new());
    assert_eq!(client.server_time_offset(), None);
    send(&client).await;
    let requested = jiff::Timestamp::now().as_millisecond() + client.server_time_offset().unwrap();
    assert!((requested - 1_795_241_712_000).abs() < 60_000, "{requested}");
}

#[tokio::test]
async fn half_of_a_body_goes_out_under_the_length_of_all_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = client(&url, &CancelSignal::new());
    let mutation = client.create_contact(&body());
    let token = BearerToken::new("pit-test").unwrap();
    super::send_half_request(
        client.sender.build_request(&super::to_api_request(&mutation), &token),
    );
    let mut request = String::new();
    listener.accept().unwrap().0.read_to_string(&mut request).unwrap();
    let (head, half) = request.split_once("\r\n\r\n").unwrap();
    let whole = std::str::from_utf8(mutation.body()).unwrap();
    assert_eq!(half, &whole[..whole.len() / 2]);
    let head: Vec<_> = head.lines().collect();
    assert_eq!(head[0], "POST /contacts/ HTTP/1.1");
    let length = format!("content-length: {}", whole.len());
    for line in [length.as_str(), "authorization: Bearer pit-test", "version: 2021-07-28"] {
        assert!(head.contains(&line), "{head:?}");
    }
}
