//! Tokens printed by a user's command, such as a vault client.
//!
//! The first line of its standard output is the token; no output is ever repeated. The command gets
//! no standard input and may run for one minute.

use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::error::AuthError;
use crate::api::{ApiErrorKind, BearerToken, TokenProvider, TokenUnavailable};
use crate::child_process::{CapturedOutput, ProgramError, capture_output};

/// How long a command may run.
const LIMIT: Duration = Duration::from_mins(1);
/// How much of its output is read, in bytes.
const MOST: u64 = 64 << 10;

/// Secrets of this program that the command has no use for.
const OWN_SECRETS: [&str; 4] =
    ["GHL_TOKEN", "GHL_CLIENT_SECRET", "GHL_BULK_PASSPHRASE", "GHL_BULK_WEBHOOK_SECRET"];
/// How long a word of letters and digits is that may be a secret.
const SHORTEST_SECRET: usize = 16;

/// How the command is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenCommand {
    /// A command line for `sh -c` (`cmd /C` on Windows).
    Shell(String),
    /// A program and its arguments, run without a shell.
    Program(Vec<String>),
}

impl TokenCommand {
    /// The program's name for messages, if it is certainly one: everything else may be a secret.
    fn program_name(&self) -> &str {
        let first = match self {
            // `KEY=secret vault read` begins with a secret.
            Self::Shell(line) => line.split_whitespace().find(|word| !word.contains('=')),
            Self::Program(all) => all.first().map(String::as_str),
        };
        let plain =
            |word: &&str| word.chars().all(|c| c.is_alphanumeric() || "-_./\\:~".contains(c));
        first.filter(plain).unwrap_or("…")
    }

    /// The process that it is, without this program's secrets in its environment.
    pub fn build_process(&self) -> tokio::process::Command {
        let (program, arguments) = match self {
            Self::Shell(line) if cfg!(windows) => ("cmd", vec!["/C", line]),
            Self::Shell(line) => ("sh", vec!["-c", line]),
            Self::Program(all) => {
                let program = all.first().map_or("", String::as_str);
                (program, all.iter().skip(1).map(String::as_str).collect())
            }
        };
        let mut command = tokio::process::Command::new(program);
        command.args(arguments);
        remove_own_secrets(&mut command);
        command
    }

    fn command_error(&self, why: impl std::fmt::Display) -> AuthError {
        AuthError::Command(format!("the token command `{}` {why}", self.program_name()))
    }
}

/// Takes this program's secrets out of the environment of a command.
pub(crate) fn remove_own_secrets(command: &mut tokio::process::Command) {
    for name in OWN_SECRETS {
        command.env_remove(name);
    }
}

/// Runs a command for a token. The error contains the end of the command's standard error.
pub async fn run_token_command(line: &TokenCommand) -> Result<BearerToken, AuthError> {
    let (output, complaint) = run_command(line).await?;
    let first = output.expose_secret().lines().next().unwrap_or_default();
    let none = |why| {
        line.command_error(format_args!(
            "printed no token: {why}{}",
            redacted_stderr(&complaint, first)
        ))
    };
    BearerToken::new(first).map_err(none)
}

/// Runs a command for a secret of any number of lines, such as the identities that decrypt backups.
pub async fn run_secret_command(line: &TokenCommand) -> Result<SecretString, AuthError> {
    run_command(line).await.map(|(output, _)| output)
}

/// The output of a command that succeeds, and its standard error.
async fn run_command(line: &TokenCommand) -> Result<(SecretString, String), AuthError> {
    let captured = capture_output(&mut line.build_process(), LIMIT, MOST).await;
    let CapturedOutput { status, output, complaint } =
        captured.map_err(|error| line.command_error(why_not_captured(&error)))?;
    if !status.success() {
        let first = output.expose_secret().lines().next().unwrap_or_default();
        let code = status.code().map_or("by a signal".to_owned(), |code| format!("with {code}"));
        let stderr = redacted_stderr(&complaint, first);
        return Err(line.command_error(format_args!("ended {code}{stderr}")));
    }
    Ok((output, complaint))
}

fn why_not_captured(error: &ProgramError) -> String {
    match error {
        ProgramError::NotStarted(error) => format!("cannot be started: {error}"),
        ProgramError::TimedOut(limit) => {
            format!("took longer than {} s and was killed", limit.as_secs())
        }
        error => format!("printed unreadable output: {error}"),
    }
}

/// A text in which every word that looks like a token is `…`: a Private Integration Token, a JWT, or a long word of
/// letters and digits.
fn mask_secrets(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~');
    let is_secret = |word: &str| {
        let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
        let is_random = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
        word.starts_with("pit-")
            || word.starts_with("eyJ")
            || (word.len() >= SHORTEST_SECRET && is_random)
            || word.len() >= 2 * SHORTEST_SECRET
    };
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        masked.push_str(if is_secret(word) { "…" } else { word });
        let other = after.find(is_part).unwrap_or(after.len());
        masked.push_str(&after[..other]);
        rest = &after[other..];
    }
    masked
}

/// The end of the standard error on one line, with the token and what looks like one removed.
fn redacted_stderr(complaint: &str, token: &str) -> String {
    const LONGEST: usize = 200;
    let token = token.trim();
    let text =
        if token.is_empty() { complaint.to_owned() } else { complaint.replace(token, "…") };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text = mask_secrets(&text).chars().map(plain).collect::<String>();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let long = text.chars().count().saturating_sub(LONGEST);
    match text.char_indices().nth(long) {
        None => String::new(),
        Some((0, _)) => format!(" ({text})"),
        Some((start, _)) => format!(" (…{})", &text[start..]),
    }
}

/// A token provider that runs a command: once, and once more when the API rejects the printed
/// token, because a vault may have rotated it.
#[derive(Debug)]
pub struct CommandTokenProvider {
    line: TokenCommand,
    cached: Mutex<Option<BearerToken>>,
}

impl CommandTokenProvider {
    /// A provider that has not run the command yet.
    #[must_use]
    pub fn new(line: TokenCommand) -> Self {
        Self { line, cached: Mutex::new(None) }
    }

    async fn request_token(&self) -> Result<BearerToken, TokenUnavailable> {
        let denied = |error: AuthError| TokenUnavailable {
            kind: ApiErrorKind::TokenSource,
            message: error.to_string(),
        };
        run_token_command(&self.line).await.map_err(denied)
    }
}

impl TokenProvider for CommandTokenProvider {
    fn rate_limit_identity(&self) -> String {
        // The token is not known without running the command: all commands of a location share one window.
        "command".to_owned()
    }

    fn current_token(&self) -> BoxFuture<'_, Result<BearerToken, TokenUnavailable>> {
        Box::pin(async {
            let mut cached = self.cached.lock().await;
            match &*cached {
                Some(token) => Ok(token.clone()),
                None => Ok(cached.insert(self.request_token().await?).clone()),
            }
        })
    }

    fn replace_rejected_token<'a>(
        &'a self,
        refused: &'a BearerToken,
    ) -> BoxFuture<'a, Result<Option<BearerToken>, TokenUnavailable>> {
        Box::pin(async move {
            let mut cached = self.cached.lock().await;
            if let Some(token) = cached.as_ref().filter(|token| *token != refused) {
                return Ok(Some(token.clone()));
            }
            let token = self.request_token().await?;
            *cached = Some(token.clone());
            Ok(Some(token).filter(|token| token != refused))
        })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell_command(line: &str) -> TokenCommand {
        TokenCommand::Shell(line.to_owned())
    }

    fn program_command(all: &[&str]) -> TokenCommand {
        TokenCommand::Program(all.iter().map(|&one| one.to_owned()).collect())
    }

    fn token_text(token: &BearerToken) -> &str {
        token.secret().expose_secret()
    }

    #[tokio::test]
    async fn the_first_line_is_the_token() {
        let token = run_token_command(&shell_command("printf 'pit-a\\nmore\\n'; echo x >&2"))
            .await
            .unwrap();
        assert_eq!(token_text(&token), "pit-a");
        let token =
            run_token_command(&program_command(&["printf", "%s", "pit-$HOME"])).await.unwrap();
        assert_eq!(token_text(&token), "pit-$HOME", "no shell has seen it");
    }

    #[test]
    fn messages_name_the_program_and_nothing_that_may_be_a_secret() {
        assert_eq!(shell_command("pass show highlevel").program_name(), "pass");
        assert_eq!(shell_command("KEY=secret /bin/vault read").program_name(), "/bin/vault");
        assert_eq!(shell_command("KEY='se cret' vault read").program_name(), "…");
        assert_eq!(program_command(&["/bin/my vault", "secret"]).program_name(), "…");
    }

    #[tokio::test]
    async fn a_failure_shows_stderr_and_never_the_output() {
        let cases = [
            ("echo pit-a; printf 'vault \\033[2J sealed: pit-a' >&2; exit 3", "ended with 3"),
            ("true", "printed no token: it is empty"),
            ("echo two words pit-a", "printed no token"),
            ("kill -9 $$", "ended by a signal"),
        ];
        for (line, part) in cases {
            let message = run_token_command(&shell_command(line)).await.unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
            assert!(!message.contains("pit-a") && !message.contains('\u{1b}'), "{message}");
        }
        let message = run_token_command(&shell_command(cases[0].0)).await.unwrap_err().to_string();
        assert!(message.ends_with("(vault [2J sealed: …)"), "{message}");
        let message =
            run_token_command(&program_command(&["/no/such/vault"])).await.unwrap_err().to_string();
        assert!(message.contains("`/no/such/vault` cannot be started"), "{message}");
    }

    #[tokio::test]
    async fn a_refused_token_is_asked_for_once_more() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let line = format!("echo x >> {0}; wc -l < {0}", count.display());
        let source = CommandTokenProvider::new(shell_command(&line));
        let first = source.current_token().await.unwrap();
        assert_eq!(token_text(&source.current_token().await.unwrap()), "1");
        let second = source.replace_rejected_token(&first).await.unwrap().unwrap();
        assert_eq!(token_text(&second), "2");
        let late = source.replace_rejected_token(&first).await.unwrap().unwrap();
        assert_eq!(token_text(&late), "2", "another task has had it renewed");
        let same = CommandTokenProvider::new(shell_command("echo same"));
        let cached = same.current_token().await.unwrap();
        assert_eq!(same.replace_rejected_token(&cached).await.unwrap(), None);
    }
}
