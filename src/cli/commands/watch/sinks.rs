//! The sinks that the command line names.

use std::path::Path;

use secrecy::ExposeSecret as _;

use super::WatchArgs;
use crate::cli::account::secret_source;
use crate::cli::output::error::CliError;
use crate::cli::settings::Settings;
use crate::text::escape_for_terminal;
use crate::watch::{ExecSink, JsonLinesSink, PostSink, Sink, WebhookSecret};

/// The variable with the secret of webhooks; with `_FILE`, that of a file with it.
const SECRET: &str = "GHL_BULK_WEBHOOK_SECRET";
/// The file name that is standard output.
const STDOUT: &str = "-";

/// Opens the sinks; standard output if none is named.
pub(super) fn open_sinks(args: &WatchArgs, settings: &Settings) -> Result<Vec<Sink>, CliError> {
    let mut sinks = Vec::new();
    for file in &args.jsonl {
        sinks.push(open_json_lines(file, settings)?);
    }
    let secret = if args.post.is_empty() { None } else { read_secret()? };
    for url in &args.post {
        sinks.push(open_post(url, secret.clone(), settings)?);
    }
    if !args.exec.is_empty() {
        sinks.push(Sink::Exec(ExecSink::new(args.exec.clone(), args.exec_timeout)));
    }
    if sinks.is_empty() {
        sinks.push(open_json_lines(Path::new(STDOUT), settings)?);
    }
    let mut names: Vec<&str> = sinks.iter().map(Sink::name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(CliError::usage("a sink is named twice"));
    }
    Ok(sinks)
}

fn open_json_lines(file: &Path, settings: &Settings) -> Result<Sink, CliError> {
    if file != Path::new(STDOUT) {
        let opened = JsonLinesSink::open(file);
        let refuse =
            |error| CliError::usage(format!("`{}` cannot be opened: {error}", file.display()));
        return opened.map(Sink::JsonLines).map_err(refuse);
    }
    if settings.json {
        return Err(CliError::usage("`--json` and the events would both be on standard output")
            .with_hint(
                "send the events elsewhere: `--jsonl FILE`, `--post URL` or `--exec COMMAND`",
            ));
    }
    Ok(Sink::JsonLines(JsonLinesSink::to_stdout(Box::new(std::io::stdout()))))
}

fn open_post(
    url: &str,
    secret: Option<WebhookSecret>,
    settings: &Settings,
) -> Result<Sink, CliError> {
    let refuse = |error| {
        // The path may be a secret.
        let shown = url.split('/').take(3).collect::<Vec<_>>().join("/");
        CliError::usage(format!(
            "events cannot be posted to `{}`: {error}",
            escape_for_terminal(&shown)
        ))
    };
    let sink = PostSink::new(url, secret, &settings.transport).map_err(refuse)?;
    Ok(Sink::Post(Box::new(sink)))
}

/// The secret by which webhooks are signed, if there is one.
fn read_secret() -> Result<Option<WebhookSecret>, CliError> {
    let Some(text) = secret_source::from_env(SECRET)? else { return Ok(None) };
    let refuse = |why| CliError::usage(format!("`{SECRET}`: {why}"));
    text.expose_secret().parse().map(Some).map_err(refuse)
}
