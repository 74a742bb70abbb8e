//! `watch --post`: what is sent, and what becomes of the answers.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::altered_answers::read_message;
use crate::world::World;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A server that takes webhooks.
struct WebhookReceiver {
    url: String,
    webhooks: Arc<Mutex<Vec<ReceivedWebhook>>>,
}

#[derive(Debug, Clone)]
struct ReceivedWebhook {
    head: String,
    body: Value,
}

impl ReceivedWebhook {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl WebhookReceiver {
    /// A server that gives these answers, such as `500 Oops`, and then only good ones.
    fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let webhooks = Arc::new(Mutex::new(Vec::new()));
        let answers: VecDeque<_> = answers.iter().copied().collect();
        let answers = Arc::new(Mutex::new(answers));
        let receiver = Self { url, webhooks: Arc::clone(&webhooks) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (webhooks, answers) = (Arc::clone(&webhooks), Arc::clone(&answers));
                std::thread::spawn(move || take_webhooks(stream, &webhooks, &answers));
            }
        });
        receiver
    }

    fn received(&self) -> Vec<ReceivedWebhook> {
        self.webhooks.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<String> {
        let ids = self.received().into_iter().map(|it| it.body["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    fn command(&self) -> String {
        format!("watch --once --post {}/hook/s3cret", self.url)
    }
}

fn take_webhooks(
    mut stream: TcpStream,
    webhooks: &Mutex<Vec<ReceivedWebhook>>,
    answers: &Mutex<VecDeque<&'static str>>,
) -> Option<()> {
    loop {
        let (head, body) = read_message(&mut stream)?;
        let body = serde_json::from_slice(&body).unwrap();
        webhooks.lock().unwrap().push(ReceivedWebhook { head, body });
        let answer = answers.lock().unwrap().pop_front().unwrap_or("200 OK");
        write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}

/// A world in which one contact has changed since a receiver's first watch.
fn changed_world(receiver: &WebhookReceiver) -> World {
    let world = World::new();
    world.run_command(&receiver.command()).exits(0);
    world.add_contact(&json!({"firstName": "Ann"}));
    world
}

#[test]
fn events_are_posted_with_the_headers_of_the_standard() {
    let receiver = WebhookReceiver::start(&[]);
    let world = changed_world(&receiver).with_env("GHL_BULK_WEBHOOK_SECRET", SECRET);
    world.run_command(&receiver.command()).exits(0);
    let webhooks = receiver.received();
    let [webhook] = webhooks.as_slice() else { panic!("{webhooks:?}") };
    assert!(webhook.head.starts_with("POST /hook/s3cret HTTP/1.1"), "{}", webhook.head);
    assert_eq!(webhook.header("content-type"), Some("application/json"));
    assert_eq!(webhook.header("webhook-id"), webhook.body["id"].as_str());
    assert!(webhook.header("webhook-timestamp").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    let signature = webhook.header("webhook-signature").unwrap();
    assert_eq!((&signature[..3], signature.len()), ("v1,", 3 + 44), "{signature}");
    assert_eq!(webhook.body["type"], "contact.created");
    assert_eq!(webhook.header("authorization"), None);
}

#[test]
fn without_a_secret_there_is_no_signature() {
    let receiver = WebhookReceiver::start(&[]);
    let world = changed_world(&receiver);
    world.run_command(&receiver.command()).exits(0);
    assert_eq!(receiver.received()[0].header("webhook-signature"), None);
}

#[test]
fn an_event_that_was_refused_is_sent_again_under_the_same_id() {
    let receiver = WebhookReceiver::start(&["503 Busy"]);
    let world = changed_world(&receiver);
    world.run_command(&receiver.command()).exits(0).says("it answered 503");
    let ids = receiver.ids();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[test]
fn events_of_a_receiver_that_stays_down_are_kept() {
    let receiver = WebhookReceiver::start(&["500 Oops"; 5]);
    let world = changed_world(&receiver);
    world.run_command(&receiver.command()).exits(3).says("1 event kept");
    let mut runs = 0;
    while world.run_command(&receiver.command()).code != 0 {
        runs += 1;
        assert!(runs < 1000, "the event does not come");
    }
    let ids = receiver.ids();
    assert!(ids.len() == 6 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_receiver_that_is_gone_is_not_asked_again_and_its_events_are_kept() {
    let receiver = WebhookReceiver::start(&["410 Gone"]);
    let world = changed_world(&receiver);
    world.add_contact(&json!({"firstName": "Bob"}));
    let output = world.run_command(&receiver.command()).exits(3);
    output.says("gets no more events").says("it answered 410");
    assert_eq!(receiver.received().len(), 1, "the second event is not sent");
    world.run_command(&receiver.command());
    assert!(receiver.received().len() >= 2, "started again, it is asked again");
}

#[test]
fn a_redirect_is_a_failure_and_is_not_followed() {
    let receiver = WebhookReceiver::start(&["307 Moved\r\nLocation: /elsewhere"]);
    let world = changed_world(&receiver);
    world.run_command(&receiver.command()).exits(0).says("it answered 307 with another address");
    let webhooks = receiver.received();
    assert_eq!(webhooks.len(), 2);
    assert!(webhooks.iter().all(|it| it.head.starts_with("POST /hook/s3cret ")), "{webhooks:?}");
}

#[test]
fn the_address_of_a_webhook_is_nowhere_in_clear() {
    let receiver = WebhookReceiver::start(&["500 Oops"]);
    let world = changed_world(&receiver);
    let output = world.run_command(&format!("{} -v", receiver.command()));
    assert!(!output.stderr.contains("s3cret"), "{}", output.stderr);
    let mirror = world.path("home/mirrors");
    for entry in walk(&mirror) {
        let bytes = std::fs::read(&entry).unwrap();
        let found = bytes.windows(6).any(|window| window == b"s3cret");
        assert!(!found, "{}", entry.display());
    }
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn addresses_that_would_leak_events_are_refused() {
    let world = World::new();
    let refused = world.run_command("watch --once --post http://example.com/hook").exits(2);
    refused.says("it must begin with `https://`").does_not_say("/hook");
    let refused = world.run_command("watch --once --post https://ann:pw123@example.com/").exits(2);
    refused.says("user name or password");
    world.run_command("watch --once --post nonsense").exits(2).says("it is not a URL");
}

#[test]
fn a_secret_of_another_form_is_refused_and_not_shown() {
    let world = World::new().with_env("GHL_BULK_WEBHOOK_SECRET", "hunter2hunter2");
    let refused = world.run_command("watch --once --post https://example.com/hook").exits(2);
    refused.says("`whsec_` and 24 to 64 bytes").does_not_say("hunter2");
}
