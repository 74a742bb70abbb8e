//! A service and a timer for systemd.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Installation, JobSchedule, ScheduleFile};
use crate::cli::output::error::CliError;

pub(super) fn render(schedule: &JobSchedule<'_>) -> Result<Installation, CliError> {
    let dir = if schedule.system {
        PathBuf::from("/etc/systemd/system")
    } else {
        schedule.home_path(".config/systemd/user")?
    };
    let name = format!("ghl-bulk-{}", schedule.job);
    let user = if schedule.system { "" } else { " --user" };
    let mut next = Vec::new();
    if schedule.system {
        next.push(
            "systemd-creds encrypt --name=ghl-token TOKEN_FILE /etc/credstore.encrypted/ghl-token  (once: the token)"
                .to_owned(),
        );
    }
    next.push(format!(
        "systemctl{user} daemon-reload && systemctl{user} enable --now {name}.timer"
    ));
    next.push(format!("systemctl{user} list-timers {name}.timer  (when it runs next)"));
    Ok(Installation {
        files: vec![
            ScheduleFile { path: dir.join(format!("{name}.service")), text: service(schedule) },
            ScheduleFile { path: dir.join(format!("{name}.timer")), text: timer(schedule) },
        ],
        next,
    })
}

fn service(schedule: &JobSchedule<'_>) -> String {
    let command: Vec<String> = schedule.command().iter().map(|word| quote_word(word)).collect();
    let mut text = format!(
        "[Unit]\nDescription=ghl-bulk job {}\nWants=network-online.target\nAfter=network-online.target\n\n\
         [Service]\nType=oneshot\nExecStart={}\nSuccessExitStatus=3\nNice=10\n",
        schedule.job,
        command.join(" ")
    );
    for (name, value) in &schedule.environment {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Environment={}", quote_word(&format!("{name}={value}")));
    }
    if schedule.system && !schedule.environment.iter().any(|(name, _)| *name == "GHL_TOKEN_FILE") {
        text.push_str(
            "LoadCredentialEncrypted=ghl-token\nEnvironment=GHL_TOKEN_FILE=%d/ghl-token\n",
        );
    }
    text
}

fn timer(schedule: &JobSchedule<'_>) -> String {
    format!(
        "[Unit]\nDescription=ghl-bulk job {}, every day\n\n\
         [Timer]\nOnCalendar=*-*-* {}:00\nPersistent=true\nRandomizedDelaySec=10m\n\n\
         [Install]\nWantedBy=timers.target\n",
        schedule.job,
        schedule.at.strftime("%H:%M")
    )
}

/// A word of a setting, in quotes if it needs them. `%` and `$` have meanings of their own.
fn quote_word(word: &str) -> String {
    let escaped =
        word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if escaped.chars().all(plain) { escaped } else { format!("\"{escaped}\"") }
}
