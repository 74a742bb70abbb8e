//! Responses that the API has not sent or that something on the way has changed, and a token that is rejected once.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::altered_answers::{AlteredAnswer, SeenRequest, alter_answers};
use crate::export_files::ExportFiles;
use crate::raw_http::search_contacts;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

const BLOCKED: &str = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>\
    <body><h1>Sorry, you have been blocked</h1></body></html>";

/// A world whose first answers to some requests are changed.
fn change_first(
    times: usize,
    is_changed: impl Fn(&SeenRequest) -> bool + Send + Sync + 'static,
    change: impl Fn(&mut AlteredAnswer) + Send + Sync + 'static,
) -> World {
    let left = AtomicUsize::new(times);
    alter_answers(World::new(), move |request, answer| {
        let take = |left: usize| left.checked_sub(1);
        if is_changed(request)
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
        {
            change(answer);
        }
    })
}

#[track_caller]
fn exports_everything(world: &World) {
    world.run_command(EXPORT).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(world, "out"));
}

#[test]
fn a_byte_order_mark_before_every_body_changes_nothing() {
    exports_everything(&alter_answers(World::new(), |_, answer| {
        answer.body.splice(0..0, *b"\xEF\xBB\xBF");
    }));
}

#[test]
fn a_block_page_for_one_search_is_retried() {
    let search = |request: &SeenRequest| request.is("POST", "/contacts/search");
    exports_everything(&change_first(1, search, |answer| answer.replace_with_page(403, BLOCKED)));
}

#[test]
fn a_block_page_for_some_notes_is_retried() {
    let notes = |request: &SeenRequest| request.is("GET", "/notes");
    let change = |answer: &mut AlteredAnswer| answer.replace(403, "error code: 1015");
    exports_everything(&change_first(3, notes, change));
}

/// Every answer to a search is replaced: the export ends with these words.
#[track_caller]
fn ends_with(words: &[&str], change: impl Fn(&mut AlteredAnswer) + Send + Sync + 'static) {
    let world = alter_answers(World::new(), move |request, answer| {
        if request.is("POST", "/contacts/search") {
            change(answer);
        }
    });
    let mut done = world.run_command(EXPORT).exits(2);
    for part in words {
        done = done.says(part);
    }
    done.says("resume: ghl-bulk resume ");
}

#[test]
fn a_ban_of_cloudflare_is_named_and_not_tried_again() {
    let world = alter_answers(World::new(), |request, answer| {
        if request.is("POST", "/contacts/search") {
            answer.replace(403, "error code: 1010");
            answer.set_header("cf-ray", "8c1f2ab34-FRA");
        }
    });
    let done = world.run_command(EXPORT).exits(2);
    done.says("Cloudflare").says("error 1010").says("Ray ID 8c1f2ab34-FRA").says("another network");
    let log = world.get_control("log");
    let searches = log["entries"].as_array().unwrap().iter();
    assert_eq!(searches.filter(|entry| entry["path"] == "/contacts/search").count(), 1);
}

#[test]
fn a_sign_in_page_of_the_network_is_named() {
    ends_with(&["sign-in page (`Hotel Login`)", "sign in to the network"], |answer| {
        answer.replace_with_page(200, "<html><head><title>Hotel Login</title></head></html>");
    });
}

#[test]
fn a_network_that_wants_a_sign_in_is_named() {
    ends_with(&["511", "the network wants a sign-in"], |answer| answer.replace(511, ""));
}

#[test]
fn a_proxy_that_wants_a_password_is_named() {
    ends_with(&["407", "the proxy requires a user name and password"], |answer| {
        answer.replace_with_page(407, "<html><head><title>ERROR</title></head></html>");
    });
}

#[test]
fn a_web_filter_is_named() {
    ends_with(&["a page of a proxy or web filter (`Blocked`)", "NO_PROXY"], |answer| {
        let page = "<html><head><title>Blocked</title></head>Category: business. Squid</html>";
        answer.replace_with_page(403, page);
    });
}

#[test]
fn an_encoding_that_was_not_asked_for_is_named() {
    ends_with(&["encoded as `br`", "a proxy on the way"], |answer| {
        answer.set_header("content-encoding", "br");
    });
}

#[test]
fn a_version_that_the_api_has_ended_needs_an_update() {
    let world = alter_answers(World::new(), |_, answer| {
        let message = "The API version 2021-07-28 is no longer supported";
        answer.replace(401, json!({"statusCode": 401, "message": message}).to_string());
    });
    world.run_command(EXPORT).exits(2).says("no longer supported").says("update ghl-bulk");
}

#[test]
fn a_token_that_is_rejected_once_in_a_run_is_tried_once_more() {
    let notes = |request: &SeenRequest| request.is("GET", "/notes");
    let world = change_first(1, notes, |answer| {
        let body = json!({"statusCode": 401, "message": "Invalid JWT", "error": "Unauthorized"});
        answer.replace(401, body.to_string());
    });
    exports_everything(&world);
}

#[test]
fn a_write_whose_token_is_rejected_once_is_sent_once_more() {
    let world = World::with_faults(&["POST /contacts/bulk/tags/update/add token-expired times=1"]);
    let contacts = search_contacts(&world, &json!([]));
    let contact = contacts[0]["id"].as_str().unwrap();
    std::fs::write(world.path("tags.csv"), format!("Contact Id,Tags\n{contact},seen\n")).unwrap();
    world.run_command("import tags.csv --mode tag --yes").exits(0);
    let tagged = json!([{"field": "tags", "operator": "eq", "value": "seen"}]);
    assert_eq!(search_contacts(&world, &tagged).len(), 1);
}
