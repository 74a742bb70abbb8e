//! An agent for launchd (macOS).

use super::task_scheduler::escape_xml;
use super::{Installation, JobSchedule, ScheduleFile};
use crate::cli::output::error::CliError;

pub(super) fn render(schedule: &JobSchedule<'_>) -> Result<Installation, CliError> {
    let label = format!("com.ghl-bulk.{}", schedule.job);
    let path = schedule.home_path(&format!("Library/LaunchAgents/{label}.plist"))?;
    let next = vec![
        format!("launchctl bootstrap gui/$(id -u) '{}'", path.display()),
        format!("launchctl print gui/$(id -u)/{label}  (its state)"),
    ];
    Ok(Installation { files: vec![ScheduleFile { path, text: agent(schedule, &label)? }], next })
}

fn agent(schedule: &JobSchedule<'_>, label: &str) -> Result<String, CliError> {
    let string = |text: &str| format!("<string>{}</string>", escape_xml(text));
    let command = schedule.command();
    let words: Vec<String> = command.iter().map(|word| format!("    {}", string(word))).collect();
    let variables = schedule.environment.iter();
    let variables =
        variables.map(|(name, value)| format!("    <key>{name}</key>{}\n", string(value)));
    let variables = variables.collect::<Vec<_>>().concat();
    let log = schedule.home_path(&format!("Library/Logs/ghl-bulk-{}.log", schedule.job))?;
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n  <key>Label</key>{label}\n  <key>ProgramArguments</key>\n  <array>\n{words}\n  </array>\n  \
         <key>EnvironmentVariables</key>\n  <dict>\n{variables}  </dict>\n  <key>StartCalendarInterval</key>\n  <dict>\n    \
         <key>Hour</key><integer>{hour}</integer>\n    <key>Minute</key><integer>{minute}</integer>\n  </dict>\n  \
         <key>Nice</key><integer>10</integer>\n  <key>ProcessType</key><string>Background</string>\n  \
         <key>StandardErrorPath</key>{log}\n</dict>\n</plist>\n",
        label = string(label),
        words = words.join("\n"),
        hour = schedule.at.hour(),
        minute = schedule.at.minute(),
        log = string(&log.display().to_string()),
    ))
}
