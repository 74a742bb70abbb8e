//! A login through the browser, with an app of the user's own (api.md §9).
//!
//! The listener is there before the browser opens, and the code is exchanged only when it came with our
//! state, or was pasted by the user. The caller stores the resulting tokens.

use std::io::{self, IsTerminal as _, Write as _};

use reqwest::Url;
use secrecy::SecretString;

use super::args::OauthAppArgs;
use super::authorize::{AuthorizationRequest, AuthorizationResponse, OauthState};
use super::browser;
use super::loopback::{LoopbackListener, interrupted_error};
use crate::api::{OauthApp, OauthClient, OauthError, OauthErrorKind, UserType};
use crate::auth::OauthLogin;
use crate::cli::account::{prompt, secret_source};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::can_ask;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::event::CancelSignal;
use crate::text::escape_for_terminal;

/// An app, its authorisation page, and the redirect URL.
#[derive(Debug)]
pub(super) struct OauthLoginFlow<'a> {
    args: &'a OauthAppArgs,
    app: OauthApp,
    api: &'a str,
    page: Url,
    redirect: Url,
    oauth: OauthClient,
}

impl<'a> OauthLoginFlow<'a> {
    /// Prepares the login before any request. Asks for the app's secret where it is not given.
    pub(super) fn new(
        args: &'a OauthAppArgs,
        settings: &Settings,
        api: &'a str,
    ) -> Result<Self, CliError> {
        let client_id = args.client_id()?;
        let redirect = args.validated_redirect_url()?;
        let page = args.authorization_page(api)?;
        let oauth = OauthClient::new(api, &settings.transport)
            .map_err(|error| CliError::usage(error.to_string()))?;
        let app = OauthApp { client_id, client_secret: read_client_secret()? };
        Ok(Self { args, app, api, page, redirect, oauth })
    }

    /// Has the person asked, and exchanges the answer.
    pub(super) fn log_in(
        self,
        settings: &Settings,
        screen: &CliReporter,
    ) -> Result<OauthLogin, CliError> {
        let state = OauthState::new()?;
        let address = self.authorization_request(&state).to_url();
        if self.args.paste {
            print_url(
                "open this address, and paste the address at which the browser ends:",
                &address,
            );
            let prompt = if io::stdin().is_terminal() { "address or code: " } else { "" };
            let answer = AuthorizationResponse::from_paste(&prompt::prompt_line(prompt)?, &state);
            return signals::block_on(settings.deadline, screen, |stop| async move {
                self.exchange_code(code_from_response(answer, true)?, &stop).await
            });
        }
        signals::block_on(settings.deadline, screen, |stop| async move {
            let loopback = LoopbackListener::bind(&self.redirect).await?;
            self.open_page(&address);
            let answer = loopback.wait_for_response(state, self.args.answer_within, &stop).await?;
            self.exchange_code(code_from_response(answer, false)?, &stop).await
        })
    }

    fn authorization_request<'b>(&'b self, state: &'b OauthState) -> AuthorizationRequest<'b> {
        AuthorizationRequest {
            page: &self.page,
            client_id: &self.app.client_id,
            redirect_uri: self.args.redirect_uri(),
            scopes: self.args.requested_scopes(),
            state,
        }
    }

    /// Opens the browser, or asks the person to do so.
    fn open_page(&self, address: &Url) {
        let here = io::stderr().is_terminal() && !self.args.no_browser;
        if here && browser::open_url(address) {
            print_url(
                "the browser should show this address; choose there, and come back:",
                address,
            );
        } else {
            print_url("open this address in a browser on this machine:", address);
        }
    }

    async fn exchange_code(
        self,
        code: SecretString,
        stop: &CancelSignal,
    ) -> Result<OauthLogin, CliError> {
        let user_type = if self.args.agency { UserType::Company } else { UserType::Location };
        let redirect_uri = self.args.redirect_uri();
        let asked = self.oauth.exchange_code(&self.app, &code, Some(redirect_uri), user_type);
        let grant = tokio::select! {
            grant = asked => grant.map_err(|error| exchange_error(&error))?,
            () = stop.wait_for_cancel() => return Err(interrupted_error(stop)),
        };
        let mut login = OauthLogin::new(self.app, grant, self.api.to_owned());
        login.authorize_url = Some(self.page.into());
        login.redirect_uri = Some(redirect_uri.to_owned());
        Ok(login)
    }
}

/// The app's secret: of the environment, or typed in.
fn read_client_secret() -> Result<SecretString, CliError> {
    if let Some(secret) = secret_source::from_env("GHL_CLIENT_SECRET")? {
        use secrecy::ExposeSecret as _;
        return Ok(secret.expose_secret().trim().into());
    }
    if can_ask() {
        return prompt::prompt_secret("Client secret (not shown): ");
    }
    Err(CliError::new(CliExitCode::Access, "the app's client secret is not given").with_hint(
        "set `GHL_CLIENT_SECRET`, or `GHL_CLIENT_SECRET_FILE` to a file that only you can read",
    ))
}

/// Shows an address, also with `--quiet` and `--json`: the login cannot continue without it.
fn print_url(what: &str, address: &Url) {
    let mut err = io::stderr().lock();
    // When stderr is closed, the browser may have opened all the same.
    let _ = writeln!(err, "{what}\n\n  {}\n", escape_for_terminal(address.as_str()));
}

/// The code of an answer, or the reason that it has no code.
fn code_from_response(
    answer: AuthorizationResponse,
    pasted: bool,
) -> Result<SecretString, CliError> {
    let refused = |message: &str| CliError::new(CliExitCode::Access, message);
    match answer {
        AuthorizationResponse::Code(code) => Ok(code),
        AuthorizationResponse::Stateless(code) if pasted => Ok(code),
        AuthorizationResponse::Stateless(_) => Err(refused(
            "the answer came without the `state` that was sent, so its sender is unknown; nothing was \
             exchanged",
        )
        .with_hint(
            "an app that an agency installs for many locations at once loses it: run the command again \
             with `--paste`",
        )),
        AuthorizationResponse::Foreign => Err(refused(
            "the answer has another `state` than was sent: it belongs to another login, or someone else \
             sent it; nothing was exchanged",
        )
        .with_hint("run the command again, and open only the address that it prints")),
        AuthorizationResponse::Refused(said) => Err(refused(&format!("the login was denied: {said}"))
            .with_hint("nothing was stored; allow it on the page, or check the scopes that the app has")),
        AuthorizationResponse::Empty => Err(refused("the response has no code")
            .with_hint("it follows `code=` in the address at which the browser ends")),
    }
}

fn exchange_error(error: &OauthError) -> CliError {
    match error.kind {
        OauthErrorKind::Unreachable => CliError::usage(format!("the API cannot be reached: {error}"))
            .with_hint("check the network and `--api-url`; then log in again"),
        OauthErrorKind::Failed => CliError::usage(format!("the code was not exchanged: {error}"))
            .with_hint("log in again: the code may be used up"),
        _ => CliError::new(CliExitCode::Access, format!("the code was refused: {error}")).with_hint(
            "a code works once and for some minutes, with the app's own secret and the redirect address \
             that is registered; log in again",
        ),
    }
}
