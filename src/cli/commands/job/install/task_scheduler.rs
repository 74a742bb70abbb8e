//! A task for the Task Scheduler (Windows).

use std::path::PathBuf;

use super::{Installation, JobSchedule, ScheduleFile};

pub(super) fn render(schedule: &JobSchedule<'_>) -> Installation {
    let file = format!("ghl-bulk-{}.xml", schedule.job);
    // A task has the variables of its user.
    let variables = schedule.environment.iter();
    let mut next: Vec<String> =
        variables.map(|(name, value)| format!("setx {name} \"{value}\"")).collect();
    next.extend([
        format!("schtasks /create /tn \"ghl-bulk {}\" /xml {file}", schedule.job),
        format!("schtasks /query /tn \"ghl-bulk {}\" /v /fo list  (its state)", schedule.job),
    ]);
    Installation {
        files: vec![ScheduleFile { path: PathBuf::from(file), text: task(schedule) }],
        next,
    }
}

fn task(schedule: &JobSchedule<'_>) -> String {
    let [program, arguments @ ..] = schedule.command();
    let at = schedule.at.strftime("%H:%M");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n  \
         <RegistrationInfo>\n    <Description>ghl-bulk job {job}</Description>\n  </RegistrationInfo>\n  \
         <Triggers>\n    <CalendarTrigger>\n      <StartBoundary>2026-01-01T{at}:00</StartBoundary>\n      \
         <RandomDelay>PT10M</RandomDelay>\n      \
         <ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>\n    </CalendarTrigger>\n  </Triggers>\n  \
         <Settings>\n    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n    \
         <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n    \
         <StartWhenAvailable>true</StartWhenAvailable>\n    \
         <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>\n    \
         <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n    <Priority>7</Priority>\n  </Settings>\n  \
         <Actions>\n    <Exec>\n      <Command>{program}</Command>\n      <Arguments>{arguments}</Arguments>\n    </Exec>\n  </Actions>\n\
         </Task>\n",
        job = escape_xml(schedule.job),
        program = escape_xml(&program),
        arguments = escape_xml(&arguments.join(" ")),
    )
}

/// A text in XML.
pub(super) fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
