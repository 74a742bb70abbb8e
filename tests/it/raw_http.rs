//! Requests to the sandbox over a plain socket, independent of the program's client.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ghl_bulk::sandbox;
use serde_json::{Value, json};

use crate::world::World;

/// A client of the sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawClient<'a> {
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    pub(crate) version: &'a str,
}

/// A response.
#[derive(Debug)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    /// The headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl<'a> RawClient<'a> {
    /// A client whose token has every scope.
    pub(crate) fn new(url: &'a str) -> Self {
        Self { url, token: sandbox::TOKEN, version: "2021-07-28" }
    }

    /// The same with another token.
    pub(crate) fn with_token(self, token: &'a str) -> Self {
        Self { token, ..self }
    }

    /// Sends a request; `null` means no body.
    pub(crate) fn send_request(&self, method: &str, path: &str, body: &Value) -> RawResponse {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("Version", self.version),
            ("Authorization", &bearer),
            ("Content-Type", "application/json"),
        ];
        send_raw_request(self.url, method, path, &headers, &body)
    }
}

/// Sends a request with these headers and no other, and reads the answer.
pub(crate) fn send_raw_request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> RawResponse {
    let host = url.strip_prefix("http://").unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "{head}\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    read(&answer)
}

fn read(answer: &str) -> RawResponse {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    RawResponse {
        status,
        headers: headers.collect(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}

/// All rows of a list that a route gives at once.
pub(crate) fn list_rows(world: &World, path: &str, key: &str) -> Vec<Value> {
    let answer = RawClient::new(world.url()).send_request("GET", path, &Value::Null);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body[key].as_array().unwrap().clone()
}

/// All rows that the contact search finds.
pub(crate) fn search_contacts(world: &World, filters: &Value) -> Vec<Value> {
    let location = sandbox::LOCATION;
    let sort = json!([{"field": "dateAdded", "direction": "asc"}]);
    let body = json!({"locationId": location, "pageLimit": 500, "filters": filters, "sort": sort});
    pages(world, "/contacts/search", "contacts", body)
}

/// All rows that the task search finds.
pub(crate) fn search_tasks(world: &World) -> Vec<Value> {
    let path = format!("/locations/{}/tasks/search", sandbox::LOCATION);
    pages(world, &path, "tasks", json!({"limit": 500}))
}

fn pages(world: &World, path: &str, key: &str, mut body: Value) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let mut answer = RawClient::new(world.url()).send_request("POST", path, &body).body;
        let Some(Value::Array(page)) = answer.get_mut(key).map(Value::take) else {
            panic!("{path}: {answer}");
        };
        let Some(last) = page.last() else { return rows };
        body["searchAfter"] = last["searchAfter"].clone();
        rows.extend(page);
    }
}
