//! A line for cron.

use std::path::PathBuf;

use super::{Installation, JobSchedule, ScheduleFile};
use crate::text::quote_path_for_shell;

pub(super) fn render(schedule: &JobSchedule<'_>) -> Installation {
    let variables = schedule.environment.iter();
    let variables =
        variables.map(|(name, value)| format!("{name}={}", quote_path_for_shell(value)));
    let [program, words @ ..] = schedule.command();
    let words = std::iter::once(quote_path_for_shell(&program)).chain(words);
    // For cron, `%` is a line break.
    let command = variables.chain(words).collect::<Vec<_>>().join(" ").replace('%', "\\%");
    let time = format!("{} {} * * *", schedule.at.minute(), schedule.at.hour());
    if schedule.system {
        let path = PathBuf::from(format!("/etc/cron.d/ghl-bulk-{}", schedule.job));
        let text = format!("# ghl-bulk job {}\n{time} root {command}\n", schedule.job);
        return Installation { files: vec![ScheduleFile { path, text }], next: Vec::new() };
    }
    let next = vec!["crontab -e  (add this line)".to_owned()];
    let text = format!("{time} {command}\n");
    Installation { files: vec![ScheduleFile { path: PathBuf::from("crontab"), text }], next }
}
