//! The OAuth endpoints against a server that answers what the test wrote down for it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::api::{
    BearerToken, HttpOptions, OauthApp, OauthClient, OauthError, OauthErrorKind, OauthGrant,
    ReconnectTarget, UserType,
};

/// A server that gives each connection the next of its answers, and the requests it has read.
fn serve(answers: Vec<String>) -> (OauthClient, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            requests.push(request(&mut stream));
            stream.write_all(answer.as_bytes()).unwrap();
        }
        requests
    });
    (oauth(&url), requests)
}

fn oauth(url: &str) -> OauthClient {
    let patience = Duration::from_secs(5);
    let transport = HttpOptions { patience, connect: patience, ca_file: None, allow_http: false };
    OauthClient::new(url, &transport).unwrap()
}

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

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn app() -> OauthApp {
    let client_secret = SecretString::from("the secret/+");
    OauthApp { client_id: "6578278e-lq3".to_owned(), client_secret }
}

async fn refresh(oauth: &OauthClient) -> Result<OauthGrant, OauthError> {
    oauth
        .exchange_refresh_token(&app(), &SecretString::from("refresh-one"), UserType::Location)
        .await
}

#[track_caller]
fn check_grant(grant: &OauthGrant) {
    assert_eq!(grant.access.secret().expose_secret(), "access-two");
    assert_eq!(grant.refresh.as_ref().unwrap().expose_secret(), "refresh-two");
    assert_eq!(grant.scopes, ["contacts.readonly", "contacts.write"]);
    assert_eq!(grant.user_type, UserType::Company);
    assert_eq!(grant.company.as_ref().unwrap().as_str(), "acme");
    assert_eq!(grant.location.as_ref().unwrap().as_str(), "here");
    assert_eq!(grant.lifetime(), Duration::from_secs(86_399));
}

#[tokio::test]
async fn a_form_is_sent_and_both_spellings_of_the_answer_are_read() {
    let v2 = r#"{"access_token":"access-two","token_type":"Bearer","expires_in":86399,
        "refresh_token":"refresh-two","scope":"contacts.readonly contacts.write",
        "userType":"Company","companyId":"acme","locationId":"here","userId":"ada"}"#;
    let v3 = r#"{"accessToken":"access-two","expiresIn":"86399","refreshToken":"refresh-two",
        "scope":["contacts.readonly","contacts.write"],"userType":"Company",
        "companyId":"acme","locationId":"here"}"#;
    let (oauth, requests) = serve(vec![answer("200 OK", v2), answer("201 Created", v3)]);
    check_grant(&refresh(&oauth).await.unwrap());
    let code = SecretString::from("a code");
    let redirect = Some("http://localhost:1/x");
    check_grant(&oauth.exchange_code(&app(), &code, redirect, UserType::Company).await.unwrap());
    let requests = requests.join().unwrap();
    assert!(requests[0].starts_with("POST /oauth/token HTTP/1.1"), "{}", requests[0]);
    assert!(requests[0].contains("content-type: application/x-www-form-urlencoded"));
    assert!(requests[0].ends_with(
        "client_id=6578278e-lq3&client_secret=the%20secret%2F%2B&grant_type=refresh_token\
         &user_type=Location&refresh_token=refresh-one"
    ));
    assert!(requests[1].ends_with(
        "&grant_type=authorization_code&user_type=Company&code=a%20code\
         &redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fx"
    ));
}

#[tokio::test]
async fn a_token_ends_by_this_machines_clock_whatever_the_servers_says() {
    let body = r#"{"access_token":"a","expires_in":3600}"#;
    let hour_ahead = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = hour_ahead.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let dated = answer("200 OK", body).replace("\r\nconn", &format!("\r\ndate: {date}\r\nconn"));
    let (oauth, _requests) = serve(vec![dated]);
    let before = Timestamp::now();
    let grant = refresh(&oauth).await.unwrap();
    assert!(grant.obtained >= before && grant.obtained <= Timestamp::now());
    assert_eq!(grant.lifetime(), Duration::from_hours(1));
    assert_eq!(grant.user_type, UserType::Location);
}

#[tokio::test]
async fn a_refusal_tells_what_the_server_said_without_what_was_sent() {
    let bodies = [
        (r#"{"statusCode":400,"message":"Invalid grant: refresh-one is invalid"}"#, "is invalid"),
        (r#"{"error":"invalid_grant","error_description":"x"}"#, "invalid_grant"),
        (r#"{"error":{"code":"X","message":"client the secret/+ unknown"}}"#, "client … unknown"),
        ("sent: the%20secret%2F%2B", "sent: …"),
    ];
    let answers = bodies.iter().map(|(body, _)| answer("400 Bad Request", body)).collect();
    let (oauth, _requests) = serve(answers);
    for (_, part) in bodies {
        let error = refresh(&oauth).await.unwrap_err();
        assert_eq!((error.kind, error.status), (OauthErrorKind::Refused, Some(400)));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(part), "{shown}");
        assert!(!shown.contains("refresh-one") && !shown.contains("the secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_single_use_token_is_sent_again_only_when_it_was_not_looked_at() {
    let (oauth, requests) = serve(vec![answer("502 Bad Gateway", "<html>"), String::new()]);
    assert_eq!(refresh(&oauth).await.unwrap_err().kind, OauthErrorKind::Failed);
    assert_eq!(
        refresh(&oauth).await.unwrap_err().kind,
        OauthErrorKind::Failed,
        "the answer was lost"
    );
    assert_eq!(requests.join().unwrap().len(), 2);
    let limited = answer("429 Too Many Requests", "").replace("conn", "retry-after: 0\r\nconn");
    let granted = answer("200 OK", r#"{"access_token":"a"}"#);
    let (oauth, requests) = serve(vec![limited.clone(), limited, granted]);
    assert!(refresh(&oauth).await.is_ok());
    assert_eq!(requests.join().unwrap().len(), 3);
}

#[tokio::test]
async fn what_may_be_executed_twice_is_sent_again_after_a_failure() {
    let lost = String::new();
    let broken = answer("502 Bad Gateway", "<html>");
    let granted = answer("200 OK", r#"{"access_token":"a","locationId":"here"}"#);
    let (oauth, requests) = serve(vec![broken, lost, granted]);
    let (token, company) = (BearerToken::new("t").unwrap(), "acme".parse().unwrap());
    let location = "here".parse().unwrap();
    assert!(oauth.fetch_location_token(&token, &company, &location).await.is_ok());
    assert_eq!(requests.join().unwrap().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_neither_followed_nor_repeated() {
    let redirect = answer("302 Found", "");
    let redirect = redirect.replace("conn", "location: https://other.example/?refresh-one\r\nconn");
    let (oauth, requests) = serve(vec![redirect]);
    let error = refresh(&oauth).await.unwrap_err();
    assert_eq!((error.kind, error.status), (OauthErrorKind::Failed, Some(302)));
    assert!(error.message.starts_with("a redirect to `other.example`"), "{error}");
    assert!(!error.message.contains("refresh-one"), "{error}");
    assert_eq!(requests.join().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_a_failure() {
    let bodies = ["{}", "[]", "", "<html>", r#"{"access_token":"a b"}"#, r#"{"access_token":1.5"#];
    let (oauth, _requests) = serve(bodies.map(|body| answer("200 OK", body)).to_vec());
    for body in bodies {
        assert_eq!(refresh(&oauth).await.unwrap_err().kind, OauthErrorKind::Failed, "{body}");
    }
}

#[tokio::test]
async fn where_nothing_listens_the_server_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(refresh(&oauth(&url)).await.unwrap_err().kind, OauthErrorKind::Unreachable);
}

#[tokio::test]
async fn a_companys_token_lists_all_pages_of_locations() {
    let page = |ids: &[&str]| {
        let rows: Vec<_> =
            ids.iter().map(|id| format!(r#"{{"_id":"{id}","name":"N{id}"}}"#)).collect();
        answer("200 OK", &format!(r#"{{"locations":[{}],"count":5}}"#, rows.join(",")))
    };
    let (oauth, requests) = serve(vec![page(&["a", "b"]), page(&["b", "c"]), page(&[])]);
    let token = BearerToken::new("company-token").unwrap();
    let company = "acme".parse().unwrap();
    let all = oauth.list_installed_locations(&token, &company, "6578").await.unwrap();
    assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let requests = requests.join().unwrap();
    let asked = "companyId=acme&appId=6578&isInstalled=true&limit=100&skip=";
    for (request, skip) in requests.iter().zip([0, 2, 4]) {
        assert!(request.contains(&format!("{asked}{skip} ")), "{request}");
        assert!(request.contains("authorization: Bearer company-token"), "{request}");
    }
}

#[tokio::test]
async fn a_server_that_gives_the_same_page_for_ever_is_not_asked_for_ever() {
    let page = answer("200 OK", r#"{"items":[{"id":"a","name":"A"}],"pagination":{}}"#);
    let (oauth, _requests) = serve(vec![page.clone(), page]);
    let (token, company) = (BearerToken::new("t").unwrap(), "acme".parse().unwrap());
    assert_eq!(oauth.list_installed_locations(&token, &company, "6578").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bearers_refusals_are_distinguished() {
    let ended = r#"{"statusCode":401,"message":"Invalid JWT"}"#;
    let scope = r#"{"statusCode":401,"message":"The token is not authorized for this scope."}"#;
    let other = r#"{"access_token":"a","locationId":"there"}"#;
    let answers = vec![
        answer("401 Unauthorized", ended),
        answer("401 Unauthorized", scope),
        answer("403 Forbidden", "{}"),
        answer("200 OK", other),
    ];
    let (oauth, _requests) = serve(answers);
    let (token, company) = (BearerToken::new("t").unwrap(), "acme".parse().unwrap());
    let location = "here".parse().unwrap();
    for kind in [
        OauthErrorKind::Token,
        OauthErrorKind::Scope,
        OauthErrorKind::Refused,
        OauthErrorKind::Failed,
    ] {
        let error = oauth.fetch_location_token(&token, &company, &location).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_new_authorisation_is_asked_for_as_json() {
    let answers = vec![answer("200 OK", r#"{"authorizationCode":"the-code"}"#)];
    let (oauth, requests) = serve(answers);
    let code = oauth
        .request_reconnect_code(&app(), &ReconnectTarget::Location("here".parse().unwrap()))
        .await;
    assert_eq!(code.unwrap().expose_secret(), "the-code");
    let request = &requests.join().unwrap()[0];
    assert!(request.contains("content-type: application/json"), "{request}");
    let body: serde_json::Value =
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let expected = serde_json::json!({
        "clientKey": "6578278e-lq3", "clientSecret": "the secret/+", "locationId": "here",
    });
    assert_eq!(body, expected);
}
