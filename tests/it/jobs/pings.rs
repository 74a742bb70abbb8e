//! Pings: a URL learns when a job begins and how it ends, and never who the customers are.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::altered_answers::read_message;
use crate::world::World;

/// A server that takes pings.
struct PingReceiver {
    url: String,
    pings: Arc<Mutex<Vec<(String, String)>>>,
}

impl PingReceiver {
    /// A server that gives these answers, such as `500 Oops`, and then only good ones.
    fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/s3cret-uuid", listener.local_addr().unwrap());
        let pings = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let taken = Arc::clone(&pings);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pings, answers) = (Arc::clone(&taken), Arc::clone(&answers));
                std::thread::spawn(move || take_pings(stream, &pings, &answers));
            }
        });
        Self { url, pings }
    }

    /// The requests, such as `GET /s3cret-uuid/start`, without the run.
    fn requests(&self) -> Vec<String> {
        let pings = self.pings.lock().unwrap();
        pings.iter().map(|(head, _)| head.split("?rid=").next().unwrap().to_owned()).collect()
    }

    /// The runs that the requests are about.
    fn runs(&self) -> Vec<String> {
        let pings = self.pings.lock().unwrap();
        let run =
            |head: &str| head.split("?rid=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        pings.iter().map(|(head, _)| run(head)).collect()
    }

    fn last_body(&self) -> String {
        self.pings.lock().unwrap().last().unwrap().1.clone()
    }
}

fn take_pings(
    mut stream: TcpStream,
    pings: &Mutex<Vec<(String, String)>>,
    answers: &Mutex<VecDeque<&'static str>>,
) -> Option<()> {
    loop {
        let (head, body) = read_message(&mut stream)?;
        pings.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
        let answer = answers.lock().unwrap().pop_front().unwrap_or("200 OK");
        write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}

fn pinging_world(receiver: &PingReceiver) -> World {
    let world = World::new();
    world.write_private_file("ping", receiver.url.as_bytes());
    let file = world.path("ping").display().to_string();
    world.with_job(&format!("steps = [\"sync\"]\nping_file = \"{file}\""))
}

#[test]
fn a_job_pings_when_it_begins_and_when_it_has_succeeded() {
    let receiver = PingReceiver::start(&[]);
    let world = pinging_world(&receiver);
    world.run_command("job run nightly").exits(0);
    assert_eq!(receiver.requests(), ["GET /s3cret-uuid/start", "POST /s3cret-uuid"]);
    let runs = receiver.runs();
    assert_eq!((runs[0].len(), &runs[0]), (36, &runs[1]));
    let body: serde_json::Value = serde_json::from_str(&receiver.last_body()).unwrap();
    assert_eq!((&body["job"], &body["steps"][0]["step"]), (&json!("nightly"), &json!("sync")));
}

#[test]
fn a_failure_is_pinged_as_one_and_quotes_nothing() {
    let receiver = PingReceiver::start(&[]);
    let world = pinging_world(&receiver);
    let fault = "POST /contacts/search status=400 body={\"message\":\"ada@example.com is wrong\"}";
    world.control_request("POST", "faults", &json!([fault]));
    let code = world.run_command("job run nightly").code;
    assert_ne!(code, 0);
    assert_eq!(receiver.requests(), ["GET /s3cret-uuid/start", "POST /s3cret-uuid/fail"]);
    let body = receiver.last_body();
    assert!(!body.contains("ada@") && body.contains(&format!("\"exit_code\":{code}")), "{body}");
}

#[test]
fn a_ping_is_tried_three_times_and_its_failure_is_a_warning_without_the_url() {
    let receiver = PingReceiver::start(&["500 Oops", "200 OK", "503 x", "502 y", "500 z"]);
    let world = pinging_world(&receiver);
    let done = world.run_command("job run nightly").exits(0);
    done.says("was pinged 3 times without success: it answered 500").does_not_say("s3cret");
    assert_eq!(receiver.requests().len(), 5);
}

#[test]
fn a_url_that_cannot_be_pinged_does_not_stop_the_job() {
    let world = World::new();
    world.write_private_file("ping", b"http://example.com/s3cret");
    let file = world.path("ping").display().to_string();
    let world = world.with_job(&format!("steps = [\"sync\"]\nping_file = \"{file}\""));
    let done = world.run_command("job run nightly").exits(0);
    done.says("the URL to ping: it must begin with `https://`").does_not_say("s3cret");
    std::fs::remove_file(world.path("ping")).unwrap();
    world.run_command("job run nightly").exits(0).says("the ping file `");
}

#[test]
fn a_command_can_print_the_url() {
    let receiver = PingReceiver::start(&[]);
    let job = format!("steps = [\"sync\"]\nping_command = [\"echo\", \"{}\"]", receiver.url);
    World::new().with_job(&job).run_command("job run nightly").exits(0);
    assert_eq!(receiver.requests().len(), 2);
    let job = format!("steps = [\"sync\"]\nping_command = \"echo {} | cat\"", receiver.url);
    World::new().with_job(&job).run_command("job run nightly").exits(0);
    assert_eq!(receiver.requests().len(), 4);
    let world = World::new().with_job("steps = [\"sync\"]\nping_command = [\"false\"]");
    world.run_command("job run nightly").exits(0).says("the ping command: it ended with");
}
