//! A login through the browser, with an app of the user's own (api.md §9).
//!
//! The listener is there before the browser opens, and the code is exchanged only when it came with our
//! state, or was pasted by the person who sits here. What comes of it is stored by the caller.

use std::io::{self, IsTerminal as _, Write as _};

use reqwest::Url;
use secrecy::SecretString;

use super::args::AppArgs;
use super::authorize::{Answer, Ask, State};
use super::browser;
use super::loopback::{Loopback, interrupted};
use crate::api::{App, Oauth, OauthError, OauthKind, UserType};
use crate::auth::Login;
use crate::cli::account::{prompt, secret_source};
use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::cli::signals;
use crate::event::Stop;

/// An app, the page that asks for it, and where the answer goes.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    args: &'a AppArgs,
    app: App,
    api: &'a str,
    page: Url,
    redirect: Url,
    oauth: Oauth,
}

impl<'a> Flow<'a> {
    /// Everything that can be known before anybody is asked. Asks for the app's secret where it is not given.
    pub(super) fn new(args: &'a AppArgs, global: &Global, api: &'a str) -> Result<Self, Failure> {
        let client_id = args.client_id()?;
        let redirect = args.redirect()?;
        let page = args.page(api)?;
        let oauth = Oauth::new(api, &global.transport())
            .map_err(|error| Failure::usage(error.to_string()))?;
        let app = App { client_id, client_secret: client_secret()? };
        Ok(Self { args, app, api, page, redirect, oauth })
    }

    /// Has the person asked, and exchanges the answer.
    pub(super) fn log_in(self, global: &Global, screen: &Screen) -> Result<Login, Failure> {
        let state = State::new()?;
        let address = self.ask(&state).address();
        if self.args.paste {
            tell("open this address, and paste the address at which the browser ends:", &address);
            let prompt = if io::stdin().is_terminal() { "address or code: " } else { "" };
            let answer = Answer::of_paste(&prompt::line(prompt)?, &state);
            return signals::block_on(global.deadline, screen, |stop| async move {
                self.exchange(code(answer, true)?, &stop).await
            });
        }
        signals::block_on(global.deadline, screen, |stop| async move {
            let loopback = Loopback::open(&self.redirect).await?;
            self.send_there(&address);
            let answer = loopback.answer(state, self.args.answer_within, &stop).await?;
            self.exchange(code(answer, false)?, &stop).await
        })
    }

    fn ask<'b>(&'b self, state: &'b State) -> Ask<'b> {
        Ask {
            page: &self.page,
            client_id: &self.app.client_id,
            redirect_uri: self.args.redirect_uri(),
            scopes: self.args.scopes(),
            state,
        }
    }

    /// Opens the browser, or asks the person to do so.
    fn send_there(&self, address: &Url) {
        let here = io::stderr().is_terminal() && !self.args.no_browser;
        if here && browser::open(address) {
            tell("the browser should show this address; choose there, and come back:", address);
        } else {
            tell("open this address in a browser on this machine:", address);
        }
    }

    async fn exchange(self, code: SecretString, stop: &Stop) -> Result<Login, Failure> {
        let user_type = if self.args.agency { UserType::Company } else { UserType::Location };
        let redirect_uri = self.args.redirect_uri();
        let asked = self.oauth.exchange(&self.app, &code, Some(redirect_uri), user_type);
        let grant = tokio::select! {
            grant = asked => grant.map_err(|error| not_exchanged(&error))?,
            () = stop.wait() => return Err(interrupted(stop)),
        };
        let mut login = Login::new(self.app, grant, self.api.to_owned());
        login.authorize_url = Some(self.page.into());
        login.redirect_uri = Some(redirect_uri.to_owned());
        Ok(login)
    }
}

/// The app's secret: of the environment, or typed in.
fn client_secret() -> Result<SecretString, Failure> {
    if let Some(secret) = secret_source::of_environment("GHL_CLIENT_SECRET")? {
        use secrecy::ExposeSecret as _;
        return Ok(secret.expose_secret().trim().into());
    }
    if prompt::possible() {
        return prompt::ask("Client secret (not shown): ");
    }
    Err(Failure::new(Code::Access, "the app's client secret is not given").hint(
        "set `GHL_CLIENT_SECRET`, or `GHL_CLIENT_SECRET_FILE` to a file that only you can read",
    ))
}

/// Shows an address, also under `--quiet` and `--json`: without it nothing goes on.
fn tell(what: &str, address: &Url) {
    let mut err = io::stderr().lock();
    // When stderr is closed, the browser may have opened all the same.
    let _ = writeln!(err, "{what}\n\n  {}\n", safe(address.as_str()));
}

/// The code of an answer, or why there is none to exchange.
fn code(answer: Answer, pasted: bool) -> Result<SecretString, Failure> {
    let refused = |message: &str| Failure::new(Code::Access, message);
    match answer {
        Answer::Code(code) => Ok(code),
        Answer::Stateless(code) if pasted => Ok(code),
        Answer::Stateless(_) => Err(refused(
            "the answer came without the `state` that was sent, so nobody knows who sent it; nothing was \
             exchanged",
        )
        .hint(
            "an app that an agency installs for many locations at once loses it: give the command again \
             with `--paste`",
        )),
        Answer::Foreign => Err(refused(
            "the answer has another `state` than was sent: it belongs to another login, or somebody else \
             sent it; nothing was exchanged",
        )
        .hint("give the command again, and open only the address that it prints")),
        Answer::Refused(said) => Err(refused(&format!("the login was not allowed: {said}"))
            .hint("nothing was stored; allow it on the page, or check the scopes that the app has")),
        Answer::Empty => Err(refused("the answer holds no code")
            .hint("it is behind `code=` in the address at which the browser ends")),
    }
}

fn not_exchanged(error: &OauthError) -> Failure {
    match error.kind {
        OauthKind::Unreachable => Failure::usage(format!("the API cannot be reached: {error}"))
            .hint("check the network and `--api-url`; then log in again"),
        OauthKind::Failed => Failure::usage(format!("the code was not exchanged: {error}"))
            .hint("log in again: the code may be used up"),
        _ => Failure::new(Code::Access, format!("the code was refused: {error}")).hint(
            "a code works once and for some minutes, with the app's own secret and the redirect address \
             that is registered; log in again",
        ),
    }
}
