//! What tests of jobs do: a configuration with a job, and what the job leaves behind.

use std::fs;

use ghl_bulk::sandbox::LOCATION;
use serde_json::Value;

use crate::world::World;

impl World {
    /// The same world with a job `nightly`, whose table has these lines.
    pub(super) fn with_job(self, lines: &str) -> Self {
        self.with_jobs(&format!("[jobs.nightly]\n{lines}\n"))
    }

    /// The same world with a configuration.
    pub(super) fn with_jobs(self, config: &str) -> Self {
        let url = self.url().to_owned();
        let world = self.with_config(config);
        world.with_env("GHL_API_URL", &url).with_env("GHL_LOCATION_ID", LOCATION)
    }

    /// Writes an executable script.
    pub(super) fn write_script(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path.display().to_string()
    }

    /// The events of the newest log of the job.
    pub(super) fn job_log(&self) -> Vec<Value> {
        self.read_rows(self.job_logs().last().unwrap())
    }

    /// The logs of the job, oldest first, by their paths in the world.
    pub(super) fn job_logs(&self) -> Vec<String> {
        let dir = "home/logs/nightly";
        let entries = fs::read_dir(self.path(dir)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut logs: Vec<String> = names.map(|name| format!("{dir}/{name}")).collect();
        logs.sort();
        logs
    }
}

/// What became of the steps of a job, by its summary: `sync complete`.
pub(super) fn step_outcomes(summary: &Value) -> Vec<String> {
    let steps = summary["steps"].as_array().unwrap();
    let text = |step: &Value| {
        format!("{} {}", step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap())
    };
    steps.iter().map(text).collect()
}
